"""What a Core holds: its database, and what it remembers while it runs. Documents are JSON as Core answers them."""

import itertools
import secrets
import time
from dataclasses import dataclass, field, fields
from typing import Any

from homeops.lab.core.state_lock import StateLock
from homeops.model.kinds import RESOURCE_KINDS

Document = dict[str, Any]


@dataclass
class State:
    """Collections by id (variables by name, keys by key), in order of insertion; ``lock`` guards all of it.

    ``action_states`` (what is being done to a resource right now) is memory only: a restart of Core empties it.
    """

    resources: dict[str, dict[str, Document]] = field(default_factory=lambda: {kind: {} for kind in RESOURCE_KINDS})
    variables: dict[str, Document] = field(default_factory=dict[str, Document])
    tags: dict[str, Document] = field(default_factory=dict[str, Document])
    users: dict[str, Document] = field(default_factory=dict[str, Document])
    user_groups: dict[str, Document] = field(default_factory=dict[str, Document])
    permissions: list[Document] = field(default_factory=list[Document])
    api_keys: dict[str, Document] = field(default_factory=dict[str, Document])
    git_accounts: dict[str, Document] = field(default_factory=dict[str, Document])
    registry_accounts: dict[str, Document] = field(default_factory=dict[str, Document])
    onboarding_keys: dict[str, Document] = field(default_factory=dict[str, Document])
    updates: dict[str, Document] = field(default_factory=dict[str, Document])
    alerts: dict[str, Document] = field(default_factory=dict[str, Document])
    action_states: dict[tuple[str, str], set[str]] = field(default_factory=dict[tuple[str, str], set[str]])
    lock: StateLock = field(default_factory=StateLock)
    _process: str = field(default_factory=lambda: secrets.token_hex(5))
    _serial: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def new_id(self) -> str:
        """A fresh ObjectId: seconds, ten digits of this process, a counter; so ids sort by age."""
        return f"{int(time.time()):08x}{self._process}{next(self._serial):06x}"

    def document(self) -> Document:
        """What is stored, as JSON."""
        return {name: getattr(self, name) for name in _STORED}

    @classmethod
    def of_document(cls, document: Document) -> "State":
        """The state that ``document`` gave, in JSON or not."""
        return cls(**{name: document[name] for name in _STORED})


_STORED = tuple(
    item.name for item in fields(State) if not item.name.startswith("_") and item.name not in ("lock", "action_states")
)


def now_ms() -> int:
    """The time in ms, as Core stamps documents."""
    return int(time.time() * 1000)
