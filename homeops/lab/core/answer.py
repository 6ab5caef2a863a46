"""What Core sends back: a status, a body, and the type of the body."""

import json
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; ``content_type`` is None where Core sends neither a type nor a body."""

    status: int
    body: bytes = b""
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


def json_answer(value: Any, status: int = 200) -> Answer:
    """An answer in JSON as serde_json writes it: compact, characters beyond ASCII as they are."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Answer(status, text.encode("utf-8", "surrogatepass"), JSON)


def text_answer(text: str) -> Answer:
    """An answer in plain text."""
    return Answer(200, text.encode(), TEXT)


def error_answer(status: int, error: str, trace: list[str]) -> Answer:
    """How Core says no."""
    return json_answer({"error": error, "trace": trace}, status)


class Dropped(Exception):  # noqa: N818 - what the client sees, not an error of the simulator
    """The connection ends without an answer."""
