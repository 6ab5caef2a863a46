"""Where in the program something was declared."""

import inspect
from dataclasses import dataclass
from pathlib import Path

_OWN = str(Path(__file__).parent)


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
        file = frame.f_code.co_filename
        if not file.startswith(_OWN) and "pydantic" not in file:
            path = Path(file)
            here = Path.cwd()
            return Place(str(path.relative_to(here)) if path.is_relative_to(here) else path.name, frame.f_lineno)
        frame = frame.f_back
    return Place()
