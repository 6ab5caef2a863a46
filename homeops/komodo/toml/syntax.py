"""TOML 1.1 as a tree that knows where everything stands.

Not tomllib, which reads TOML 1.0, stops at the first error and keeps no positions; not tomlkit, which keeps no
positions either and takes ten times as long. What Komodo reads with (crate toml 1.1) is TOML 1.1: newlines and a
last comma in inline tables. It leaves the ends of lines in texts as they are, CRLF too.

After an error reading goes on at the next line that looks like a statement, or at the next ``[[`` where it is unknown
where the mistake ends, so that one mistake hides no other.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

MANY_ERRORS = 20
"""Errors after which a text is given up."""
_DEEPEST = 80
_MOST_DIGITS = 64


class NotToml(Exception):  # noqa: N818 - named for what the text is
    """A place where the text is not TOML; ``at`` is an offset. ``endless``: where the mistake ends is unknown."""

    def __init__(self, at: int, what: str, *, endless: bool = False) -> None:
        super().__init__(what)
        self.at = at
        self.what = what
        self.endless = endless


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or a time, as it was written; no declaration of Komodo's has one."""

    text: str


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it stands: of a table's member the offset of its key."""

    at: int
    value: "str | int | float | bool | Moment | list[Node] | Table"


@dataclass(slots=True, eq=False)
class Table:
    """A table: its members in the order of the text, and what may still be added to it.

    ``manner`` is how it came to be: named only on the way to another (``path``), by a header, by dotted keys, inline.
    ``broken``: there was an error in it, and something of it was not read.
    """

    at: int
    manner: Literal["path", "header", "dotted", "inline"]
    members: dict[str, Node] = field(default_factory=dict[str, Node])
    broken: bool = False


class _Tables(list[Node]):
    """A list that further ``[[headers]]`` add to."""


