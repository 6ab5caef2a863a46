"""Why a deploy is due: the inputs of a Deploy beside those under which its stack was deployed last. Names only.

Standard library only: the program's process looks at this too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_MARKS = {"added": " (new)", "changed": "", "removed": " (gone)"}


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the fingerprint that differs, e.g. ``env TZ``."""

    part: str
    how: Literal["added", "changed", "removed"]

    def __str__(self) -> str:
        return f"{self.part}{_MARKS[self.how]}"


@dataclass(frozen=True, slots=True)
class Due:
    """What makes a deploy due; true when it is. ``moved_from``: the host that the stack leaves, empty when it stays."""

    first: bool = False
    moved_from: str = ""
    moved_to: str = ""
    changes: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return self.first or bool(self.moved_from or self.changes)

    def words(self) -> list[str]:
        """Each reason in words."""
        if self.first:
            return ["first deploy"]
        moves = [f"it moves from {self.moved_from} to {self.moved_to}"] if self.moved_from else []
        return [*moves, *map(str, self.changes)]


def due(olds: Mapping[str, Any] | None, news: Mapping[str, Any]) -> Due:
    """``olds`` is what the state has of the last deploy, None when it has none; another name of the host is no move."""
    if olds is None:
        return Due(first=True)
    before: Mapping[str, str] = olds.get("fingerprint") or {}
    after: Mapping[str, str] = news["fingerprint"]
    # In order of their names: what comes through the engine comes in no order.
    changes = [Change(part, "added") for part in sorted(after) if part not in before]
    changes += [Change(part, "changed") for part in sorted(after) if part in before and before[part] != after[part]]
    changes += [Change(part, "removed") for part in sorted(before) if part not in after]
    left, host = str(olds.get("server") or ""), str(news["server"])
    moved_from = "" if left in (host, news.get("formerServer")) else left
    return Due(moved_from=moved_from, moved_to=host if moved_from else "", changes=tuple(changes))
