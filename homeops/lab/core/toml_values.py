"""Komodo's own dialect of TOML, as Core writes it (crate toml_pretty 2.0.0): one flat table, dotted keys for nesting.

What it writes is not always TOML: quotes in one-line texts are escaped but backslashes are not, and a text with
newlines stands between triple quotes just as it is.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

INLINE_LIMIT = 30
"""A list is broken over lines when its entries together have more bytes than this."""


def table_text(values: Mapping[str, Any], *, keep_empty: bool = False, inline: bool = False) -> str:
    """The lines of one table. Null and empty texts are left out; so are empty objects unless ``keep_empty``.

    ``inline``: no list is broken. A first entry that is left out still costs an empty line.
    """
    text = ""
    for position, (key, value) in enumerate(_flat(values, "", keep_empty)):
        if value is None or value == "":
            continue
        text += "\n" if position else ""
        text += f"{key} = {_value_text(value, keep_empty, inline)}"
    return text


def _flat(values: Mapping[str, Any], prefix: str, keep_empty: bool) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if not isinstance(value, dict):
            yield prefix + key, value
        elif value:
            yield from _flat(cast(Mapping[str, Any], value), f"{prefix}{key}.", keep_empty)
        elif keep_empty:
            yield prefix + key, value


def _value_text(value: Any, keep_empty: bool, inline: bool) -> str:
    match value:
        case str() if "\n" in value:
            return f'"""\n{value}"""'
        case []:
            return "[]"
        case list():
            entries = [
                _entry_text(entry, keep_empty) for entry in cast(list[Any], value) if entry is not None and entry != ""
            ]
            if inline or sum(len(entry.encode()) for entry in entries) <= INLINE_LIMIT:
                return f"[{', '.join(entries)}]"
            return "[\n  " + ",\n  ".join(entries) + "\n]"
        case {}:
            return "{}"
        case _:
            return _scalar_text(value)


def _entry_text(entry: Any, keep_empty: bool) -> str:
    match entry:
        case dict():
            return _inline_table(cast(Mapping[str, Any], entry), keep_empty)
        case list():
            return (
                "["
                + ", ".join(_entry_text(inner, keep_empty) for inner in cast(list[Any], entry) if inner is not None)
                + "]"
            )
        case _:
            return _scalar_text(entry)


def _inline_table(values: Mapping[str, Any], keep_empty: bool) -> str:
    """``{ a = 1, b = 2 }``: the lines of the table joined; blanks around any `` = ``, also inside texts, are lost."""
    pieces = [piece.strip() for piece in table_text(values, keep_empty=keep_empty, inline=True).split(" = ")]
    joined: list[str] = []
    for piece in pieces:
        value, newline, next_key = piece.rpartition("\n")
        joined.append(f"{value.strip()}, {next_key.strip()}" if newline else piece)
    return f"{{ {' = '.join(joined)} }}"


def _scalar_text(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, float):
        return repr(value).replace("e+", "e")
    return json.dumps(value)
