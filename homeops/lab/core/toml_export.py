"""Resources, variables and user groups as Core writes them in TOML (sync/toml.rs, api/read/toml.rs)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from homeops.lab.core.state import Document, State
from homeops.lab.core.toml_names import BUILDER_CONFIGS, name_of, with_references
from homeops.lab.core.toml_values import table_text
from homeops.model.config.alerter import TargetType
from homeops.model.config.swarm import SwarmConfig
from homeops.model.kinds import KINDS

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

SEPARATOR = "\n\n##\n\n"

_EXPORTED_NAMES = {
    ("Swarm", "server_ids"): "servers",
    ("Stack", "swarm_id"): "swarm",
    ("Stack", "server_id"): "server",
    ("Deployment", "swarm_id"): "swarm",
    ("Deployment", "server_id"): "server",
    ("Build", "builder_id"): "builder",
    ("Repo", "server_id"): "server",
    ("Repo", "builder_id"): "builder",
}


def resource_toml(core: "Core", kind: str, document: Document) -> str:
    """One resource as TOML with its header, e.g. for ``current_toml`` of an Update."""
    return declaration_toml(kind, declaration(core.state, kind, document))


def declaration(
    state: State, kind: str, document: Document, deploy: bool = False, after: Sequence[str] = ()
) -> Document:
    """What a TOML file would say of a resource: its name, meta and configuration, with names instead of ids.

    The configuration is complete here; defaults are dropped on writing.
    """
    return {
        "name": document["name"],
        "description": document["description"],
        "template": document["template"],
        "tags": [state.tags[tag]["name"] for tag in document["tags"] if tag in state.tags],
        "deploy": deploy,
        "after": list(after),
        "config": with_references(kind, document["config"], name_of(state)),
    }


def declaration_toml(kind: str, declared: Document) -> str:
    """The TOML of one declaration (``declaration``, or what a sync read from a file)."""
    table = KINDS[kind].table
    head = {
        key: value
        for key in ("name", "description", "template", "tags", "deploy", "after")
        if (value := declared.get(key)) or key == "name"
    }
    config = minimized(kind, declared["config"])
    if kind == "Procedure":
        return f"[[{table}]]\n{_procedure_text(head, config)}"
    body = table_text(_exported(kind, config))
    if kind == "Builder" and not config["params"]:
        body += "\nparams = {}"
    return f"[[{table}]]\n{table_text(head)}\n[{table}.config]\n{body}"


def minimized(kind: str, config: Mapping[str, Any]) -> Document:
    """The fields of a configuration that differ from the defaults, in Komodo's order."""
    if kind == "Builder":
        params = _differing(BUILDER_CONFIGS[config["type"]], config.get("params") or {})
        return {"type": config["type"], "params": params}
    return _differing(KINDS[kind].shape, config)


def _differing(model: type[BaseModel], config: Mapping[str, Any]) -> Document:
    return {
        field: config[field]
        for field, default in compared_defaults(model).items()
        if config.get(field) is not None and config[field] != default
    }


@cache
def compared_defaults(model: type[BaseModel]) -> Document:
    """The defaults that the exporter and syncs compare with: those of the API, but for one field of Swarms."""
    defaults = model.model_construct().model_dump(mode="json")
    if model is SwarmConfig:
        # Core derives the default of this struct, so that the field's own default (true) does not count.
        defaults["send_unhealthy_alerts"] = False
    return defaults


def _exported(kind: str, config: Document) -> Document:
    exported = {_EXPORTED_NAMES.get((kind, field), field): value for field, value in config.items()}
    match kind:
        case "Build" if "version" in exported:
            automatic = exported.get("auto_increment_version", True)
            exported["version"] = "" if automatic else version_text(exported["version"])
        case "Deployment" if exported.get("image", {}).get("type") == "Build":
            params = exported["image"]["params"]
            version = version_text(params["version"])
            named = {} if version == "0.0.0" else {"version": version}
            exported["image"] = {"type": "Build", "params": named | {"build": params["build_id"]}}
        case "Builder" if "server_ids" in exported["params"]:
            exported["params"] = {"servers": exported["params"]["server_ids"]}
        case _:
            pass
    return exported


