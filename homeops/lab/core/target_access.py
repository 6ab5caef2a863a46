"""Whether somebody may see what concerns a target: Updates and alerts (permission.rs, ``check_user_target_access``)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeops.lab.core.references import permitted
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core


def demand_target(core: "Core", caller: Document, target: Document) -> None:
    """Refuse unless the caller may read the target."""
    if caller["admin"] or core.settings.transparent_mode:
        return
    if target["type"] == "System":
        raise Refusal("user must be admin to view system updates")
    permitted(core, caller, target["type"], target["id"], "Read")


def readable(core: "Core", caller: Document, documents: Iterable[Document]) -> list[Document]:
    """Those documents whose ``target`` the caller may read."""
    if caller["admin"] or core.settings.transparent_mode:
        return list(documents)
    known: dict[tuple[str, str], bool] = {}
    return [document for document in documents if _may_read(core, caller, document["target"], known)]


def _may_read(core: "Core", caller: Document, target: Document, known: dict[tuple[str, str], bool]) -> bool:
    key = (target["type"], target["id"])
    if key not in known:
        try:
            demand_target(core, caller, target)
            known[key] = True
        except Refusal:
            known[key] = False
    return known[key]
