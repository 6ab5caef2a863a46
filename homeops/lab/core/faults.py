"""Faults on demand: what a Core, a proxy before it or a network can do to a request. A real Core has none of this."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Effect = Literal["status", "delay", "drop_before", "drop_after", "locked", "html", "redirect", "busy"]


@dataclass(slots=True)
class Fault:
    """One rule. It applies to requests of ``route`` (read, write, execute, login, manage) and ``type``; None is any.

    ``skip`` requests pass first, then ``count`` are hit (None: all). Effects:

    * ``status``: answers ``status`` with the error text ``error``; nothing is done
    * ``delay``: waits ``seconds``, then goes on as usual
    * ``drop_before``: the connection ends and nothing is done
    * ``drop_after``: the request is done, its answer is lost
    * ``locked``: 429 as from Core's rate limiter
    * ``html``: 200 with a page, as a proxy in the way answers
    * ``redirect``: 302 to a login page
    * ``busy``: 500 ``Stack busy``, or whatever kind a write changes
    """

    effect: Effect
    route: str | None = None
    type: str | None = None
    count: int | None = None
    skip: int = 0
    status: int = 503
    error: str = "Service Unavailable"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.effect not in get_args(Effect):
            raise ValueError(f"effect: {self.effect!r} is not one of {', '.join(get_args(Effect))}")

    def hits(self, route: str, request: str) -> bool:
        """Whether the rule applies to this request; counts it if so."""
        if self.route not in (None, route) or self.type not in (None, request) or self.count == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None:
            self.count -= 1
        return True


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

    def of(self, route: str, request: str) -> Fault | None:
        """The fault that this request meets."""
        return next((rule for rule in self.rules if rule.hits(route, request)), None)

    def documents(self) -> list[dict[str, Any]]:
        """The rules as JSON."""
        return [asdict(rule) for rule in self.rules]
