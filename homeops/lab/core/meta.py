"""``UpdateResourceMeta``: description, template and tags of a resource (resource/mod.rs, ``update_meta``)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.references import permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.tags import find_tag, make_tag

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


@answers("write", "UpdateResourceMeta")
def update_resource_meta(core: "Core", caller: Document, params: Document) -> Any:
    """Set what was sent; there is no Update document of it, and nobody is too busy for it."""
    target = params["target"]
    if target["type"] == "System":
        raise Refusal("cannot update meta of System resource target", status=400)
    document = permitted(core, caller, target["type"], target["id"], "Write")
    if params["description"] is not None:
        document["description"] = params["description"]
    if params["template"] is not None:
        document["template"] = params["template"]
    if params["tags"] is not None:
        tags = (tag_or_new(core, caller, tag) for tag in params["tags"])
        document["tags"] = [tag for tag in tags if tag is not None]
    return {}


def tag_or_new(core: "Core", caller: Document, id_or_name: str) -> str | None:
    """The id of a tag, made if nobody made it before; None where it cannot be made, which Core does not mention."""
    try:
        return find_tag(core, id_or_name)["_id"]["$oid"]
    except Refusal:
        pass
    try:
        return make_tag(core, caller, id_or_name)["_id"]["$oid"]
    except Refusal:
        return None
