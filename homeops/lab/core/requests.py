"""The requests that Core takes: names, aliases and parameters, read from the table beside this file."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from homeops.lab.core.config_schema import config_type, execution_struct
from homeops.lab.core.dispatch import Route
from homeops.lab.core.json_source import Reader
from homeops.lab.core.komodo_types import BsonDocument, PermissionOrLevel, TextOrTexts
from homeops.lab.core.schema import (
    REQUIRED,
    Field,
    Flag,
    Listing,
    Mapping,
    Maybe,
    PlainObject,
    Struct,
    Text,
    TextEnum,
    Whole,
    plain_enum,
)
from homeops.lab.core.schema_tagged import Tagged

_TABLE = Path(__file__).with_name("requests.txt")
_HEAD = re.compile(r"(read|write|execute|login|manage|struct|enum|tagged) (.*)")
_ENUM_NAMES: dict[Route, str] = {
    "read": "ReadRequest",
    "write": "WriteRequest",
    "execute": "ExecuteRequest",
    "login": "LoginRequest",
    "manage": "ManageRequest",
}
_PRIMITIVES: dict[str, tuple[Reader, Any]] = {
    "text": (Text(), ""),
    "flag": (Flag(), False),
    "texts": (TextOrTexts(), []),
    "bson": (BsonDocument(), {}),
    "json": (PlainObject("a map"), {}),
    "toml": (PlainObject("struct ResourcesToml"), {}),
    "permission": (PermissionOrLevel(), {"level": "None", "specific": []}),
    **{rust: (Whole(rust), 0) for rust in ("u8", "u32", "u64", "i32", "i64")},
}
_PARTIALS = {
    "GitProviderAccount": {"id": Text(), "domain": Text(), "https": Flag(), "username": Text(), "token": Text()},
    "ImageRegistryAccount": {"id": Text(), "domain": Text(), "username": Text(), "token": Text()},
}


def _variant(tag: str, name: str, *fields: Field) -> Struct:
    return Struct(name, fields, expected=f"struct variant {tag}::{name}")


_TERMINAL_TARGETS = {
    variant.name: variant
    for variant in (
        _variant("TerminalTarget", "Server", Field("server", Maybe(Text()), default=None, listed=False)),
        _variant("TerminalTarget", "Container", Field("server", Text()), Field("container", Text())),
        _variant(
            "TerminalTarget",
            "Stack",
            Field("stack", Text()),
            Field("service", Maybe(Text()), default=None, listed=False),
        ),
        _variant("TerminalTarget", "Deployment", Field("deployment", Text())),
    )
}


@dataclass(frozen=True, slots=True)
class _Block:
    """One entry of the table: its first line, split, and the lines of its fields."""

    head: str
    rest: str
    lines: list[str]


@cache
def _blocks() -> list[_Block]:
    blocks = list[_Block]()
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            blocks[-1].lines.append(line.strip())
        elif found := _HEAD.fullmatch(line):
            blocks.append(_Block(found[1], found[2], []))
    return blocks


@cache
def request_type(route: Route) -> Tagged:
    """The enum of a route's requests."""
    blocks = {block.rest.split("|")[0]: block for block in _blocks() if block.head == route}
    tags = TextEnum([(name, block.rest.split("|")[1:]) for name, block in blocks.items()])
    return Tagged(_ENUM_NAMES[route], tags, lambda name: _parameters(route, name))


@cache
def _parameters(route: Route, name: str) -> Struct:
    if route == "execute":
        return execution_struct(name)
    block = next(block for block in _blocks() if block.head == route and block.rest.split("|")[0] == name)
    return Struct(name, [_field(line) for line in block.lines])


def _field(line: str) -> Field:
    names, _, rest = line.partition(": ")
    written, _, default = rest.partition(" =")
    name, *aliases = names.split("|")
    reader, usual = _type(written)
    if default.strip():
        usual = json.loads(default)
    elif " =" not in rest:
        optional = isinstance(reader, Maybe)
        return Field(name, reader, aliases, None if optional else REQUIRED, listed=False)
    return Field(name, reader, aliases, usual)


@cache
def _type(written: str) -> tuple[Reader, Any]:
    """A type by its name in the table, and its default value."""
    if written in _PRIMITIVES:
        return _PRIMITIVES[written]
    if written.endswith("?"):
        return Maybe(_type(written[:-1])[0]), None
    if written.startswith("["):
        return Listing(_type(written[1:-1])[0]), []
    if written.startswith("{"):
        return Mapping(_type(written[1:-1])[0]), {}
    form, _, name = written.partition(":")
    match form:
        case "config":
            return config_type(name), {"type": "Url", "params": {}} if name == "Builder" else {}
        case "partial":
            fields = [Field(field, Maybe(reader), (), None, listed=False) for field, reader in _PARTIALS[name].items()]
            return Struct(f"Partial{name}", fields, partial=True), {}
        case "query":
            return _query(name)
        case _:
            return _named(written)


def _query(kind: str) -> tuple[Reader, Any]:
    specific, unspecific = _type(f"{kind}QuerySpecifics")
    fields = [
        *(_field(f"{name}: texts =") for name in ("terms", "names", "tags")),
        _field("tag_behavior: TagQueryBehavior ="),
        _field("templates: TemplatesQueryBehavior ="),
        Field("specific", specific, (), unspecific),
    ]
    return Struct("ResourceQuery", fields), {field.name: field.default for field in fields}


def _named(name: str) -> tuple[Reader, Any]:
    block = next(
        block for block in _blocks() if block.head in ("struct", "enum", "tagged") and block.rest.split(" ")[0] == name
    )
    match block.head:
        case "enum":
            default, end = json.JSONDecoder().raw_decode(block.rest, len(name) + 1)
            variants: list[str | list[str]] = json.loads(block.rest[end:])
            split = [variant if isinstance(variant, list) else [variant] for variant in variants]
            return TextEnum([(variant[0], variant[1:]) for variant in split]), default
        case "tagged":
            _, content, written = block.rest.split(" ", 2)
            tags = plain_enum(*json.loads(written))
            if name == "TerminalTarget":
                return Tagged(name, tags, _TERMINAL_TARGETS.__getitem__), None
            return Tagged(name, tags, lambda _tag: Text(), ("type", content)), None
        case _:
            fields = [_field(line) for line in block.lines]
            # Core's Default of such a struct is all defaults, whether or not serde would let a field be absent.
            usual = {field.name: _default(line) for field, line in zip(fields, block.lines, strict=True)}
            return Struct(name, fields), usual


def _default(line: str) -> Any:
    return _type(line.partition(": ")[2].partition(" =")[0])[1]
