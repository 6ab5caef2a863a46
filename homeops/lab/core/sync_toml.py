"""The TOML that a ResourceSync reads (entities/toml.rs, sync/mod.rs): resources, variables, user groups."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from homeops.komodo.toml.dialect import escaped
from homeops.lab.core.config_schema import config_type
from homeops.lab.core.json_source import Pairs, Reader
from homeops.lab.core.json_value import ValueSource
from homeops.lab.core.misfit import Misfit
from homeops.lab.core.schema import Field, Flag, Listing, PlainValue, Struct, Text
from homeops.lab.core.state import Document
from homeops.lab.core.sync_spans import Span, find_span, parse_error
from homeops.model.kinds import KINDS, RESOURCE_KINDS


class NotDeclarations(ValueError):  # noqa: N818 - what Core says of a file, not an error of the simulator
    """A text that is not what a sync can read; the message is Core's."""


@dataclass
class Declared:
    """What files declare: resources by kind ``{name, description, template, tags, deploy, after, config}``, the rest.

    ``config`` holds only what was said.
    """

    resources: dict[str, list[Document]] = field(default_factory=lambda: {kind: [] for kind in RESOURCE_KINDS})
    variables: list[Document] = field(default_factory=list[Document])
    user_groups: list[Document] = field(default_factory=list[Document])

    def extend(self, more: "Declared", match_tags: list[str]) -> None:
        """Add what another file declares, of resources those that carry all of these tags."""
        for kind, declared in more.resources.items():
            self.resources[kind] += [one for one in declared if all(tag in one["tags"] for tag in match_tags)]
        self.variables += more.variables
        self.user_groups += more.user_groups


def read_declarations(text: str) -> Declared:
    """Read one file; raises NotDeclarations with the words of Core's TOML reader."""
    parsed = escaped(text)
    try:
        loaded = tomllib.loads(parsed)
    except tomllib.TOMLDecodeError as error:
        raise NotDeclarations(_syntax_error(parsed, str(error))) from error
    try:
        read = _file_type().read(_TomlSource(_pairs(loaded)))
    except Misfit as misfit:
        span = find_span(parsed, misfit.path)
        raise NotDeclarations(parse_error(parsed, span, misfit.text)) from misfit
    resources = {kind: cast(list[Document], read[_plural(kind)]) for kind in RESOURCE_KINDS}
    return Declared(resources, read["variables"], read["user_groups"])


def _plural(kind: str) -> str:
    return f"{KINDS[kind].table}s"


_SYNTAX = (
    (r"Expected '\]\]' at the end of an array declaration", "unclosed array table, expected `]`"),
    (r"Expected '\]' at the end of a table declaration", "unclosed table, expected `]`"),
    (r"Expected '=' after a key", "key with no value, expected `=`"),
    (r"Unclosed array", "unclosed array, expected `]`"),
    (r"Unterminated string", 'invalid basic string, expected `"`'),
    (r"Cannot overwrite a value|Cannot declare .* twice|Duplicate inline table key", "duplicate key"),
    (r"Invalid value", "string values must be quoted, expected literal string"),
)


def _syntax_error(text: str, error: str) -> str:
    said = re.match(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", error)
    offset = len(text)
    if said and said[2]:
        lines = text.split("\n")[: int(said[2]) - 1]
        offset = sum(len(line) + 1 for line in lines) + int(said[3]) - 1
    what = said[1] if said else error
    if "declaration" in what:
        # The header goes on to the end of its line.
        offset = text.find("\n", offset) if "\n" in text[offset:] else len(text)
    message = next((told for pattern, told in _SYNTAX if re.match(pattern, what)), what)
    return parse_error(text, Span(offset, offset + 1), message)


@cache
def _file_type() -> Struct:
    kinds = [
        Field(_plural(kind), Listing(_resource_type(kind)), (KINDS[kind].table,), cast(list[Any], []))
        for kind in RESOURCE_KINDS
    ]
    empty: list[Any] = []
    return Struct(
        "ResourcesToml",
        [
            *kinds,
            Field("user_groups", Listing(_USER_GROUP), ("user_group",), empty),
            Field("variables", Listing(_VARIABLE), ("variable",), empty),
        ],
    )


def _resource_type(kind: str) -> Struct:
    nothing: Document = {"type": "Url", "params": {}} if kind == "Builder" else {}
    empty: list[Any] = []
    return Struct(
        "ResourceToml",
        [
            Field("name", Text()),
            Field("description", Text(), default=""),
            Field("template", Flag(), default=False),
            Field("tags", Listing(Text()), default=empty),
            Field("deploy", Flag(), default=False),
            Field("after", Listing(Text()), default=empty),
            Field("config", config_type(kind), default=nothing),
        ],
    )


_VARIABLE = Struct(
    "Variable",
    [
        Field("name", Text()),
        Field("description", Text(), default=""),
        Field("value", Text(), default=""),
        Field("is_secret", Flag(), default=False),
    ],
)
_TARGET = Struct("ResourceTarget", [Field("type", Text()), Field("id", Text(), default="")])
_PERMISSION = Struct(
    "PermissionToml",
    [
        Field("target", _TARGET),
        Field("level", Text(), default="None"),
        Field("specific", Listing(Text()), default=cast(list[Any], [])),
    ],
)
_USER_GROUP = Struct(
    "UserGroupToml",
    [
        Field("name", Text()),
        Field("everyone", Flag(), default=False),
        Field("users", Listing(Text()), default=cast(list[Any], [])),
        Field("all", PlainValue(), default=cast(Document, {})),
        Field("permissions", Listing(_PERMISSION), ("permission",), cast(list[Any], [])),
    ],
)


def _pairs(value: Any) -> Any:
    match value:
        case dict():
            return Pairs((key, _pairs(entry)) for key, entry in cast(Document, value).items())
        case list():
            return [_pairs(entry) for entry in cast(list[Any], value)]
        case _:
            return value


class _TomlSource(ValueSource):
    """A value of a TOML file; a misfit is told where it stands."""

    def __init__(self, value: Any) -> None:
        super().__init__(value, buffered=False)

    def array(self, element: Callable[[int], Reader | None], finish: Callable[[list[Any]], Any]) -> Any:
        """Read a list."""
        values: list[Any] = []
        for index, entry in enumerate(self._value):
            reader = element(index)
            if reader is None:
                break
            values.append(_read_under(reader, entry, f"[{index}]"))
        return finish(values)

    def object(
        self, member: Callable[[str], Reader], store: Callable[[str, Any], None], finish: Callable[[], Any]
    ) -> Any:
        """Read a table."""
        for key, entry in self._value:
            store(key, _read_under(member(key), entry, key))
        return finish()


def _read_under(reader: Reader, value: Any, segment: str) -> Any:
    try:
        return reader.read(_TomlSource(value))
    except Misfit as misfit:
        misfit.under(segment)
        raise
