"""Figures: what was measured, in which unit, and what it should be at most."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; ``goal`` is its upper bound, None where it is only printed."""

    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met; a figure without one always is."""
        return self.goal is None or self.value <= self.goal


def show(figures: list[Figure]) -> None:
    """The figures as a table."""
    table = Table("figure", "value", "unit", "goal", "", box=None)
    for figure in figures:
        goal = "" if figure.goal is None else f"<= {figure.goal:g}"
        mark = "" if figure.goal is None else ("ok" if figure.met else "MISSED")
        table.add_row(figure.name, f"{figure.value:g}", figure.unit, goal, mark)
    Console().print(table)


def write(figures: list[Figure], path: Path) -> None:
    """The figures as JSON: a list of ``{name, value, unit, goal}``."""
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n", encoding="utf-8")
