"""What can be asked of Core, as plain values: building a request does no I/O.

Every call is ``POST /<route>`` with the body ``{"type": T, "params": {...}}``. (Core also has a form with T in the
path; there a malformed request is answered with 500 instead of 422, so it is not used.)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from homeops.model.kinds import Kind

Route = Literal["read", "write", "execute", "auth/login", "auth/manage"]

SECRET_FIELDS = frozenset(
    {"value", "url", "passkey", "webhook_secret", "secret_args", "secrets", "token", "private_key", "password"}
)
"""Fields whose values may be secrets: the Sensitive marks of the model, and what Builders and accounts carry.

Core quotes values in its errors (``invalid type: string "hunter2"``); what stands in these fields is never shown.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: its route, its type and its parameters."""

    route: Route
    type: str
    params: Mapping[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return {"type": self.type, "params": dict(self.params)}

    @property
    def changes_nothing(self) -> bool:
        """Whether sending it twice is the same as sending it once."""
        return self.route == "read"

    @property
    def label(self) -> str:
        """As in messages: ``write CreateStack "frigate"``."""
        target: Any = self.params.get("target")
        found: Any = cast(dict[str, Any], target).get("id") if isinstance(target, dict) else None
        named = found or next((self.params[key] for key in ("name", "id") if key in self.params), None)
        return f'{self.route} {self.type} "{named}"' if isinstance(named, str) else f"{self.route} {self.type}"

    def secrets(self) -> frozenset[str]:
        """Every text in it that a message must not repeat."""
        return frozenset(text for text in _secret_texts(self.params, inside=False) if len(text) > _SHORTEST_SECRET)


_SHORTEST_SECRET = 3
"""Texts up to this length are no secrets, and blotting them out would garble messages."""


def _secret_texts(value: Any, *, inside: bool) -> Iterator[str]:
    if isinstance(value, str):
        if inside:
            yield value
            yield from (line.strip() for line in value.splitlines())
    elif isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            yield from _secret_texts(item, inside=inside or key in SECRET_FIELDS)
    elif isinstance(value, (list, tuple)):
        for item in cast(list[Any], value):
            yield from _secret_texts(item, inside=inside)


def list_all(kind: Kind) -> Request:
    """The one request that reads everything of a kind.

    Without a limit Core answers the first 50 (since 2.3.0); 0 means all of them. Variables, tags and user groups are
    not paged.
    """
    return Request("read", kind.list_request, {"limit": 0} if kind.resource else {})


GET_VERSION = Request("read", "GetVersion", {})
"""The one read that every Core since 1.0 knows."""
