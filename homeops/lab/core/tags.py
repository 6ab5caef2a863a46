"""Tags (api/write/tag.rs, api/read/tag.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.json_copy import copied
from homeops.lab.core.mongo_query import BadQueryError, matching
from homeops.lab.core.references import is_object_id, lookup, object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def find_tag(core: "Core", id_or_name: str) -> Document:
    """The stored tag; Core's refusal when there is none."""
    tag = lookup(core.state.tags, id_or_name)
    if tag is None:
        raise Refusal(f"no tag found matching {id_or_name}")
    return tag


def _owned(core: "Core", caller: Document, id_or_name: str) -> Document:
    tag = find_tag(core, id_or_name)
    if not caller["admin"] and tag["owner"] != caller["_id"]["$oid"]:
        raise Refusal("user must be tag owner or admin")
    return tag


def _refuse_taken(core: "Core", name: str, refusal: str, trace: list[str], but: Document | None = None) -> None:
    if any(tag["name"] == name and tag is not but for tag in core.state.tags.values()):
        raise Refusal(refusal, [*trace, f"Kind: E11000 duplicate key error: name {name}"])


def make_tag(core: "Core", caller: Document, name: str, color: str | None = None) -> Document:
    """Store a new tag, owned by the caller."""
    if core.settings.disable_non_admin_create and not caller["admin"]:
        raise Refusal("Non admins cannot create tags", status=403)
    if is_object_id(name):
        raise Refusal("Tag name cannot be ObjectId", status=400)
    _refuse_taken(core, name, "failed to create tag on db", [])
    tag: Document = {
        "_id": {"$oid": core.state.new_id()},
        "name": name,
        "owner": caller["_id"]["$oid"],
        "color": color or "Slate",
    }
    core.state.tags[tag["_id"]["$oid"]] = tag
    return tag


@answers("write", "CreateTag")
def create_tag(core: "Core", caller: Document, params: Document) -> Any:
    """A new tag, Slate unless a colour is given."""
    return copied(make_tag(core, caller, params["name"], params["color"]))


@answers("write", "RenameTag")
def rename_tag(core: "Core", caller: Document, params: Document) -> Any:
    """Another name for a tag; it is found by name, but only its id will do."""
    if is_object_id(params["name"]):
        raise Refusal("tag name cannot be ObjectId")
    tag = _owned(core, caller, params["id"])
    object_id(params["id"], error="failed to rename tag on db", trace=["id is not valid ObjectId"])
    _refuse_taken(core, params["name"], "failed to rename tag on db", ["failed at mongo update_one"], tag)
    tag["name"] = params["name"]
    return copied(tag)


@answers("write", "UpdateTagColor")
def update_tag_color(core: "Core", caller: Document, params: Document) -> Any:
    """Another colour for a tag."""
    tag = _owned(core, caller, params["tag"])
    tag["color"] = params["color"]
    return copied(tag)


@answers("write", "DeleteTag")
def delete_tag(core: "Core", caller: Document, params: Document) -> Any:
    """Delete a tag and take it from all resources but Swarms, which Core forgets; only the id will do."""
    tag = _owned(core, caller, params["id"])
    tag_id = object_id(params["id"], error="id is not valid ObjectId")
    for kind, documents in core.state.resources.items():
        if kind != "Swarm":
            for document in documents.values():
                document["tags"] = [worn for worn in document["tags"] if worn != tag_id]
    del core.state.tags[tag_id]
    return copied(tag)


@answers("read", "GetTag")
def get_tag(core: "Core", _caller: Document, params: Document) -> Any:
    """One tag by name or id."""
    return copied(find_tag(core, params["tag"]))


@answers("read", "ListTags")
def list_tags(core: "Core", _caller: Document, params: Document) -> Any:
    """All tags by name; ``query`` is MongoDB's."""
    try:
        found = matching(params["query"] or {}, core.state.tags.values())
    except BadQueryError as error:
        raise Refusal("failed to get tags from db", [f"Kind: {error}"]) from error
    return copied(sorted(found, key=lambda tag: tag["name"]))
