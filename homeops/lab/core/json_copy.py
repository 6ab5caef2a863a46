"""A copy of plain JSON, so that no answer shares a list or an object with what is stored."""

from typing import Any, TypeVar, cast

T = TypeVar("T")


def copied(value: T) -> T:
    """A deep copy of plain JSON; several times faster than ``copy.deepcopy``, which matters for long lists."""
    return cast(T, _copied(value))


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copied(item) for key, item in cast(dict[str, Any], value).items()}
    if type(value) is list:
        return [_copied(item) for item in cast(list[Any], value)]
    return value
