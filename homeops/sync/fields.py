"""Two states of one object compared field by field, in words that show no secret.

A field that holds a secret, and each entry of an environment, is told by its name alone: nobody here knows which of
the values in an environment are secret. Long texts are counted.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from homeops.model.config.execution import Execution, execution_type
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel, LineText, Sensitive, marked
from homeops.model.graph import Resource
from homeops.secrets.masking import masked

ABSENT = "-"
"""In place of a value, where there is none."""

HIDDEN, ANOTHER = "(not shown)", "(another, not shown)"

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Field:
    """One field that differs: its path with dots, as in ``config.environment.TZ``, and both values in words."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


def changed_fields(old: Resource, new: Resource) -> tuple[Field, ...]:
    """Where two declarations of one object differ; both canonical, with names as references."""
    beside = ("description", "tags", "template", "deploy", "after")
    found = [
        _plainly(name, getattr(old, name), getattr(new, name))
        for name in beside
        if getattr(old, name) != getattr(new, name)
    ]
    return (*found, *_models("config", old.config, new.config))


def _models(path: str, old: KomodoModel, new: KomodoModel) -> Iterator[Field]:
    if type(old) is not type(new):
        yield Field(path, _type(old), _type(new))
        return
    if isinstance(old, VariableConfig) and isinstance(new, VariableConfig):
        yield from _variable(path, old, new)
        return
    secret, lines = marked(type(old), Sensitive), marked(type(old), LineText)
    for name in type(old).model_fields:
        before, after, inner = getattr(old, name), getattr(new, name), f"{path}.{name}"
        if before == after:
            continue
        if name in secret:
            yield _secret(inner, before, after)
        elif name in lines:
            yield from _entries(inner, str(before), str(after))
        else:
            yield from _values(inner, before, after)


def _values(path: str, old: object, new: object) -> Iterator[Field]:
    match old, new:
        case KomodoModel(), KomodoModel():
            yield from _models(path, old, new)
        case list(), list() if _of_models(cast(list[Any], old)) or _of_models(cast(list[Any], new)):
            yield from _items(path, cast(list[Any], old), cast(list[Any], new))
        case dict(), dict():
            before, after = cast(dict[str, Any], old), cast(dict[str, Any], new)
            for key in dict.fromkeys((*before, *after)):
                if before.get(key) != after.get(key):
                    yield _plainly(f"{path}.{key}", before.get(key), after.get(key))
        case str(), str() if _is_long(old) or _is_long(new):
            yield Field(path, _size(old), f"{_size(new)} {_turnover(old, new)}")
        case _:
            yield _plainly(path, old, new)


def _items(path: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Field]:
    for place in range(max(len(old), len(new))):
        inner = f"{path}[{place}]"
        if place >= len(old):
            yield Field(inner, ABSENT, _summary(new[place]))
        elif place >= len(new):
            yield Field(inner, _summary(old[place]), ABSENT)
        elif old[place] != new[place]:
            yield from _values(inner, old[place], new[place])


def _entries(path: str, old: str, new: str) -> Iterator[Field]:
    """Lines of ``NAME=value`` by name; without such lines that differ, the text as a whole."""
    before, after = _by_name(old), _by_name(new)
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    for name in names:
        yield _secret(f"{path}.{name}", before.get(name, ""), after.get(name, ""))
    if not names:
        yield Field(path, _size(old), f"{_size(new)} {_turnover(old, new)}")


def _by_name(text: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        stripped = line.strip()
        ends = [at for sign in "=:" if (at := stripped.find(sign)) > 0]
        if stripped and not stripped.startswith("#") and ends:
            name = stripped[: min(ends)].strip().removeprefix("- ").strip("\"' ")
            found[name] = stripped[min(ends) + 1 :].strip()
    return found


def _variable(path: str, old: VariableConfig, new: VariableConfig) -> Iterator[Field]:
    if old.value != new.value and (old.is_secret or new.is_secret):
        yield _secret(f"{path}.value", old.value, new.value)
    elif old.value != new.value:
        yield from _values(f"{path}.value", old.value, new.value)
    if old.is_secret != new.is_secret:
        yield _plainly(f"{path}.is_secret", old.is_secret, new.is_secret)


def _plainly(path: str, old: object, new: object) -> Field:
    before, after = _shown(old), _shown(new)
    # What differs may be what is masked.
    return Field(path, before, ANOTHER if after == before else after)


def _secret(path: str, old: str, new: str) -> Field:
    return Field(path, HIDDEN if old else ABSENT, (ANOTHER if old else HIDDEN) if new else ABSENT)


def _of_models(items: Sequence[Any]) -> bool:
    return any(isinstance(item, KomodoModel) for item in items)


def _summary(value: Any) -> str:
    """An item of a list that is there or not."""
    match value:
        case Execution():
            return execution_type(type(value))
        case KomodoModel():
            names = (getattr(value, name, "") for name in ("name", "path", "type"))
            execution = getattr(value, "execution", None)
            return next((str(name) for name in names if name), _type(execution or value))
        case _:
            return _shown(value)


def _type(value: KomodoModel) -> str:
    return execution_type(type(value)) if isinstance(value, Execution) else str(getattr(value, "type", type(value)))


def _shown(value: Any) -> str:
    match value:
        case None:
            return ABSENT
        case KomodoModel():
            return _shown(value.model_dump())
        case str() if _is_long(value):
            return _size(value)
        case str():
            text = json.dumps(masked(value.rstrip("\n")), ensure_ascii=False)
        case list() | tuple():
            text = f"[{', '.join(map(_shown, cast(Sequence[Any], value)))}]"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


def _is_long(text: str) -> bool:
    return "\n" in text.rstrip("\n") or len(text) > _LONGEST


def _size(text: str) -> str:
    if not text:
        return ABSENT
    lines = len(text.splitlines())
    return f"{lines} {'line' if lines == 1 else 'lines'}"


def _turnover(old: str, new: str) -> str:
    """``(+2 -1)``: lines that are new, and lines that go."""
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    added, gone = (after - before).total(), (before - after).total()
    return f"(+{added} -{gone})" if added or gone else "(in another order)"
