"""Lines that several workers wrote at the same time: their order among each other means nothing."""

import re
from collections.abc import Callable
from itertools import groupby

_WORKERS = re.compile(
    # Compose, of the containers that it makes or starts together.
    r" (?:Container|Image) \S+ (?P<step>[A-Z][a-z]+) $"
    # Procedures, of the executions of one stage.
    r"|.*>(?P<end>Finished)</span> execution in .*"
)

_WRAPPED = re.compile(r"\n      \| ")
_BETWEEN = re.compile(r"[\[\],\s]+")


def in_order(expected: str, actual: str, same: Callable[[str, str], bool]) -> str:
    """The actual text with lines of workers in the order of the expected ones, as far as each has its like."""
    wanted, rest = expected.split("\n"), actual.split("\n")
    ordered: list[str] = []
    for step, group in groupby(rest, _step):
        lines = list(group)
        for line in wanted[len(ordered) : len(ordered) + len(lines)] if step else ():
            found = next((one for one in lines if same(line, one)), None)
            if found is None:
                break
            lines.remove(found)
            ordered.append(found)
        ordered += lines
    return "\n".join(ordered)


def in_any_order(expected: str, actual: str, same: Callable[[str, str], bool]) -> str:
    """The actual text with its lines in the order of the expected ones, as far as each has its like."""
    rest = actual.split("\n")
    found: dict[int, str] = {}
    # Lines that are known word for word choose first.
    for at, line in sorted(enumerate(expected.split("\n")), key=lambda pair: "<any>" in pair[1]):
        if like := next((one for one in rest if same(line, one)), None):
            rest.remove(like)
            found[at] = like
    return "\n".join([*(found[at] for at in sorted(found)), *rest])


def same_words(expected: str, actual: str) -> bool:
    """Whether two lists have the same entries: compose hands an environment over in no order."""
    return sorted(_BETWEEN.split(expected)) == sorted(_BETWEEN.split(actual))


def unwrapped(text: str) -> str:
    """A text without the breaks that sops puts into long lines of its box: they depend on the length of paths."""
    return _WRAPPED.sub(" ", text) if "      | " in text else text


def _step(line: str) -> str | None:
    """What a line says that comes in no order; None where the order counts."""
    found = _WORKERS.match(line)
    return (found["step"] or found["end"]) if found else None
