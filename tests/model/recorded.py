"""The recorded conversations with a real Core, as pairs of a request and its answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

TRANSCRIPTS = Path(__file__).parents[1] / "data" / "transcripts"

Json = dict[str, Any]


def as_json(value: Any) -> Json | None:
    """The value when it is a JSON object, else None."""
    return cast(Json, value) if isinstance(value, dict) else None


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    file: str
    request: str
    params: Json
    status: int
    response: Any

    @property
    def config(self) -> Json | None:
        """The configuration that the request gave, None when it gave none."""
        return as_json(self.params.get("config"))

    @property
    def stored(self) -> Json | None:
        """The configuration of the resource that was answered, None when none was, or it was not recorded."""
        answer = as_json(self.response)
        return as_json(answer.get("config")) if answer and self.status == 200 else None

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
        body = as_json(step.get("body"))
        if body and "type" in body and "status" in step:
            params = as_json(body.get("params")) or {}
            yield Exchange(file.name, str(body["type"]), params, int(step["status"]), step.get("response"))
