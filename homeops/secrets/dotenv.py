r"""How a value is written in a dotenv file so that what reads the file gets that value. Pure.

Two readers, as compose names them in ``env_file``: ``raw`` takes what stands after ``=`` as it is; without a format,
compose takes quotes away, ends escapes and fills in variables (compose-go, dotenv/parser.go). sops keeps a text of one
line, whatever it is, except that it cannot tell a line end in a value from a backslash and an ``n``.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

Reading = Literal["compose", "raw"]

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""The names that every reader takes."""

METADATA = "sops_"
"""How the keys begin that sops adds."""

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_NOT_IN_SINGLE_QUOTES = ("'", "\\", "\n", "\r")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "$": "\\$", "\n": "\\n", "\r": "\\r"}
_ESCAPE = re.compile(r"\\(0[0-7]{0,3}|[abcfnrtv$\"\\])")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_TEMPLATE = re.compile(r"\$\$|\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+][^{}]*)?\}|\$(?!\{)|(\$\{)")


def written(value: str, readings: Iterable[Reading]) -> str:
    """The text after ``KEY=`` that every reader takes for ``value``; raises ValueError, without it, where none is."""
    wanted = set(readings)
    if "\0" in value:
        raise ValueError("no environment variable holds a NUL character")
    text = value if wanted == {"raw"} or _PLAIN.fullmatch(value) else _quoted(value)
    if "raw" in wanted and any(end in value for end in "\r\n"):
        raise ValueError("it has several lines, and a compose file reads the file with `format: raw`, line by line")
    if any(read(text, reading) != value for reading in wanted):
        raise ValueError("it needs quotes, and one compose file reads the file with `format: raw`, another without")
    return text


def read(text: str, reading: Reading) -> str:
    """What a reader takes the text after ``KEY=`` for; variables that it would fill in are left as they are."""
    if reading == "raw":
        return text
    text = text.lstrip(" \t")
    quote = text[:1]
    if quote not in ("'", '"') or not quote:
        return text.partition(" #")[0].rstrip().replace("$$", "$")
    inner = re.match(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", text, re.DOTALL)
    if inner is None:
        return text
    if quote == "'":
        return inner[1].replace("\\'", "'")
    return _ESCAPE.sub(lambda match: _unescaped(match[1]), inner[1]).replace("$$", "$")


def lines(text: str) -> dict[str, str]:
    """Key to the text after ``=``, of a decrypted file; of a key that stands there twice, the last, which counts."""
    entries = (line.partition("=") for line in text.split("\n") if line and not line.startswith("#"))
    return {key: value.removesuffix("\r") for key, equals, value in entries if equals}


def refusals(text: str) -> Iterator[tuple[int, str]]:
    """What of a plain file sops would lose, change or not read: number of the line, and what is wrong with it."""
    first: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if "\r" in line:
            yield number, "ends in CR LF: the CR would become part of the value"
        if not line.strip():
            if line:
                yield number, "is blank and not empty"
            continue
        if line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals:
            yield number, "is neither KEY=VALUE nor a comment; in a dotenv file of sops a value is one line"
        elif not KEY.fullmatch(key):
            yield number, "its key is no name: letters, digits and _, and nothing around it"
        elif key.startswith(METADATA):
            yield number, f"its key begins with {METADATA}, as what sops adds does"
        elif key in first:
            yield number, f"{key} stands in line {first[key]} already"
        elif value[:1] in ("'", '"') and not re.match(rf"{value[0]}(?:[^{value[0]}\\]|\\.)*{value[0]}", value):
            yield number, "its quote is not closed in the line; in a dotenv file of sops a value is one line"
        first.setdefault(key, number)


def refused_key(key: str) -> str:
    """Why a key cannot be set; empty when it can."""
    if not KEY.fullmatch(key):
        return "is no name of a variable: letters, digits and _"
    return f"begins with {METADATA}, as what sops adds does" if key.startswith(METADATA) else ""


def stops_compose(text: str) -> bool:
    """Whether compose ends with an error where it reads the text for its own variables (``.env`` beside the file)."""
    text = text.lstrip(" \t")
    if text[:1] in ("'", '"'):
        return not re.fullmatch(rf"{text[0]}(?:[^{text[0]}\\]|\\.)*{text[0]}\s*(?: #.*)?", text)
    return any(match[1] for match in _TEMPLATE.finditer(text))


def _quoted(value: str) -> str:
    if not any(mark in value for mark in _NOT_IN_SINGLE_QUOTES):
        return f"'{value}'"
    return '"' + "".join(_ESCAPES.get(character, character) for character in value) + '"'


def _unescaped(escape: str) -> str:
    if escape == "$":
        return "$$"
    if escape.startswith("0"):
        return chr(int(escape, 8))
    return _ESCAPED.get(escape, escape)