_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_BLANK = re.compile(rf"(?:[ \t]|\r?\n|#[^\n\r{_CONTROL}]*+)*+")
_LINE_END = re.compile(rf"(?:#[^\n\r{_CONTROL}]*+)?+(?:\r?\n|\Z)")
_BASIC = re.compile(rf'"([^"\\\n\r{_CONTROL}]*+(?:\\.[^"\\\n\r{_CONTROL}]*+)*+)"')
_LITERAL = re.compile(rf"'([^'\n\r{_CONTROL}]*+)'")
_BASIC_BLOCK = re.compile(r'"""(?:\r?\n)?+((?:[^"\\]++|\\.|"(?!""))*+)"""("{0,2})', re.DOTALL)
_LITERAL_BLOCK = re.compile(r"'''(?:\r?\n)?+((?:[^']++|'(?!''))*+)'''('{0,2})", re.DOTALL)
_NOT_IN_BLOCK = re.compile(rf"[{_CONTROL}]|\r(?!\n)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]++")
_SPACE = re.compile(r"[ \t]*+")
_BARE = re.compile(r"[A-Za-z0-9_.+:-]++(?: \d\d:[\d:.Zz+-]++)?+")
_WHOLE = re.compile(r"[+-]?(?:0|[1-9](?:_?\d)*)")
_OTHER_BASE = re.compile(r"0x[\dA-Fa-f](?:_?[\dA-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*")
_FLOATING = re.compile(
    r"[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?|[+-]?(?:inf|nan)", re.ASCII
)
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_MOMENT = re.compile(rf"\d{{4}}-\d\d-\d\d(?:[Tt ]{_TIME}(?:[Zz]|[+-]\d\d:\d\d)?)?|{_TIME}", re.ASCII)
_NEXT_STATEMENT = re.compile(r"^[ \t]*(?:\[|[A-Za-z0-9_.-]+[ \t]*=)", re.MULTILINE)
_NEXT_DECLARATION = re.compile(r"^[ \t]*\[\[", re.MULTILINE)
_ESCAPE = re.compile(
    r"\\(?:([btnfre\"\\])|x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|([ \t]*\r?\n\s*)|(.?))",
    re.DOTALL | re.ASCII,
)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def parse(text: str) -> tuple[Table, list[NotToml]]:
    """The tree of a text, and where the text is not TOML; the tree then lacks what could not be read."""
    parser = _Parser(text)
    errors: list[NotToml] = []
    while True:
        try:
            parser.run()
        except NotToml as error:
            errors.append(error)
            parser.table.broken = True
            line_end = text.find("\n", error.at)
            pattern = _NEXT_DECLARATION if error.endless or text.startswith("[", parser.statement) else _NEXT_STATEMENT
            following = pattern.search(text, line_end + 1) if line_end >= 0 else None
            if following is None or len(errors) == MANY_ERRORS:
                return parser.root, errors
            parser.at = following.start()
        else:
            return parser.root, errors


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 1 if text.startswith("\ufeff") else 0
        self.root = self.table = Table(0, "header")
        self.statement = self.at
        self._deep = 0

    def run(self) -> None:
        """Read statements up to the end."""
        text = self.text
        while True:
            self._blank()
            if self.at >= len(text):
                return
            self.statement = self.at
            if text[self.at] == "[":
                self.table = self._header()
            else:
                self._member(self.table)
            self._space()
            end = _LINE_END.match(text, self.at)
            if end is None:
                raise NotToml(self.at, "the line should end here")
            self.at = end.end()

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _header(self) -> Table:
        start = self.at
        many = self.text.startswith("[[", start)
        brackets = "]]" if many else "]"
        self.at += len(brackets)
        keys = self._keys()
        if not self.text.startswith(brackets, self.at):
            raise NotToml(self.at, f'"{brackets}" is missing')
        self.at += len(brackets)
        table = self.root
        for key, at in keys[:-1]:
            table = self._on_the_way(table, key, at)
        key, at = keys[-1]
        there = table.members.get(key)
        if many:
            if there is None:
                there = table.members[key] = Node(start, _Tables())
            if not isinstance(there.value, _Tables):
                raise NotToml(at, f'"{key}" stands here already, as something else than [[{key}]]')
            new = Table(start, "header")
            there.value.append(Node(start, new))
            return new
        if there is None:
            there = table.members[key] = Node(start, Table(start, "path"))
        if not isinstance(there.value, Table) or there.value.manner != "path":
            raise NotToml(at, f'"{key}" stands here already')
        there.value.manner, there.value.at, there.at = "header", start, start
        return there.value

    def _on_the_way(self, table: Table, key: str, at: int) -> Table:
        there = table.members.get(key)
        if there is None:
            new = Table(at, "path")
            table.members[key] = Node(at, new)
            return new
        value = there.value[-1].value if isinstance(there.value, _Tables) else there.value
        if not isinstance(value, Table) or value.manner == "inline":
            raise NotToml(at, f'"{key}" is not a table that can be added to')
        return value

    def _keys(self) -> list[tuple[str, int]]:
        """A key, dotted perhaps: its parts with where each stands."""
        keys: list[tuple[str, int]] = []
        while True:
            self._space()
            keys.append(self._key())
            self._space()
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _space(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _key(self) -> tuple[str, int]:
        at = self.at
        found = _BARE_KEY.match(self.text, at)
        if found:
            self.at = found.end()
            return found[0], at
        quoted = _LITERAL.match(self.text, at)
        if quoted:
            self.at = quoted.end()
            return quoted[1], at
        quoted = _BASIC.match(self.text, at)
        if quoted:
            self.at = quoted.end()
            return self._unescaped(quoted[1], quoted.start(1)), at
        raise NotToml(at, "a key is missing")

    def _member(self, table: Table) -> None:
        keys = self._keys()
        if not self.text.startswith("=", self.at):
            raise NotToml(self.at, '"=" is missing after the key')
        self.at += 1
        self._space()
        for key, at in keys[:-1]:
            there = table.members.get(key)
            if there is None:
                there = table.members[key] = Node(at, Table(at, "dotted"))
            if not isinstance(there.value, Table) or there.value.manner != "dotted":
                raise NotToml(at, f'"{key}" stands here already')
            table = there.value
        key, at = keys[-1]
        if key in table.members:
            raise NotToml(at, f'"{key}" stands here twice')
        # The node of a list or table carries the key's place, not that of its bracket.
        table.members[key] = Node(at, self._value().value)

    def _value(self) -> Node:
        text, at = self.text, self.at
        match text[at : at + 1]:
            case '"':
                return Node(at, self._basic())
            case "'":
                return Node(at, self._literal())
            case "[":
                return self._nested(at, self._list)
            case "{":
                return self._nested(at, self._inline_table)
            case _:
                return Node(at, self._bare())

    def _nested(self, at: int, read: Callable[[], "list[Node] | Table"]) -> Node:
        self._deep += 1
        if self._deep > _DEEPEST:
            self._deep = 0
            raise NotToml(at, f"lists and tables are nested more than {_DEEPEST} deep")
        try:
            return Node(at, read())
        finally:
            self._deep = max(0, self._deep - 1)

    def _list(self) -> list[Node]:
        start = self.at
        self.at += 1
        values: list[Node] = []
        while True:
            self._blank()
            if self.text.startswith("]", self.at):
                self.at += 1
                return values
            self._more(start, "list")
            values.append(self._value())
            self._comma(start, "]", "list")

    def _inline_table(self) -> Table:
        start = self.at
        self.at += 1
        table = Table(start, "inline")
        while True:
            self._blank()
            if self.text.startswith("}", self.at):
                self.at += 1
                return table
            self._more(start, "table")
            self._member(table)
            self._comma(start, "}", "table")

    def _more(self, start: int, what: str) -> None:
        if self.at >= len(self.text):
            raise NotToml(start, f"the {what} is never closed", endless=True)

    def _comma(self, start: int, closing: str, what: str) -> None:
        self._blank()
        self._more(start, what)
        if self.text.startswith(",", self.at):
            self.at += 1
        elif not self.text.startswith(closing, self.at):
            raise NotToml(self.at, f'"," or "{closing}" is missing')

    def _basic(self) -> str:
        if not self.text.startswith('"""', self.at):
            return self._line(_BASIC)
        content, start = self._block(_BASIC_BLOCK)
        return self._unescaped(content, start)

    def _literal(self) -> str:
        return self._block(_LITERAL_BLOCK)[0] if self.text.startswith("'''", self.at) else self._line(_LITERAL)

    def _line(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise NotToml(self.at, "the text is not closed on its line")
        self.at = found.end()
        return self._unescaped(found[1], found.start(1)) if pattern is _BASIC else found[1]

    def _block(self, pattern: re.Pattern[str]) -> tuple[str, int]:
        found = pattern.match(self.text, self.at)
        if found is None:
            raise NotToml(self.at, "the text is never closed", endless=True)
        wrong = _NOT_IN_BLOCK.search(self.text, self.at, found.end())
        if wrong:
            raise NotToml(wrong.start(), f"U+{ord(wrong[0]):04X} may not stand in a text")
        self.at = found.end()
        return found[1] + found[2], found.start(1)

    def _unescaped(self, content: str, start: int) -> str:
        if "\\" not in content:
            return content

        def replace(found: re.Match[str]) -> str:
            letter, *codes, continued, _ = found.groups()
            if letter:
                return _ESCAPED[letter]
            if continued is not None:
                return ""
            code = next((int(code, 16) for code in codes if code), None)
            if code is None or code > 0x10FFFF or 0xD800 <= code < 0xE000:
                raise NotToml(start + found.start(), f"{found[0]} is not an escape of TOML; write \\\\ for a backslash")
            return chr(code)

        return _ESCAPE.sub(replace, content)

    def _bare(self) -> str | int | float | bool | Moment:
        found = _BARE.match(self.text, self.at)
        if found is None:
            raise NotToml(self.at, "a value is missing")
        word, at = found[0], self.at
        self.at = found.end()
        if word in ("true", "false"):
            return word == "true"
        if _WHOLE.fullmatch(word):
            return self._whole(word, at)
        if _OTHER_BASE.fullmatch(word):
            return int(word.replace("_", ""), 0)
        if _FLOATING.fullmatch(word):
            return float(word)
        if _MOMENT.fullmatch(word):
            return Moment(word)
        raise NotToml(at, f"{word} is not a value; a text stands in quotes")

    def _whole(self, word: str, at: int) -> int:
        if len(word) > _MOST_DIGITS:
            raise NotToml(at, "the number is too long")
        return int(word)
