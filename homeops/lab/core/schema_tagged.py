"""Enums with data, as serde tags them: ``{"type": NAME, "params": ...}``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeops.lab.core.json_source import ANYTHING, Reader, Source
from homeops.lab.core.json_value import ValueSource
from homeops.lab.core.misfit import Misfit, wrong_length
from homeops.lab.core.schema import TextEnum


@dataclass(frozen=True)
class Tagged:
    """An adjacently tagged enum: ``{"type": NAME, "params": ...}``; the two keys may have other names."""

    name: str
    tags: TextEnum
    inner: Callable[[str], Reader]
    keys: tuple[str, str] = ("type", "params")

    @property
    def _expected(self) -> str:
        return f"adjacently tagged enum {self.name}"

    def read(self, source: Source) -> dict[str, Any]:
        """``{"type": canonical name, "params": value}``."""
        match source.shape():
            case "object":
                return _TaggedObject(self).read(source)
            case "array":
                return self._read_list(source)
            case _:
                return source.refuse(self._expected)

    def value(self, tag: str, inner: Any) -> dict[str, Any]:
        """The value under the keys of this enum."""
        return {self.keys[0]: tag, self.keys[1]: inner}

    def _read_list(self, source: Source) -> dict[str, Any]:
        tags: list[str] = []

        class Tag:
            def read(_self, source: Source) -> str:  # noqa: N805 - ``self`` is the enum's
                if source.shape() != "string":
                    return source.refuse("variant identifier")
                name = source.scalar()
                tags.append(source.settled(lambda: self.tags.variant(name)))
                return tags[0]

        def element(index: int) -> Reader | None:
            return Tag() if index == 0 else self.inner(tags[0]) if index == 1 else None

        def finish(values: list[Any]) -> dict[str, Any]:
            if len(values) < 2:
                raise wrong_length(len(values), self._expected)
            return self.value(values[0], values[1])

        return source.array(element, finish)


class _TaggedObject:
    """One reading of an adjacently tagged enum: the content may come before the tag, and is then kept until it."""

    def __init__(self, enum: Tagged) -> None:
        self._enum = enum
        self._tag: str | None = None
        self._early: list[Any] = []
        self._content: list[Any] = []

    def read(self, source: Source) -> dict[str, Any]:
        return source.object(self._member, self._store, self._finish)

    def _member(self, key: str) -> Reader:
        tag_key, content_key = self._enum.keys
        if key == tag_key:
            if self._tag is not None:
                raise Misfit(f"duplicate field `{tag_key}`")
            return self._enum.tags
        if key == content_key:
            if self._content or self._early:
                raise Misfit(f"duplicate field `{content_key}`")
            return ANYTHING if self._tag is None else self._enum.inner(self._tag)
        return ANYTHING

    def _store(self, key: str, value: Any) -> None:
        tag_key, content_key = self._enum.keys
        if key == tag_key:
            self._tag = value
            if self._early:
                self._content.append(self._enum.inner(value).read(ValueSource(self._early[0], buffered=True)))
        elif key == content_key:
            (self._early if self._tag is None else self._content).append(value)

    def _finish(self) -> dict[str, Any]:
        if self._tag is None:
            raise Misfit(f"missing field `{self._enum.keys[0]}`")
        if not self._content:
            raise Misfit(f"missing field `{self._enum.keys[1]}`")
        return self._enum.value(self._tag, self._content[0])
