"""What Core knows of each kind of resource before any exists: default configuration, info, flags while it works."""

from dataclasses import dataclass, field
from typing import Any

from homeops.lab.core.json_copy import copied
from homeops.lab.core.state import Document
from homeops.model.config.builder import AwsBuilder, ServerBuilder, UrlBuilder
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS, RESOURCE_KINDS


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """One kind as Core sees it.

    ``flags``: names in ``Get...ActionState``, each with the value at rest (False, or 0 for those that Core counts).
    ``busy``: the flags that keep Core from updating or deleting (client/core/rs/src/busy.rs).
    ``creator``: what a user must have to create one; ``disable_non_admin_create`` narrows all but ``admin``.
    """

    name: str
    info: Any
    flags: dict[str, bool | int] = field(default_factory=dict[str, bool | int])
    busy: frozenset[str] = frozenset()
    creator: str = "anyone"

    @property
    def key(self) -> str:
        """Name of the parameter of ``Get...``."""
        return KINDS[self.name].key

    @property
    def plural(self) -> str:
        """As in ``ListStacks``."""
        return KINDS[self.name].plural


def _flags(*names: str) -> dict[str, bool | int]:
    return dict.fromkeys(names, False)


_SERVER_COUNTS = tuple(
    f"{action}_containers" for action in ("starting", "restarting", "pausing", "unpausing", "stopping", "destroying")
)
_LIFECYCLE = ("deploying", "starting", "restarting", "pausing", "unpausing", "stopping", "destroying")

RESOURCES: dict[str, ResourceKind] = {
    kind.name: kind
    for kind in (
        ResourceKind(
            "Server",
            {"attempted_public_key": "", "public_key": ""},
            _flags(
                *(f"pruning_{what}" for what in ("networks", "containers", "images", "volumes")),
                *(f"pruning_{what}" for what in ("builders", "buildx", "system")),
            )
            | dict.fromkeys(_SERVER_COUNTS, 0),
            frozenset({"pruning_networks", "pruning_containers", "pruning_images", "pruning_volumes", *_SERVER_COUNTS}),
            creator="create_server_permissions",
        ),
        ResourceKind("Swarm", {}),
        ResourceKind(
            "Stack",
            {
                "missing_files": [],
                "deployed_project_name": None,
                "deployed_hash": None,
                "deployed_message": None,
                "deployed_contents": None,
                "deployed_services": None,
                "deployed_config": None,
                "latest_services": [],
                "remote_contents": None,
                "remote_errors": None,
                "latest_hash": None,
                "latest_message": None,
            },
            _flags("pulling", *_LIFECYCLE),
            frozenset(_LIFECYCLE),
        ),
        ResourceKind(
            "Deployment",
            {"latest_image_digest": "", "deployed_name": ""},
            _flags("pulling", "deploying", "updating", *_LIFECYCLE[1:], "renaming"),
            frozenset((*_LIFECYCLE, "renaming")),
        ),
        ResourceKind(
            "Build",
            {
                "last_built_at": 0,
                "built_hash": None,
                "built_message": None,
                "built_contents": None,
                "remote_path": None,
                "remote_contents": None,
                "remote_error": None,
                "latest_hash": None,
                "latest_message": None,
            },
            _flags("building"),
            frozenset({"building"}),
            creator="create_build_permissions",
        ),
        ResourceKind(
            "Repo",
            {
                "last_pulled_at": 0,
                "last_built_at": 0,
                "built_hash": None,
                "built_message": None,
                "latest_hash": None,
                "latest_message": None,
            },
            _flags("cloning", "pulling", "building", "renaming"),
            frozenset({"cloning", "pulling", "building"}),
        ),
        ResourceKind("Procedure", None, _flags("running"), frozenset({"running"})),
        ResourceKind("Action", {}, {"running": 0}, frozenset({"running"}), creator="admin"),
        ResourceKind("Alerter", None, creator="admin"),
        ResourceKind("Builder", None, creator="admin"),
        ResourceKind(
            "ResourceSync",
            {
                "last_sync_ts": 0,
                "last_sync_hash": None,
                "last_sync_message": None,
                "resource_updates": [],
                "variable_updates": [],
                "user_group_updates": [],
                "pending_deploys": [],
                "pending_error": None,
                "pending_deploy_error": None,
                "pending_hash": None,
                "pending_message": None,
                "remote_contents": [],
                "remote_errors": [],
            },
            _flags("syncing"),
            frozenset({"syncing"}),
            creator="admin",
        ),
    )
}


def _plain(model: KomodoModel) -> Document:
    return model.model_dump(mode="json")


_DEFAULTS: dict[str, Document] = {
    name: _plain(KINDS[name].config.validate_python({})) for name in RESOURCE_KINDS if name != "Builder"
}
_BUILDER_DEFAULTS: dict[str, Document] = {
    model.type: _plain(model.params) for model in (UrlBuilder(), ServerBuilder(), AwsBuilder())
}


def default_config(kind: str, builder_type: str = "Url") -> Document:
    """The configuration of a resource that was created with none; for a Builder the parameters of its type."""
    return copied(_BUILDER_DEFAULTS[builder_type] if kind == "Builder" else _DEFAULTS[kind])
