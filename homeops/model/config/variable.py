"""Variable, Tag and UserGroup: what Komodo keeps beside its resources (entities/{variable,tag,user_group}.rs)."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from homeops.errors import nearest
from homeops.model.config.alerter import TargetType
from homeops.model.fields import KomodoModel, SensitiveText

Hue = Literal[
    "Slate",
    "Red",
    "Orange",
    "Amber",
    "Yellow",
    "Lime",
    "Green",
    "Emerald",
    "Teal",
    "Cyan",
    "Sky",
    "Blue",
    "Indigo",
    "Violet",
    "Purple",
    "Fuchsia",
    "Pink",
    "Rose",
]
TAG_COLORS: tuple[str, ...] = tuple(f"{shade}{hue}" for hue in get_args(Hue) for shade in ("Light", "", "Dark"))
"""All colours of a tag, in Komodo's order: each hue light, plain and dark."""

SpecificPermission = Literal["Terminal", "Attach", "Inspect", "Logs", "Processes"]
PermissionLevel = Literal["None", "Read", "Execute", "Write"]


class VariableConfig(KomodoModel):
    """The value behind ``[[NAME]]``; names 1 to 500 bytes, values at most 10000 bytes on one line."""

    value: SensitiveText = ""
    is_secret: bool = False


def _known_color(color: str) -> str:
    if color not in TAG_COLORS:
        raise ValueError(f'"{color}" is not a colour of Komodo{nearest(color, TAG_COLORS)}')
    return color


class TagConfig(KomodoModel):
    """How a tag looks: one of ``TAG_COLORS``."""

    color: Annotated[str, AfterValidator(_known_color)] = "Slate"


class Permission(KomodoModel):
    """A level and the specific permissions beside it."""

    level: PermissionLevel = "None"
    specific: list[SpecificPermission] = Field(default_factory=list[SpecificPermission])


class UserGroupConfig(KomodoModel):
    """Members by user name, whether everyone belongs, and the permissions on whole kinds."""

    everyone: bool = False
    users: list[str] = Field(default_factory=list[str])
    all: dict[TargetType, Permission] = Field(default_factory=dict[TargetType, Permission])
