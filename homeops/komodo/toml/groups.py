"""User groups as TOML has them: with permissions on single resources, which Core keeps apart from the group."""

from typing import Annotated

from pydantic import Field

from homeops.model.config.alerter import ResourceTarget
from homeops.model.config.variable import PermissionLevel, SpecificPermission, UserGroupConfig
from homeops.model.fields import Alias, KomodoModel


class TargetPermission(KomodoModel):
    """A permission on a resource by name, or on all that match a pattern."""

    target: ResourceTarget
    level: PermissionLevel = "None"
    specific: list[SpecificPermission] = Field(default_factory=list[SpecificPermission])


class GroupConfig(UserGroupConfig):
    """A user group with the permissions that its table holds."""

    permissions: Annotated[list[TargetPermission], Alias(("permission",))] = Field(
        default_factory=list[TargetPermission]
    )

    @property
    def group(self) -> UserGroupConfig:
        """What Core keeps in the group itself."""
        own = {name: getattr(self, name) for name in UserGroupConfig.model_fields}
        return UserGroupConfig.model_construct(self.model_fields_set - {"permissions"}, **own)
