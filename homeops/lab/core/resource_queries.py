"""``query`` of the list requests: from Komodo's ``ResourceQuery`` to the database's filter (entities/resource.rs)."""

import re
from typing import TYPE_CHECKING, Any

from homeops.lab.core.mongo_query import matching
from homeops.lab.core.references import is_object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_SPECIFIC_FIELDS = {
    "server_ids": "config.server_id",
    "swarm_ids": "config.swarm_id",
    "linked_repos": "config.linked_repo",
    "repos": "config.repo",
    "builder_ids": "config.builder_id",
    "build_ids": "config.image.params.build_id",
    "servers": "config.server_ids",
    "types": "config.endpoint.type",
}
"""Parts of ``specific`` that are lists of values of one field; states and updates are filtered afterwards."""


def found_by_name(core: "Core", kind: str, query: Document) -> list[Document]:
    """The stored resources of a kind that a query finds, sorted by name. Raises Refusal for an unknown tag."""
    documents = matching(_filter(core, query), core.state.resources[kind].values())
    documents.sort(key=lambda document: document["name"])
    return documents


def _filter(core: "Core", query: Document) -> Document:
    conditions: list[Document] = []
    names: list[str] = query["names"]
    ids = [name.lower() for name in names if is_object_id(name)]
    if ids:
        conditions.append({"_id.$oid": {"$in": ids}})
    plain = [name for name in names if not is_object_id(name)]
    if plain:
        conditions.append({"name": {"$in": plain}})
    conditions += [{"name": {"$regex": re.escape(term), "$options": "i"}} for term in query["terms"] if term]
    if query["templates"] != "Include":
        conditions.append({"template": query["templates"] == "Only"})
    tags = [_tag_id(core, tag) for tag in query["tags"]]
    if tags:
        conditions.append({"tags": {"$all" if query["tag_behavior"] == "All" else "$in": tags}})
    conditions += _specific(query["specific"])
    return {"$and": conditions} if conditions else {}


def _tag_id(core: "Core", name_or_id: str) -> str:
    for tag_id, tag in core.state.tags.items():
        if name_or_id in (tag_id, tag["name"]):
            return tag_id
    raise Refusal(f"No tag found matching name or id: {name_or_id}")


def _specific(specific: Document) -> list[Document]:
    conditions: list[Document] = [
        {field: {"$in": specific[name]}} for name, field in _SPECIFIC_FIELDS.items() if specific.get(name)
    ]
    if specific.get("build_ids"):
        conditions.append({"config.image.type": "Build"})
    if specific.get("built_since", 0) > 0:
        conditions.append({"info.last_built_at": {"$gte": specific["built_since"]}})
    enabled: Any = specific.get("enabled")
    if enabled is not None:
        conditions.append({"config.enabled": enabled})
    scheduled: Any = specific.get("scheduled")
    if scheduled is not None:
        conditions.append({"config.schedule": {"$nin" if scheduled else "$in": ["", None]}})
    return conditions
