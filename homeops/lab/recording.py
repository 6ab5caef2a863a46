"""Recorded conversations: their placeholders, and whether an answer is the one that was recorded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from homeops.lab.recorded_lines import in_order, unwrapped

_PLACEHOLDER = re.compile(
    r"<(?P<kind>id|ID|key|secret|jwt|pubkey|hash|digest)(?P<number>:\d+)?>|<(?P<plain>ts|any|periphery|dir)>"
)
_PATTERNS = {
    "id": r"[0-9a-f]{24}",
    "ID": r"[0-9A-F]{24}",
    "key": r"[\w.+/=-]+",
    "secret": r"[\w.+/=-]+",
    "jwt": r"[\w.-]+",
    "pubkey": r"[\w.+/=-]+",
    "hash": r"[0-9a-f]{7,40}",
    "digest": r"(?:sha256:)?[0-9a-f]{12,64}",
    "ts": r"\d+",
    "any": r".*?",
    "periphery": r"\S+?",
    "dir": r"\S+?",
}

_UNORDERED = frozenset({"pending_deploys", "resource_updates", "latest_services", "deployed_services"})
"""Lists that Core makes of hash maps: their order means nothing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer is not the recorded one."""

    where: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected!r}, got {self.actual!r}"


@dataclass
class Bindings:
    """What each placeholder stands for; one binds where it is first seen in an answer."""

    values: dict[str, str] = field(default_factory=dict[str, str])

    def fill(self, value: Any) -> Any:
        """A request with its placeholders replaced; an unbound one stays as it is."""
        match value:
            case str():
                return _PLACEHOLDER.sub(lambda found: self._known(found) or found[0], value)
            case list():
                return [self.fill(entry) for entry in cast(list[Any], value)]
            case dict():
                return {self.fill(name): self.fill(entry) for name, entry in cast(dict[str, Any], value).items()}
            case _:
                return value

    def differences(self, expected: Any, actual: Any, where: str = "response") -> Iterator[Difference]:
        """Every place where ``actual`` is not what was recorded; binds placeholders on the way."""
        match expected:
            case str():
                if not self._same_text(expected, actual):
                    yield Difference(where, self.fill(expected), actual)
            case dict() if isinstance(actual, dict):
                yield from self._dict_differences(cast(dict[str, Any], expected), cast(dict[str, Any], actual), where)
            case list() if isinstance(actual, list):
                yield from self._list_differences(cast(list[Any], expected), cast(list[Any], actual), where)
            case _:
                if type(expected) is not type(actual) or expected != actual:
                    yield Difference(where, expected, actual)

    def _list_differences(self, expected: list[Any], actual: list[Any], where: str) -> Iterator[Difference]:
        if len(expected) != len(actual):
            yield Difference(f"{where}.length", len(expected), len(actual))
        for index, (left, right) in enumerate(zip(expected, actual, strict=False)):
            yield from self.differences(left, right, f"{where}[{index}]")

    def _dict_differences(self, expected: dict[str, Any], actual: dict[str, Any], where: str) -> Iterator[Difference]:
        rest = dict(actual)
        for name, value in expected.items():
            found = next((key for key in (self.fill(name), *rest) if key in rest and self._same_text(name, key)), None)
            if found is None:
                yield Difference(f"{where}.{name}", value, "(absent)")
            else:
                entry = rest.pop(found)
                if name in _UNORDERED and isinstance(value, list) and isinstance(entry, list):
                    entry = self._in_order(cast(list[Any], value), cast(list[Any], entry))
                yield from self.differences(value, entry, f"{where}.{name}")
        for name, value in rest.items():
            yield Difference(f"{where}.{name}", "(absent)", value)

    def _in_order(self, expected: list[Any], actual: list[Any]) -> list[Any]:
        """The actual entries in the order of those expected, as far as each has its like."""
        ordered, rest = list[Any](), list(actual)
        for entry in expected:
            before = dict(self.values)
            for candidate in rest:
                self.values = dict(before)
                if not list(self.differences(entry, candidate)):
                    ordered.append(candidate)
                    rest.remove(candidate)
                    break
            else:
                self.values = before
                return actual
        return [*ordered, *rest]

    def _same_text(self, expected: str, actual: Any) -> bool:
        whole = _PLACEHOLDER.fullmatch(expected)
        if whole is not None and whole["plain"] == "any":
            return True
        if whole is not None and whole["plain"] == "ts":
            return isinstance(actual, int) and not isinstance(actual, bool)
        if not isinstance(actual, str):
            return False
        expected, actual = unwrapped(expected), unwrapped(actual)
        if whole is None and "<" not in expected:
            return expected == in_order(expected, actual, str.__eq__)
        return self._bind(expected, actual) or ("\n" in expected and self._bind_lines(expected, actual))

    def same_line(self, expected: str, actual: str) -> bool:
        """Whether a line is the recorded one; binds placeholders."""
        return self._same_text(expected, actual)

    def _bind_lines(self, expected: str, actual: str) -> bool:
        """Bind with those lines in the recorded order that come in any."""
        before = dict(self.values)
        if self._bind(expected, in_order(expected, actual, self._bind)):
            return True
        self.values = before
        return False

    def _bind(self, expected: str, actual: str) -> bool:
        pattern, end, names = "", 0, dict[str, str]()
        for found in _PLACEHOLDER.finditer(expected):
            pattern += re.escape(expected[end : found.start()])
            end = found.end()
            name = _name(found)
            known = None if name == "jwt" else self._known(found)
            if known is not None:
                pattern += re.escape(known)
            elif name in names:
                pattern += f"(?P={names[name]})"
            else:
                group = f"p{len(names)}"
                kind = found["kind"] or found["plain"]
                bound = found["plain"] is None or found["plain"] not in ("ts", "any")
                pattern += f"(?P<{group}>{_PATTERNS[kind]})" if bound else f"(?:{_PATTERNS[kind]})"
                if bound:
                    names[name] = group
        result = re.fullmatch(pattern + re.escape(expected[end:]), actual, re.DOTALL)
        if result is None:
            return False
        for name, group in names.items():
            self.values[name] = result[group].lower() if name.startswith("id:") else result[group]
        return True

    def _known(self, found: re.Match[str]) -> str | None:
        value = self.values.get(_name(found))
        return value.upper() if value is not None and found["kind"] == "ID" else value


def _name(found: re.Match[str]) -> str:
    """Under which name a placeholder binds: an id in upper case is the same id."""
    kind = "id" if found["kind"] == "ID" else found["kind"] or found["plain"]
    return f"{kind}{found['number'] or ''}"
