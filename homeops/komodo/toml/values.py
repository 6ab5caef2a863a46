"""Values as Komodo reads them from TOML: each type's own rules, and what is said of a value that does not fit.

The rules are those of Core's deserialisers (client/core/rs/src/deserializers/), which the marks of the fields name.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from homeops.errors import nearest
from homeops.komodo.toml.findings import Effect, Scope
from homeops.komodo.toml.syntax import Moment, Node, Table
from homeops.model.config.version import Version
from homeops.model.fields import Number
from homeops.model.names import WHITE_SPACE


class Unfit(Exception):  # noqa: N818 - named for what the value is
    """A value that Komodo would not take; ``at`` is an offset."""

    def __init__(self, at: int, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.at = at
        self.what = what
        self.hint = hint


Read = Callable[[Node, Scope], Any]
"""Reads a value; raises Unfit, and notes in the scope what it can do without."""

_WORDS: dict[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a decimal point",
    Moment: "a date",
    Table: "a table",
}


def unfit(node: Node, needed: str, hint: str = "") -> Unfit:
    """A value of the wrong type."""
    return Unfit(node.at, f"must be {needed}, not {_WORDS.get(type(node.value), 'a list')}", hint)


def text(node: Node, _scope: Scope) -> str:
    """A text."""
    value = node.value
    if isinstance(value, str):
        return value
    hint = ""
    if isinstance(value, bool | int | float):
        shown = str(value).lower() if isinstance(value, bool) else value
        hint = f'write it in quotes: "{shown}"'
    raise unfit(node, "a text", hint)


def flag(node: Node, _scope: Scope) -> bool:
    """True or false."""
    if isinstance(node.value, bool):
        return node.value
    said = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
    plain = said.get(node.value.lower()) if isinstance(node.value, str) else None
    raise unfit(node, "true or false", f"write {plain}, without quotes" if plain else "")


_BITS = {"i32": (31, True), "i64": (63, True), "u8": (8, False), "u32": (32, False), "u64": (64, False)}


def number(rust: Literal["i32", "i64", "u8", "u32", "u64", "f32", "f64"]) -> Read:
    """A number of one of Rust's types; a whole one takes no decimal point."""
    if rust in ("f32", "f64"):
        return _floating
    bits, signed = _BITS[rust]
    least, most = (-(2**bits) if signed else 0), 2**bits - 1

    def read(node: Node, _scope: Scope) -> int:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int):
            whole = int(value) if isinstance(value, float) and value.is_integer() else None
            raise unfit(node, "a whole number", f"write {whole}" if whole is not None else _unquoted(value))
        if not least <= value <= most:
            raise Unfit(node.at, f"must be between {least} and {most}, not {value}")
        return value

    return read


def _floating(node: Node, _scope: Scope) -> float:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unfit(node, "a number", _unquoted(value))
    if not math.isfinite(value):
        raise Unfit(node.at, "must be a finite number")
    return float(value)


def _unquoted(value: object) -> str:
    return f"write {value}, without quotes" if isinstance(value, str) and re.fullmatch(r"-?[0-9.]+", value) else ""


def choice(names: Sequence[str], others: Mapping[str, str], what: str = "") -> Read:
    """One of some names; ``others`` are further spellings of them."""

    def read(node: Node, scope: Scope) -> str:
        value = text(node, scope)
        if value in names:
            return value
        if value in others:
            return others[value]
        shown = f'"{value}" is not {what or "a value that Komodo knows"}{nearest(value, names)}'
        hint = f"one of {', '.join(names)}" if len(names) <= _MOST_SHOWN else ""
        raise Unfit(node.at, shown, hint)

    return read


_MOST_SHOWN = 12


def many(item: Read) -> Read:
    """A list; what does not fit in it is noted and left out."""

    def read(node: Node, scope: Scope) -> list[Any]:
        if not isinstance(node.value, list):
            hint = "put it in brackets: [...]" if not isinstance(node.value, Table) else "write [[...]] for its header"
            raise unfit(node, "a list", hint)
        return _items(node.value, item, scope)

    return read


