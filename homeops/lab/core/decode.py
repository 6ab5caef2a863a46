"""Reading the body of a request: which request it is, and its parameters as Core understands them."""

import re
from typing import Any

from homeops.lab.core.dispatch import Route
from homeops.lab.core.json_source import ANYTHING, Pairs
from homeops.lab.core.json_text import parse
from homeops.lab.core.json_value import ValueSource
from homeops.lab.core.misfit import Misfit
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.requests import request_type

_JSON_TYPE = re.compile(r"application/([^;\s/]+\+)?json\s*(;.*)?", re.IGNORECASE)


def require_json(content_type: str | None) -> None:
    """Refuse a body that does not say that it is JSON."""
    if content_type is None or not _JSON_TYPE.fullmatch(content_type.strip()):
        raise Refusal("Expected request with `Content-Type: application/json`", status=415)


def decode_request(route: Route, variant: str | None, body: bytes) -> tuple[str, dict[str, Any]]:
    """The name of the request and its parameters; raises Refusal with the texts of axum and serde.

    ``variant`` is the type in the path form, whose body holds only the parameters: there a misfit is a 500.
    """
    enum = request_type(route)
    try:
        if variant is None:
            request = parse(body, enum)
        else:
            whole = Pairs([("type", variant), ("params", parse(body, ANYTHING))])
            request = enum.read(ValueSource(whole, buffered=False))
    except Misfit as misfit:
        raise _refusal(misfit) from None
    return request["type"], request["params"]


def _refusal(misfit: Misfit) -> Refusal:
    if misfit.syntax:
        return Refusal(f"Failed to parse the request body as JSON: {misfit.message()}", status=400)
    if misfit.position is None:
        return Refusal(misfit.message())
    text = "Failed to deserialize the JSON body into the target type"
    return Refusal(f"{text}: {misfit.message()}", status=422)
