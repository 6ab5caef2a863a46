"""Reads that describe Core itself."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from homeops.lab.core.core import Core
from homeops.lab.core.dispatch import answers
from homeops.lab.core.state import Document


@answers("read", "GetVersion")
def get_version(core: "Core", _caller: Document, _params: Document) -> Any:
    """Core's version."""
    return {"version": core.settings.version}