def one_or_many(item: Read) -> Read:
    """A list, or one table that stands for a list of one."""

    def read(node: Node, scope: Scope) -> list[Any]:
        if isinstance(node.value, Table):
            return [item(node, scope)]
        if isinstance(node.value, list):
            return _items(node.value, item, scope)
        raise unfit(node, "a list of tables")

    return read


def _items(nodes: Sequence[Node], item: Read, scope: Scope) -> list[Any]:
    items: list[Any] = []
    for number, node in enumerate(nodes, start=1):
        try:
            items.append(item(node, scope))
        except Unfit as wrong:
            what = f"item {number} of the list: {wrong.what}"
            scope.find(wrong.at, what, Effect.REJECTED, wrong.hint)
    return items


def texts(node: Node, scope: Scope) -> list[str]:
    """A list of texts, or one text that is split at commas and newlines."""
    if isinstance(node.value, list):
        return _items(node.value, text, scope)
    if isinstance(node.value, str):
        return split_texts(node.value)
    raise unfit(node, "a list of texts, or one text")


def split_texts(value: str) -> list[str]:
    """A text as a list: split at commas and newlines, trimmed, without comments and empty entries (parsers.rs)."""
    lines = (line.strip(WHITE_SPACE) for line in value.split("\n"))
    kept = (line.split(" #")[0] for line in lines if line and not line.startswith("#"))
    entries = (entry.strip(WHITE_SPACE) for line in kept for entry in line.split(","))
    return [entry for entry in entries if entry]


def lines(left: tuple[str, Read], between: str, right: str) -> Read:
    """Entries as one text, or as a list of tables with two texts each, which is written out."""

    def read(node: Node, scope: Scope) -> str:
        if isinstance(node.value, str):
            return node.value
        if not isinstance(node.value, list):
            raise unfit(node, "a text with an entry a line")
        return "".join(_items(node.value, entry, scope))

    def entry(node: Node, scope: Scope) -> str:
        name, read_left = left
        members = node.value.members if isinstance(node.value, Table) else {}
        if not {name, right} <= members.keys():
            raise Unfit(node.at, f"an entry is a table with {name} and {right}")
        return f"  {read_left(members[name], scope)}{between}{text(members[right], scope)}\n"

    return read


def version(node: Node, scope: Scope) -> Version:
    """``"1.2.3"``, or a table of the three numbers; what is missing of a text is 0, what is too much is ignored."""
    names = ("major", "minor", "patch")
    if isinstance(node.value, Table):
        members = node.value.members
        missing = [name for name in names if name not in members]
        if missing:
            raise Unfit(node.at, f"{missing[0]} is missing", 'write it as a text: "1.2.3"')
        return Version(**{name: number("i32")(members[name], scope) for name in names})
    if not isinstance(node.value, str):
        raise unfit(node, "a version", 'write it as a text: "1.2.3"')
    parts = node.value.split(".")[:3]
    if not all(re.fullmatch(r"[+-]?[0-9]{1,10}", part) and -(2**31) <= int(part) < 2**31 for part in parts):
        raise Unfit(node.at, f'"{node.value}" is not a version of numbers', 'write it as "1.2.3"')
    return Version(**dict(zip(names, map(int, parts), strict=False)))


def anything(node: Node, _scope: Scope) -> Any:
    """Any value, as plain data."""
    match node.value:
        case Table(members=members):
            return {key: anything(member, _scope) for key, member in members.items()}
        case list():
            return [anything(item, _scope) for item in node.value]
        case Moment():
            return node.value.text
        case _:
            return node.value


NUMBERS = {rust: number(rust) for rust in ("i32", "i64", "u8", "u32", "u64", "f32", "f64")}


def of_number(mark: Number) -> Read:
    """The reader of a marked number."""
    return NUMBERS[mark.rust]
