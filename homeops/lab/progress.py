"""What ``pulumi up`` does, told in few lines: from the engine's events (sdk/go/common/apitype/events.go)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

_DOING = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "replace": "replacing",
    "create-replacement": "replacing",
    "delete-replaced": "deleting",
}
_INTERRUPTED = "pending operations from previous deployment"
"""How Pulumi begins a page of advice on creations that it did not see the end of."""

_ORDER = ("create", "update", "replace", "delete", "same")
_DONE = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "same": "unchanged"}


class Listener(Protocol):
    """Whoever shows it."""

    def working(self, text: str) -> None:
        """What is being done at this moment; the next one takes its place."""
        ...

    def line(self, text: str) -> None:
        """Something to keep: an error, a warning, what a provider says."""
        ...


@dataclass
class Outcome:
    """How it ended: numbers of resources by operation (``same``, ``create``, ...), seconds, errors in their order.

    ``interrupted``: whether the state still lists creations that an earlier run was killed in.
    """

    changes: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list[str])
    interrupted: bool = False

    @property
    def summary(self) -> str:
        """``83 created``, ``2 updated, 81 unchanged``."""
        known = [f"{self.changes[kind]} {_DONE[kind]}" for kind in _ORDER if self.changes[kind]]
        return ", ".join(known) or "nothing to do"


def follow(events: Iterable[dict[str, Any]], listener: Listener, outcome: Outcome) -> None:
    """Tell the listener what happens, and note in ``outcome`` what came of it, also when ``events`` raises."""
    under_way: dict[str, str] = {}
    warned: set[str] = set()
    done = 0
    for event in events:
        match event:
            case {"resourcePreEvent": {"metadata": {"op": op, "urn": urn}}} if op in _DOING and _is_leaf(urn):
                under_way[urn] = f"{_DOING[op]} {_short(urn)}"
            case {"resOutputsEvent": {"metadata": {"op": op, "urn": urn}}}:
                under_way.pop(urn, None)
                done += _is_leaf(urn)
            case {"resOpFailedEvent": {"metadata": {"urn": urn}}}:
                under_way.pop(urn, None)
            case {"diagnosticEvent": {"severity": "error", "message": message}}:
                _error(outcome, message.strip())
            case {"diagnosticEvent": {"severity": "warning", "message": message}} if _INTERRUPTED in message:
                outcome.interrupted = True
            case {"diagnosticEvent": {"severity": "warning", "message": message}}:
                # Pulumi says some once a resource.
                if message not in warned:
                    warned.add(message)
                    for text in message.strip().splitlines():
                        listener.line(f"warning: {text}")
            case {"diagnosticEvent": {"severity": "info" | "info#err", "message": message}}:
                for text in message.strip().splitlines():
                    listener.line(text)
            case {"summaryEvent": {"resourceChanges": changes, "durationSeconds": seconds}}:
                outcome.changes.update(changes)
                outcome.seconds = seconds
            case _:
                continue
        if under_way:
            listener.working(f"{done} done; {next(reversed(under_way.values()))}")


def _error(outcome: Outcome, message: str) -> None:
    # Consequences of the errors before them.
    if message not in ("update failed", "Resource monitor has terminated, shutting down", *outcome.errors):
        outcome.errors.append(message)


def _is_leaf(urn: str) -> bool:
    """Whether it is an object, not a component or a provider."""
    _, _, types, _ = urn.split("::", 3)
    return not types.rsplit("$", 1)[-1].startswith(("homeops:", "pulumi:"))


def _short(urn: str) -> str:
    """``Stack frigate``."""
    _, _, types, name = urn.split("::", 3)
    return f"{types.rsplit(':', 1)[-1]} {name}"
