"""Faults on demand: what a Core, a proxy before it or a network can do to a request. A real Core has none of this."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Effect = Literal[
    "status", "delay", "drop_before", "drop_after", "locked", "html", "redirect", "busy", "hangs", "hangs_done"
]


@dataclass(slots=True)
class Fault:
    """One rule. It applies to requests of ``route`` (read, write, execute, login, manage) and ``type``; None is any.

    ``target`` is the name of a resource that the request names, by name or id. ``skip`` requests pass first, then
    ``count`` are hit (None: all). Effects:

    * ``status``: answers ``status`` with the error text ``error``; nothing is done
    * ``delay``: waits ``seconds``, then goes on as usual
    * ``drop_before``: the connection ends and nothing is done
    * ``drop_after``: the request is done, its answer is lost
    * ``locked``: 429 as from Core's rate limiter
    * ``html``: 200 with a page, as a proxy in the way answers
    * ``redirect``: 302 to a login page
    * ``busy``: a write is refused, 500 ``Stack busy`` or whatever kind it changes; the Update of an execution, also of
      one that is part of another, fails with ``Resource is busy``
    * ``hangs``: an execution begins and is busy, and nothing more happens until Core begins again
    * ``hangs_done``: an execution does its work, and its Update stays in progress for ever
    """

    effect: Effect
    route: str | None = None
    type: str | None = None
    target: str | None = None
    count: int | None = None
    skip: int = 0
    status: int = 503
    error: str = "Service Unavailable"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.effect not in get_args(Effect):
            raise ValueError(f"effect: {self.effect!r} is not one of {', '.join(get_args(Effect))}")

    def hits(self, route: str, request: str, named: Collection[str]) -> bool:
        """Whether the rule applies to a request that names these resources; counts it if so."""
        if self.route not in (None, route) or self.type not in (None, request) or self.count == 0:
            return False
        if self.target is not None and self.target not in named:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


_WAY: dict[str, tuple[str, ...]] = {"busy": ("write",), "hangs": (), "hangs_done": ()}
"""What executions meet once they have begun, and on which routes a request meets it on its way."""


@dataclass(slots=True)
class Faults:
    """The rules in force; the first that applies to a request is its fault."""

    rules: list[Fault] = field(default_factory=list[Fault])

    def add(self, effect: Effect, **options: Any) -> Fault:
        """Put a rule in force, e.g. ``add("status", type="CreateStack", status=502, count=1)``."""
        fault = Fault(effect, **options)
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Take all rules away."""
        self.rules.clear()

    def of(self, route: str, request: str, named: Collection[str]) -> Fault | None:
        """The fault that a request meets on its way."""
        rules = [rule for rule in self.rules if route in _WAY.get(rule.effect, (route,))]
        return next((rule for rule in rules if rule.hits(route, request, named)), None)

    def of_execution(self, request: str, named: Collection[str]) -> Fault | None:
        """The fault that an execution meets once it has begun."""
        rules = [rule for rule in self.rules if rule.effect in _WAY]
        return next((rule for rule in rules if rule.hits("execute", request, named)), None)

    def documents(self) -> list[dict[str, Any]]:
        """The rules as JSON."""
        return [asdict(rule) for rule in self.rules]