def version_text(version: Document) -> str:
    """``1.2.3``."""
    return f"{version['major']}.{version['minor']}.{version['patch']}"


def _procedure_text(head: Document, config: Document) -> str:
    fields = list(config.items())
    stages: list[Document] = []
    if "stages" in config:
        # Core takes the stages out of the map by swapping: the last field comes to stand in their place, the first.
        stages = config["stages"]
        fields = [*fields[-1:], *fields[1:-1]] if len(fields) > 1 else []
    text = table_text({**head, "config": dict(fields)})
    for stage in stages:
        text += "\n\n[[procedure.config.stage]]\n" + table_text(stage, keep_empty=True)
    return text


def variable_toml(variable: Document) -> str:
    """One variable; ``value`` is written in clear."""
    fields = {key: variable.get(key, "") for key in ("name", "description", "value", "is_secret")}
    return f"[[variable]]\n{table_text(fields)}"


TARGET_ORDER: tuple[str, ...] = get_args(TargetType)


def user_group_declaration(state: State, group: Document) -> Document:
    """What a TOML file would say of a user group: ``{name, everyone, users, all, permissions}`` with names for ids."""
    named = name_of(state)
    permissions = [
        {
            "target": {
                "type": permission["resource_target"]["type"],
                "id": named(permission["resource_target"]["type"], permission["resource_target"]["id"]),
            },
            "level": permission["level"],
            "specific": permission["specific"],
        }
        for permission in state.permissions
        if permission["user_target"] == {"type": "UserGroup", "id": group["_id"]["$oid"]}
        and permission["level"] != "None"
    ]
    users = [state.users[user]["username"] for user in group["users"] if user in state.users]
    return {
        "name": group["name"],
        "everyone": group["everyone"],
        "users": [] if group["everyone"] else sorted(users),
        "all": {kind: value for kind, value in group["all"].items() if is_granted(value)},
        "permissions": sorted(permissions, key=permission_order),
    }


def permission_order(permission: Document) -> tuple[int, str]:
    """Komodo's order of a group's permissions: by kind, then name."""
    return TARGET_ORDER.index(permission["target"]["type"]), permission["target"]["id"]


def level_and_specific(value: Any) -> tuple[str, list[str]]:
    """A permission in either of its forms: ``"Read"`` or ``{"level", "specific"}``."""
    if isinstance(value, str):
        return value, []
    return value.get("level", "None"), list(value.get("specific", []))


def is_granted(value: Any) -> bool:
    """Whether a permission allows anything."""
    level, specific = level_and_specific(value)
    return level != "None" or bool(specific)


def user_group_toml(group: Document) -> str:
    """One declared user group (``user_group_declaration``)."""
    head = {
        "name": group["name"],
        **({"everyone": True} if group["everyone"] else {}),
        **({"users": group["users"]} if group["users"] and not group["everyone"] else {}),
    }
    text = f"[[user_group]]\n{table_text(head)}"
    for kind, value in group["all"].items():
        level, specific = level_and_specific(value)
        if not is_granted(value):
            continue
        names = ", ".join(f'"{name}"' for name in specific)
        text += f"\nall.{kind} = "
        text += f'{{ level = "{level}", specific = [{names}] }}' if specific else f'"{level}"'
    if group["permissions"]:
        permissions = [
            {key: value for key, value in permission.items() if key != "specific" or value}
            for permission in group["permissions"]
        ]
        text += "\n" + table_text({"permissions": permissions})
    return text


def joined(tables: Iterable[str]) -> str:
    """Several declarations as one file."""
    return SEPARATOR.join(tables)
