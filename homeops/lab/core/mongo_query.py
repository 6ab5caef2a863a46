"""The part of MongoDB's query language that clients of Komodo pass through it: a filter over plain JSON documents."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

Document = Mapping[str, Any]


_JUNCTIONS = ("$and", "$or", "$nor")


class BadQueryError(ValueError):
    """An operator that the database does not know, or one with an operand of the wrong kind."""


def matching(query: Document, documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The documents that a query finds, in their order. Raises BadQueryError, also when there is nothing to search."""
    test = compiled(query)
    return [document for document in documents if test(document)]


def compiled(query: Document) -> Callable[[Document], bool]:
    """The test that a query stands for; all its conditions must hold. Raises BadQueryError."""
    tests = [_condition(key, wanted) for key, wanted in query.items()]
    return lambda document: all(test(document) for test in tests)


def _condition(key: str, wanted: Any) -> Callable[[Document], bool]:
    if key in _JUNCTIONS:
        if not isinstance(wanted, list) or not wanted:
            raise BadQueryError(f"{key} must be an array")
        parts = [compiled(_as_query(part)) for part in cast(list[Any], wanted)]
        if key == "$and":
            return lambda document: all(part(document) for part in parts)
        if key == "$or":
            return lambda document: any(part(document) for part in parts)
        return lambda document: not any(part(document) for part in parts)
    if key.startswith("$"):
        raise BadQueryError(f"unknown top level operator: {key}")
    path = key.split(".")
    test = _field(wanted)
    return lambda document: test(_values(document, path))


def _as_query(part: Any) -> Document:
    if not isinstance(part, dict):
        raise BadQueryError("$or/$and/$nor entries need to be full objects")
    return cast(dict[str, Any], part)


_Test = Callable[[list[Any]], bool]
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def _field(wanted: Any) -> _Test:
    if isinstance(wanted, dict) and any(key.startswith("$") for key in cast(dict[str, Any], wanted)):
        operators = cast(dict[str, Any], wanted)
        if "$oid" in operators:
            return _equals(operators)
        return _all([_operator(name, operand, operators) for name, operand in operators.items()])
    return _equals(wanted)


def _all(tests: list[_Test]) -> _Test:
    return lambda values: all(test(values) for test in tests)


def _not(test: _Test) -> _Test:
    return lambda values: not test(values)


def _equals(wanted: Any) -> _Test:
    if wanted is None:
        return lambda values: not values or any(_same(value, None) for value in values)
    return lambda values: any(_same(value, wanted) for value in values)


def _operator(name: str, operand: Any, beside: Document) -> _Test:
    match name:
        case "$eq":
            return _equals(operand)
        case "$ne":
            return _not(_equals(operand))
        case "$in" | "$nin":
            if not isinstance(operand, list):
                raise BadQueryError(f"{name} needs an array")
            tests = [_equals(item) for item in cast(list[Any], operand)]
            found: _Test = lambda values: any(test(values) for test in tests)  # noqa: E731 - one line says it
            return found if name == "$in" else _not(found)
        case "$all":
            if not isinstance(operand, list):
                raise BadQueryError("$all needs an array")
            return _all([_equals(item) for item in cast(list[Any], operand)]) if operand else lambda _values: False
        case "$gt" | "$gte" | "$lt" | "$lte":
            compare = _COMPARISONS[name]
            return lambda values: any(_ordered(compare, value, operand) for value in values)
        case "$exists":
            return lambda values: bool(values) == bool(operand)
        case "$not":
            if not isinstance(operand, dict):
                raise BadQueryError("$not needs a regex or a document")
            return _not(_field(cast(dict[str, Any], operand)))
        case "$elemMatch":
            return _element(_as_query(operand))
        case "$size":
            return lambda values: any(_length(value) == operand for value in values)
        case "$regex":
            pattern = _pattern(operand, beside.get("$options", ""))
            return lambda values: any(isinstance(value, str) and pattern.search(value) is not None for value in values)
        case "$options":
            if "$regex" not in beside:
                raise BadQueryError("$options needs a $regex")
            return lambda _values: True
        case _:
            raise BadQueryError(f"unknown operator: {name}")


def _element(query: Document) -> _Test:
    """Whether an item of a list meets all conditions at once: on its fields, or on itself."""
    on_itself = all(key.startswith("$") and key not in _JUNCTIONS for key in query)
    meets: Callable[[Any], bool]
    if on_itself:
        test = _field(query)
        meets = lambda item: test([item])  # noqa: E731 - one line says it
    else:
        fields = compiled(query)
        meets = lambda item: isinstance(item, dict) and fields(cast(Document, item))  # noqa: E731 - the same
    return lambda values: any(
        meets(item) for value in values if isinstance(value, list) for item in cast(list[Any], value)
    )


def _length(value: Any) -> int | None:
    return len(cast(list[Any], value)) if isinstance(value, list) else None


def _pattern(operand: Any, options: Any) -> re.Pattern[str]:
    flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
    if not isinstance(operand, str) or not isinstance(options, str) or set(options) - set(flags):
        raise BadQueryError("$regex has to be a string, with options of imsx")
    try:
        return re.compile(operand, sum(flags[option] for option in set(options)))
    except re.error as error:
        raise BadQueryError(f"$regex: {error}") from error


def _values(document: Any, path: list[str]) -> list[Any]:
    """What stands at a path: the value itself and, of a list, its items; nothing where the path ends early."""
    found: list[Any] = [document]
    for part in path:
        steps: list[Any] = []
        for value in found:
            if isinstance(value, dict):
                if part in value:
                    steps.append(cast(dict[str, Any], value)[part])
            elif isinstance(value, list):
                items = cast(list[Any], value)
                if part.isdecimal() and int(part) < len(items):
                    steps.append(items[int(part)])
                steps += [cast(dict[str, Any], item)[part] for item in items if isinstance(item, dict) and part in item]
        found = steps
    return [*found, *(item for value in found if isinstance(value, list) for item in cast(list[Any], value))]


def _same(value: Any, wanted: Any) -> bool:
    """Equality as BSON has it: true is not 1, and the order of fields in an object counts."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, dict) and isinstance(wanted, dict):
        pairs = zip(cast(dict[str, Any], value).items(), cast(dict[str, Any], wanted).items(), strict=False)
        return len(cast(dict[str, Any], value)) == len(cast(dict[str, Any], wanted)) and all(
            key == other and _same(left, right) for (key, left), (other, right) in pairs
        )
    return value == wanted


def _ordered(compare: Callable[[Any, Any], bool], value: Any, operand: Any) -> bool:
    """Numbers compare with numbers and texts with texts, nothing else does."""
    for kind in (bool, int | float, str):
        if isinstance(value, kind) or isinstance(operand, kind):
            return isinstance(value, kind) and isinstance(operand, kind) and compare(value, operand)
    return False
