"""The recorded conversations with a real Core, as pairs of a request and its answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

TRANSCRIPTS = Path(__file__).parents[1] / "data" / "transcripts"

Json = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. ``config``: what the request gave as configuration, None when it gave none."""

    file: str
    request: str
    params: Json
    status: int
    response: Any

    @property
    def config(self) -> Any:
        return self.params.get("config")

    def __str__(self) -> str:
        return f"{self.file}: {self.request} {json.dumps(self.params)[:160]}"


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every single request of the form ``{"type", "params"}`` in all conversations."""
    return tuple(exchange for file in sorted(TRANSCRIPTS.glob("*.json")) for exchange in _of_file(file))


def of_file(number: str) -> tuple[Exchange, ...]:
    """The exchanges of one conversation, by its number."""
    found = tuple(exchange for exchange in exchanges() if exchange.file.startswith(f"{number}-"))
    assert found, f"no conversation {number}"
    return found


def _of_file(file: Path) -> Iterator[Exchange]:
    for step in json.loads(file.read_text(encoding="utf-8"))["steps"]:
        body = step.get("body")
        if isinstance(body, dict) and "type" in body and "status" in step:
            content = cast(Json, body)
            params = cast(Json, content.get("params") or {})
            yield Exchange(file.name, str(content["type"]), params, int(step["status"]), step.get("response"))
