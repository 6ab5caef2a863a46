"""Which function answers which request. A handler takes the Core, who asks, and the decoded parameters.

Parameters are plain JSON after decoding: canonical field names, Core's defaults filled in, partial configurations
holding only what was sent and is not null, texts and lists normalised as Core stores them. The caller is a stored user
document; for the login route it is ``{"address": ...}``, where the request came from.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from homeops.lab.core.core import Core
    from homeops.lab.core.state import Document

Route = Literal["read", "write", "execute", "login", "manage"]
Handler = Callable[["Core", "Document", dict[str, Any]], Any]

HANDLERS: dict[tuple[Route, str], Handler] = {}


def answers(route: Route, *requests: str) -> Callable[[Handler], Handler]:
    """Register a function as the answer to requests of a route, e.g. ``@answers("read", "GetServer")``.

    A handler that refuses raises :class:`~homeops.lab.core.refusal.Refusal`. It runs with the state locked.
    """

    def register(handler: Handler) -> Handler:
        for request in requests:
            HANDLERS[route, request] = handler
        return handler

    return register
