"""What Core 2.3.2 says of its own API, as a check of requests.

Core ignores what it does not know, so a misspelt parameter or configuration field does nothing, silently. Here it is an
error: the document's schemas are made strict, and its opaque partial configurations get the fields of the whole ones.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
from jsonschema import Draft202012Validator

DOCUMENT = Path(__file__).parents[1] / "data" / "komodo-2.3.2.openapi.json"
_SCHEMAS = "#/components/schemas/"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document as recorded."""
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def check_request(route: str, name: str, params: dict[str, Any]) -> None:
    """Assert that ``{"type": name, "params": params}`` to ``/route`` is a request that Core knows, in every field."""
    assert f"/{route}/{name}" in document()["paths"], f"Core 2.3.2 has no {route} request {name}"
    operation = document()["paths"][f"/{route}/{name}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator: Any = Draft202012Validator({**schema, "components": {"schemas": _strict_schemas()}})
    problems = [
        f"{'/'.join(map(str, error.absolute_path)) or 'params'}: {error.message}"
        for error in validator.iter_errors(params)
    ]
    assert not problems, f"{route} {name} {params}: " + "; ".join(problems)


class Checked(httpx.BaseTransport):
    """A transport that checks every request that passes and keeps it as ``(route, name, params)``."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner
        self.sent: list[tuple[str, str, dict[str, Any]]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            body = json.loads(request.read())
            assert set(body) == {"type", "params"}
            route = request.url.path.removeprefix("/")
            check_request(route, body["type"], body["params"])
            self.sent.append((route, body["type"], body["params"]))
        return self.inner.handle_request(request)


@cache
def _strict_schemas() -> dict[str, Any]:
    schemas = cast(dict[str, Any], json.loads(json.dumps(document()["components"]["schemas"])))
    # The document refers to this one without defining it; homeops sends no `specific`.
    schemas.setdefault("ResourceSyncQuerySpecifics", {"type": "object", "maxProperties": 0})
    for name, schema in schemas.items():
        whole = schemas.get(name.replace("Partial", ""))
        if name.startswith("Partial") and "oneOf" not in schema and whole is not None:
            schemas[name] = {"type": "object", "properties": whole["properties"]}
    _make_strict(schemas)
    return schemas


def _make_strict(node: Any) -> None:
    if isinstance(node, dict):
        fields = cast(dict[str, Any], node)
        if fields.get("type") == "object" and "additionalProperties" not in fields:
            fields["additionalProperties"] = False
        for value in fields.values():
            _make_strict(value)
    elif isinstance(node, list):
        for value in cast(list[Any], node):
            _make_strict(value)
