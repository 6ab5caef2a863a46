"""``$NAME`` and ``${NAME...}`` in the texts of a compose file (compose-spec, "Interpolation")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Scans on after the name, so a name inside another's default is found too: ${A:-${B}}. A dollar sign that begins
# neither form is an ordinary character.
_VARIABLE = re.compile(
    r"""\$(?:
        (?P<escaped>\$)
      | \{(?P<braced>[_a-zA-Z][_a-zA-Z0-9]*)(?P<operator>:?[-?+]|(?=\}))
      | (?P<plain>[_a-zA-Z][_a-zA-Z0-9]*)
      | (?P<invalid>\{)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A variable that compose fills in.

    ``operator`` is what follows the name: ``""`` (a missing value becomes an empty text, with a warning), ``:?`` and
    ``?`` (a missing value is an error), ``:-`` and ``-`` (a default), ``:+`` and ``+`` (an alternative).
    """

    name: str
    operator: str
    line: int

    @property
    def required(self) -> bool:
        """Whether compose refuses to go on without the variable."""
        return self.operator in ("?", ":?")

    @property
    def optional(self) -> bool:
        """Whether the file says what happens without the variable."""
        return self.operator in ("-", ":-", "+", ":+")


def interpolations(text: str, line: int) -> Iterator[Interpolation]:
    """Every variable of a text, in order. Raises ``ValueError`` for braces that compose refuses."""
    for match in _VARIABLE.finditer(text):
        if match["invalid"]:
            raise ValueError(f"compose knows no such form: {text[match.start() :].split('}')[0]}}}")
        if match["braced"] and _end_of_braces(text, match.end()) is None:
            raise ValueError(f"${{{match['braced']} is not closed")
        if name := match["braced"] or match["plain"]:
            yield Interpolation(name, match["operator"] or "", line)


def without_interpolations(text: str) -> str:
    """The text with every variable replaced by one ``X``, for telling apart what stands around them."""
    out: list[str] = []
    at = 0
    while match := _VARIABLE.search(text, at):
        out += [text[at : match.start()], "$" if match["escaped"] else "X"]
        at = match.end()
        if match["braced"]:
            at = _end_of_braces(text, at) or len(text)
    return "".join((*out, text[at:]))


def _end_of_braces(text: str, at: int) -> int | None:
    """Where the braces end that are open before ``at``; None when they do not."""
    depth = 1
    for brace in re.compile(r"\$\{|\}").finditer(text, at):
        depth += 1 if brace[0] == "${" else -1
        if depth == 0:
            return brace.end()
    return None
