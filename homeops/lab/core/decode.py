"""Reading the body of a request: which request it is, and its parameters as Core understands them."""

import json
from typing import Any

from homeops.lab.core.dispatch import Route


def decode_request(
    _route: Route, variant: str | None, _content_type: str | None, body: bytes
) -> tuple[str, dict[str, Any]]:
    """The name of the request and its parameters."""
    value = json.loads(body)
    return (variant, value) if variant is not None else (value["type"], value["params"])
