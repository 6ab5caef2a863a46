"""Where things stand in a TOML text, so that an error can point at them as Core's own reader does (crate toml)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

Path = tuple[str, ...]
"""The way to a value: keys, and ``[0]`` for the entries of lists."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: the offset where it begins and where it ends."""

    start: int
    end: int


@dataclass
class _Scanner:
    text: str
    spans: dict[Path, Span] = field(default_factory=dict[Path, Span])
    counts: dict[Path, int] = field(default_factory=dict[Path, int])
    at: int = 0

    def scan(self) -> None:
        table: Path = ()
        while self._blank():
            if self.text.startswith("[[", self.at):
                table = self._header("[[", "]]", many=True)
            elif self.text[self.at] == "[":
                table = self._header("[", "]", many=False)
            else:
                self._pair(table)

    def _blank(self) -> bool:
        """Pass over white space and comments; False at the end."""
        found = re.compile(r"(?:\s|#[^\n]*)*").match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at < len(self.text)

    def _header(self, opening: str, closing: str, *, many: bool) -> Path:
        start = self.at
        end = self.text.index(closing, start) + len(closing)
        keys = self._keys(self.text[start + len(opening) : end - len(closing)])
        self.at = end
        path: Path = ()
        for position, key in enumerate(keys):
            path = (*path, key)
            last = position == len(keys) - 1
            if many and last:
                self.counts[path] = self.counts.get(path, -1) + 1
            if path in self.counts:
                path = (*path, f"[{self.counts[path]}]")
        self.spans.setdefault(path, Span(start, end))
        return path

    def _keys(self, text: str) -> list[str]:
        return [part[0] or part[1] or part[2] for part in re.findall(r'"([^"]*)"|\'([^\']*)\'|([\w-]+)', text)]

    def _pair(self, table: Path) -> None:
        equals = self.text.index("=", self.at)
        path = (*table, *self._keys(self.text[self.at : equals]))
        self.at = equals + 1
        self._value(path)

    def _value(self, path: Path) -> None:
        self._inline_blank()
        start = self.at
        for quote in ('"""', "'''"):
            if self.text.startswith(quote, start):
                self.at = self.text.index(quote, start + 3) + 3
                self.spans[path] = Span(start, self.at)
                return
        match self.text[start]:
            case '"' | "'" as quote:
                pattern = r'"(?:[^"\\]|\\.)*"' if quote == '"' else r"'[^']*'"
                found = re.compile(pattern).match(self.text, start)
                self.at = found.end() if found else len(self.text)
            case "[":
                self._list(path)
            case "{":
                self._table(path)
            case _:
                found = re.compile(r"[^,\]\}\n#]*").match(self.text, start)
                self.at = found.end() if found else len(self.text)
                self.spans[path] = Span(start, start + len(self.text[start : self.at].rstrip()))
                return
        self.spans[path] = Span(start, self.at)

    def _inline_blank(self) -> None:
        found = re.compile(r"(?:\s|#[^\n]*)*").match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _list(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._inline_blank()
            if self.text[self.at] == "]":
                self.at += 1
                return
            self._value((*path, f"[{index}]"))
            index += 1
            self._inline_blank()
            self.at += self.text[self.at] == ","

    def _table(self, path: Path) -> None:
        self.at += 1
        while True:
            self._inline_blank()
            if self.text[self.at] == "}":
                self.at += 1
                return
            self._pair(path)
            self._inline_blank()
            self.at += self.text[self.at] == ","


def find_span(text: str, path: Sequence[str]) -> Span:
    """The piece of a text that a path means, or the nearest that is around it; the text must be valid TOML."""
    scanner = _Scanner(text)
    try:
        scanner.scan()
    except (ValueError, IndexError):
        return Span(0, 0)
    wanted = tuple(path)
    while wanted and wanted not in scanner.spans:
        wanted = wanted[:-1]
    return scanner.spans.get(wanted, Span(0, 0))


def parse_error(text: str, span: Span, message: str) -> str:
    """An error as the toml crate shows it: place, line, marks, message."""
    before = text[: span.start]
    line, column = before.count("\n") + 1, span.start - (before.rfind("\n") + 1)
    lines = text.split("\n")
    shown = lines[line - 1] if line <= len(lines) else ""
    marks = max(1, min(span.end - span.start, len(shown) - column))
    margin = " " * len(str(line))
    return (
        f"TOML parse error at line {line}, column {column + 1}\n"
        f"{margin} |\n{line} | {shown}\n{margin} | {' ' * column}{'^' * marks}\n{message}\n"
    )
