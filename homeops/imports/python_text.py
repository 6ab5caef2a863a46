"""Values as Python source, laid out as ``ruff format`` would: nothing of it is changed by the formatter."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from homeops.model.config.procedure import ProcedureStage
from homeops.model.fields import KomodoModel
from homeops.model.wire import defaults

WIDTH = 120
INDENT = 4
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True)
class Code:
    """Source that stands as it is, such as the name of a variable."""

    text: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One entry between brackets: ``before`` is ``key=``, ``"key": `` or nothing; comments stand above it."""

    value: Any
    before: str = ""
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call. ``spread``: one argument a line even where all of them fit on one."""

    name: str
    arguments: Sequence[Argument]
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Members:
    """A tuple; of several declarations each gets a line."""

    arguments: Sequence[Argument]


@dataclass(slots=True)
class Imports:
    """The names that a module needs, by the module they come from."""

    names: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def add(self, module: str, name: str) -> None:
        """Note a name."""
        self.names.setdefault(module, set()).add(name)

    def add_class(self, shape: type) -> str:
        """Note a class of homeops; its name."""
        self.add(shape.__module__, shape.__name__)
        return shape.__name__

    def text(self) -> str:
        """The statements, in the order of isort: homeops first, then those of the package itself."""
        own = sorted((module for module in self.names if module.startswith(".")), key=_relative)
        others = sorted((module for module in self.names if not module.startswith(".")), key=_natural)
        blocks = ("\n".join(self._statement(module) for module in modules) for modules in (others, own) if modules)
        return "\n\n".join(blocks)

    def _statement(self, module: str) -> str:
        names = sorted(self.names[module], key=lambda name: (_rank(name), _natural(name)))
        line = f"from {module} import {', '.join(names)}"
        if width(line) <= WIDTH:
            return line
        return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _relative(module: str) -> tuple[Any, ...]:
    dots = len(module) - len(module.lstrip("."))
    return -dots, _natural(module)


def _rank(name: str) -> int:
    """Constants, classes, everything else: as isort's order by type has them."""
    if len(name) > 1 and name.isupper():
        return 0
    return 1 if name[:1].isupper() else 2


def _natural(name: str) -> list[tuple[int, int, str]]:
    """For sorting: numbers inside a name count as numbers."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for character in f"{name}\0":
        if character.isdecimal():
            digits += character
            continue
        if digits:
            parts.append((0, int(digits), digits))
            digits = ""
        parts.append((1, 0, character))
    return parts


def width(text: str) -> int:
    """Columns of a text on a terminal, which is what a line's length is measured in."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def source(value: Any, imports: Imports, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """A value as source; ``before`` and ``after`` are the columns that its first and last line share with others."""
    flat = _flat(value, imports)
    if flat is not None and indent + before + width(flat) + after <= WIDTH:
        return flat
    match value:
        case str():
            return _long_text(value, indent, WIDTH - indent - before - after)
        case Call() | Members() | list() | dict() | KomodoModel():
            return _spread(*_brackets(value, imports), imports, indent)
        case _:
            return flat or ""


def _spread(opened: str, arguments: Sequence[Argument], closed: str, imports: Imports, indent: int) -> str:
    inner = indent + INDENT
    margin = " " * inner
    lines: list[str] = [opened]
    for argument in arguments:
        lines += [f"{margin}{line}" for line in argument.comments]
        text = source(argument.value, imports, indent=inner, before=width(argument.before), after=1)
        lines.append(f"{margin}{argument.before}{text},")
    return "\n".join([*lines, f"{' ' * indent}{closed}"])


def _flat(value: Any, imports: Imports) -> str | None:
    """A value on one line; None when it stands better, or can only stand, on several."""
    match value:
        case Code():
            return value.text
        case str():
            return literal(value) if "\n" not in value.removesuffix("\n") else None
        case Call() | Members() | list() | dict() | KomodoModel():
            opened, arguments, closed = _brackets(value, imports)
            if isinstance(value, Call) and value.spread:
                return None
            if isinstance(value, Members) and arguments[1:] and isinstance(arguments[0].value, Call):
                return None
            parts: list[str] = []
            for argument in arguments:
                part = _flat(argument.value, imports)
                if part is None or argument.comments:
                    return None
                parts.append(f"{argument.before}{part}")
            last = "," if isinstance(value, Members) and len(parts) == 1 else ""
            return f"{opened}{', '.join(parts)}{last}{closed}"
        case _:
            return repr(value)


def _brackets(value: Any, imports: Imports) -> tuple[str, Sequence[Argument], str]:
    match value:
        case Call():
            return f"{value.name}(", value.arguments, ")"
        case Members():
            return "(", value.arguments, ")"
        case list():
            return "[", [Argument(item) for item in cast(list[Any], value)], "]"
        case dict():
            members = cast(dict[str, Any], value)
            return "{", [Argument(item, f"{literal(key)}: ") for key, item in members.items()], "}"
        case _:
            made = model_call(cast(KomodoModel, value), imports)
            return f"{made.name}(", made.arguments, ")"


def model_call(model: KomodoModel, imports: Imports) -> Call:
    """The call that makes a model, with the fields that differ from their defaults."""
    name = imports.add_class(type(model))
    return Call(name, list(keywords(model)))


def stage_call(stage: ProcedureStage, imports: Imports) -> Call | ProcedureStage:
    """``stage("name", RunBuild(...), ...)``; the stage itself where one of its executions is off: no call says that."""
    if not all(row.enabled for row in stage.executions):
        return stage
    imports.add("homeops.model.resources", "stage")
    executions = [Argument(row.execution) for row in stage.executions]
    return Call("stage", [Argument(stage.name), *executions, *([] if stage.enabled else [Argument(False, "enabled=")])])


def keywords(model: KomodoModel) -> Iterator[Argument]:
    """The fields of a model that differ from their defaults, as keywords."""
    default = defaults(type(model))
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name in default and default[name] == value:
            continue
        yield Argument(value, f"{name}=")


def literal(text: str) -> str:
    """A text on one line, in the quotes that need the fewest escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return f"{quote}{_escaped(text, quote)}{quote}"


def _escaped(text: str, quote: str) -> str:
    return "".join(_escape(character, quote) for character in text)


def _escape(character: str, quote: str) -> str:
    if character == quote:
        return f"\\{quote}"
    if found := _ESCAPES.get(character):
        return found
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _long_text(text: str, indent: int, room: int) -> str:
    """A text of several lines between ``\"\"\"`` where it reads the same there, else a literal a line."""
    several = "\n" in text.removesuffix("\n")
    if several and _reads_as_block(text):
        return f'"""\\\n{text.replace(chr(92), chr(92) * 2)}"""'
    whole = literal(text)
    if not several or width(whole) <= room:
        return whole
    *lines, last = text.split("\n")
    pieces = [*(f"{line}\n" for line in lines), *([last] if last else [])]
    margin = " " * (indent + INDENT)
    return "(\n" + "".join(f"{margin}{literal(piece)}\n" for piece in pieces) + f"{' ' * indent})"


def _reads_as_block(text: str) -> bool:
    if '"""' in text or text.endswith('"'):
        return False
    return all(line == line.rstrip() and line.isprintable() for line in text.split("\n"))
