"""Where in the program something was declared."""

import inspect
from dataclasses import dataclass
from pathlib import Path

_NOT_A_PERSON = (str(Path(__file__).parent), "pydantic")


@dataclass(frozen=True, slots=True)
class Place:
    """A file and line, written ``homeops/fleet/stacks.py:12``; empty when unknown."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


def declaration_place() -> Place:
    """The nearest caller outside the model and pydantic: the line that a person wrote."""
    frame = inspect.currentframe()
    while frame is not None:
        if place := place_of(frame.f_code.co_filename, frame.f_lineno):
            return place
        frame = frame.f_back
    return Place()


def place_of(file: str, line: int) -> Place | None:
    """The place of a line that a person wrote, relative to the current directory; None for one of the model's own."""
    if any(part in file for part in _NOT_A_PERSON):
        return None
    path, here = Path(file), Path.cwd()
    return Place(str(path.relative_to(here)) if path.is_relative_to(here) else path.name, line)
