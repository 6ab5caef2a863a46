"""``ListUpdates`` and ``GetUpdate``."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.dispatch import answers
from homeops.lab.core.mongo_query import BadQueryError, matching
from homeops.lab.core.references import object_id
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.target_access import demand_target, readable
from homeops.lab.core.update_documents import answered, list_item

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

PAGE = 100


@answers("read", "ListUpdates")
def list_updates(core: "Core", caller: Document, params: Document) -> Any:
    """A page of Updates, the newest first; ``query`` is MongoDB's."""
    page: int = params["page"]
    found = found_newest_first(core.state.updates, params["query"], "start_ts", "failed to pull updates from db")
    shown = readable(core, caller, found)[page * PAGE : (page + 1) * PAGE]
    return {
        "updates": [list_item(core, update) for update in shown],
        "next_page": page + 1 if len(shown) == PAGE else None,
    }


@answers("read", "GetUpdate")
def get_update(core: "Core", caller: Document, params: Document) -> Any:
    """One Update with its logs."""
    update_id = object_id(params["id"], error="failed to query to db", trace=["id is not ObjectId"])
    update = core.state.updates.get(update_id)
    if update is None:
        raise Refusal("no update exists with given id")
    demand_target(core, caller, update["target"])
    return answered(update)


def found_newest_first(
    collection: dict[str, Document], query: Document | None, stamp: str, refusal: str
) -> list[Document]:
    """What a query of a client finds, the newest first and of one moment the last stored first."""
    try:
        found = matching(query or {}, collection.values())
    except BadQueryError as error:
        raise Refusal(refusal, [f"Kind: {error}"]) from error
    found.reverse()
    found.sort(key=lambda document: document[stamp], reverse=True)
    return found
