"""``Get...``, ``List...``, ``ListFull...`` and ``Get...ActionState`` of every kind (api/read/*.rs)."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.list_items import list_items
from homeops.lab.core.references import permitted
from homeops.lab.core.resource_kinds import RESOURCES, ResourceKind
from homeops.lab.core.resource_queries import found_by_name
from homeops.lab.core.resource_states import STATES, flags_of, server_state
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_SortKey = Callable[[Document], Any]


def visible(core: "Core", caller: Document, kind: str, documents: Iterable[Document]) -> list[Document]:
    """Those resources of a kind that the caller may read."""
    if caller["admin"] or core.settings.transparent_mode:
        return list(documents)
    from homeops.lab.core.permissions import readable_ids

    ids = readable_ids(core, caller, kind)
    return [document for document in documents if document["_id"]["$oid"] in ids]


def _list(core: "Core", caller: Document, kind: str, params: Document) -> list[Document]:
    query, sort_by, descending = params["query"], params["sort_by"], params["sort_desc"]
    documents = visible(core, caller, kind, found_by_name(core, kind, query))
    field = _FIELD_SORTS.get((kind, sort_by))
    if sort_by == "Name":
        documents.sort(key=lambda document: document["name"], reverse=descending)
    elif field is not None:
        documents.sort(key=field, reverse=descending)
    specific = query["specific"]
    computed = field is None and sort_by != "Name"
    if not computed and not specific.get("states") and not specific.get("update_available"):
        return list_items(core, kind, page_of(core, params, documents))
    items = list_items(core, kind, documents)
    if specific.get("states"):
        items = [item for item in items if item["info"]["state"] in specific["states"]]
    if specific.get("update_available"):
        items = [item for item in items if _update_available(item["info"])]
    if computed:
        items.sort(key=_item_sort(kind, sort_by), reverse=descending)
    return page_of(core, params, items)


def _list_full(core: "Core", caller: Document, kind: str, params: Document) -> list[Document]:
    query = params["query"]
    documents = visible(core, caller, kind, found_by_name(core, kind, query))
    states = query["specific"].get("states")
    if states:
        items = list_items(core, kind, documents)
        documents = [
            document for document, item in zip(documents, items, strict=True) if item["info"]["state"] in states
        ]
    return copied(page_of(core, params, documents))


def page_of(core: "Core", params: Document, found: list[Document]) -> list[Document]:
    """A page of ``limit``; limit 0 is everything, whatever the page."""
    limit = params["limit"]
    if limit is None:
        limit = core.settings.default_pagination_limit
    return found[params["page"] * limit : (params["page"] + 1) * limit] if limit else found


def _update_available(info: Document) -> bool:
    services = info.get("services", ())
    return bool(info.get("update_available")) or any(service["update_available"] for service in services)


_FIELD_SORTS: dict[tuple[str, str], _SortKey] = {
    ("Server", "Region"): lambda document: document["config"]["region"],
    ("Repo", "Repo"): lambda document: document["config"]["repo"],
    ("Repo", "Branch"): lambda document: document["config"]["branch"],
    ("Alerter", "Type"): lambda document: document["config"]["endpoint"]["type"],
    ("Alerter", "Enabled"): lambda document: document["config"]["enabled"],
    ("Builder", "Provider"): lambda document: document["config"]["type"],
}
"""Sorts by a stored field, in which equal ones stay in order of their names, also when descending."""


def _item_sort(kind: str, sort_by: str) -> _SortKey:
    """The order of short forms by something that Core works out; equal ones go by name in the same direction."""
    key = _STATE if sort_by == "State" else _COMPUTED_SORTS[sort_by]

    def order(item: Document) -> Any:
        return (*key(kind, item["info"]), item["name"])

    return order


def _nothing_first(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _by_state(kind: str, info: Document) -> tuple[Any, ...]:
    return STATES[kind].index(info["state"]), not _update_available(info)


def _share(stats: Document | None, used: str, total: str) -> tuple[bool, float]:
    if stats is None:
        return (False, 0.0)
    return (True, 100.0 * stats[used] / stats[total] if stats[total] > 0 else 0.0)


_Computed = Callable[[str, Document], tuple[Any, ...]]
_STATE: _Computed = _by_state
_COMPUTED_SORTS: dict[str, _Computed] = {
    "Source": lambda _kind, info: (info["files_on_host"], info["linked_repo_name"], info["repo"]),
    "Branch": lambda _kind, info: (info["branch"],),
    "Host": lambda _kind, info: (info["swarm_name"] if info["swarm_id"] else info["server_name"],),
    "Image": lambda _kind, info: (info["image"],),
    "NextRun": lambda _kind, info: _nothing_first(info["next_scheduled_run"]),
    "InstanceType": lambda _kind, info: (info["instance_type"] is not None, info["instance_type"] or ""),
    "Version": lambda _kind, info: (info["version"] is not None, info["version"] or ""),
    "Cpu": lambda _kind, info: _nothing_first(info["stats"] and info["stats"]["cpu_perc"]),
    "Memory": lambda _kind, info: _share(info["stats"], "mem_used_gb", "mem_total_gb"),
    "Disk": lambda _kind, info: _share(info["stats"], "disk_used_gb", "disk_total_gb"),
    "LoadAverage": lambda _kind, info: _nothing_first(info["stats"] and info["stats"]["load_average"]["one"]),
    "Network": lambda _kind, info: _nothing_first(
        info["stats"] and info["stats"]["network_ingress_bytes"] + info["stats"]["network_egress_bytes"]
    ),
}


def _register(kind: ResourceKind) -> None:
    name = kind.name

    def getting(core: "Core", caller: Document, params: Document) -> Document:
        return copied(permitted(core, caller, name, params[kind.key], "Read"))

    def listing(core: "Core", caller: Document, params: Document) -> list[Document]:
        return _list(core, caller, name, params)

    def listing_full(core: "Core", caller: Document, params: Document) -> list[Document]:
        return _list_full(core, caller, name, params)

    def acting(core: "Core", caller: Document, params: Document) -> Document:
        document = permitted(core, caller, name, params[kind.key], "Read")
        flags = flags_of(core.state, name, document["_id"]["$oid"])
        return {flag: type(rest)(flag in flags) for flag, rest in kind.flags.items()}

    answers("read", f"Get{name}")(getting)
    answers("read", f"List{kind.plural}")(listing)
    answers("read", f"ListFull{kind.plural}")(listing_full)
    if name not in ("Alerter", "Builder"):
        answers("read", f"Get{name}ActionState")(acting)


for _kind in RESOURCES.values():
    _register(_kind)


@answers("read", "GetServerState")
def get_server_state(core: "Core", caller: Document, params: Document) -> Any:
    """Whether a Server answers."""
    return {"status": server_state(core, permitted(core, caller, "Server", params["server"], "Read"))}


_EXTRA_ARGUMENTS = {
    "ListCommonStackExtraArgs": ("Stack", "extra_args"),
    "ListCommonStackBuildExtraArgs": ("Stack", "build_extra_args"),
    "ListCommonDeploymentExtraArgs": ("Deployment", "extra_args"),
    "ListCommonBuildExtraArgs": ("Build", "extra_args"),
}


def _register_arguments(request: str, kind: str, field: str) -> None:
    def used(core: "Core", caller: Document, params: Document) -> list[str]:
        documents = visible(core, caller, kind, found_by_name(core, kind, params["query"]))
        return sorted({argument for document in documents for argument in document["config"][field]})

    answers("read", request)(used)


for _request, (_of, _field) in _EXTRA_ARGUMENTS.items():
    _register_arguments(_request, _of, _field)
