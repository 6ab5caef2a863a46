"""The requests that export TOML (api/read/toml.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.references import permitted
from homeops.lab.core.resource_lists import visible
from homeops.lab.core.resource_queries import found_by_name
from homeops.lab.core.state import Document
from homeops.lab.core.toml_export import (
    declaration,
    declaration_toml,
    joined,
    user_group_declaration,
    user_group_toml,
    variable_toml,
)
from homeops.lab.core.wide_query import wide_query
from homeops.model.kinds import RESOURCE_KINDS

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@answers("read", "ExportAllResourcesToToml")
def export_all(core: "Core", caller: Document, params: Document) -> Any:
    """Everything that the caller may read and that carries all of ``tags``."""
    targets: list[Document] = []
    if params["include_resources"]:
        query = wide_query(tags=params["tags"])
        for kind in RESOURCE_KINDS:
            found = visible(core, caller, kind, found_by_name(core, kind, query))
            targets += [{"type": kind, "id": document["_id"]["$oid"]} for document in found]
    groups = _own_groups(core, caller) if params["include_user_groups"] else []
    group_ids = [group["_id"]["$oid"] for group in groups]
    return {"toml": _export(core, caller, targets, group_ids, params)}


@answers("read", "ExportResourcesToToml")
def export(core: "Core", caller: Document, params: Document) -> Any:
    """The resources of ``targets`` as often as they are named, and user groups by name or id."""
    return {"toml": _export(core, caller, params["targets"], params["user_groups"], params)}


def _own_groups(core: "Core", caller: Document) -> list[Document]:
    caller_id = caller["_id"]["$oid"]
    groups = sorted(core.state.user_groups.values(), key=lambda group: group["name"])
    return [group for group in groups if caller["admin"] or caller_id in group["users"]]


def _export(core: "Core", caller: Document, targets: list[Document], groups: list[str], params: Document) -> str:
    existing: Document = params.get("existing") or {}
    tables: dict[str, list[str]] = {kind: [] for kind in RESOURCE_KINDS}
    for target in targets:
        kind = target["type"]
        if kind == "System":
            continue
        document = permitted(core, caller, kind, target["id"], "Read")
        if kind == "ResourceSync":
            if not exported_sync(document["config"]):
                continue
            deploy, after = _known({}, kind, document["name"])
        else:
            deploy, after = _known(existing, kind, document["name"])
        tables[kind].append(declaration_toml(kind, declaration(core.state, kind, document, deploy, after)))
    texts = [text for kind in RESOURCE_KINDS for text in tables[kind]]
    if params["include_variables"]:
        texts += [variable_toml(_shown(caller, core.state.variables[name])) for name in sorted(core.state.variables)]
    texts += [
        user_group_toml(user_group_declaration(core.state, group))
        for group in _own_groups(core, caller)
        if group["name"] in groups or group["_id"]["$oid"] in groups
    ]
    return joined(texts)


def exported_sync(config: Document) -> bool:
    """Whether a ResourceSync is exported: only when its files are elsewhere."""
    elsewhere = config["files_on_host"] or config["repo"] or config["linked_repo"]
    return bool(elsewhere) and not config["file_contents"]


def _known(existing: Document, kind: str, name: str) -> tuple[bool, list[str]]:
    """``deploy`` and ``after`` of a resource, which only the earlier file knows."""
    tables: list[Document] = existing.get(f"{kind.lower()}s") or []
    for table in tables:
        if table["name"] == name:
            return table.get("deploy", False), table.get("after", [])
    return False, []


def _shown(caller: Document, variable: Document) -> Document:
    if caller["admin"] or not variable["is_secret"]:
        return variable
    return variable | {"value": "#" * len(variable["value"].encode())}
