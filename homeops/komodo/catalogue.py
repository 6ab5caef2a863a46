"""What Core has: one list request a kind, kept for the run and kept true by the run's own writes."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from homeops.model.kinds import KINDS, Kind

if TYPE_CHECKING:
    from homeops.komodo.documents import Live


class Lists(Protocol):
    """What the catalogue needs of a client."""

    def list_all(self, kind: Kind, /) -> list[dict[str, Any]]:
        """Everything of a kind, in one request."""
        ...

    def read(self, name: str, params: dict[str, Any], /) -> Any:
        """Send a read."""
        ...


def document_id(kind: Kind, document: Mapping[str, Any]) -> str:
    """The id of a document; a variable has none, its name is its id."""
    if kind.name == "Variable":
        return str(document["name"])
    return str(document["_id"]["$oid"])


class Catalogue:
    """Documents by kind and id. Several threads may ask; the first one lists, the others wait for its answer."""

    def __init__(self, client: Lists) -> None:
        self._client = client
        self._documents: dict[str, dict[str, dict[str, Any]]] = {}
        self._users: dict[str, str] | None = None
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._guard = threading.Lock()

    def documents(self, kind: Kind) -> dict[str, dict[str, Any]]:
        """All documents of a kind by id; raises KomodoError when the list cannot be had."""
        with self._lock(kind.name):
            if kind.name not in self._documents:
                listed = self._client.list_all(kind)
                self._documents[kind.name] = {document_id(kind, document): document for document in listed}
            return self._documents[kind.name]

    def forget(self, kind: Kind) -> None:
        """List the kind anew when it is next asked for."""
        with self._lock(kind.name):
            self._documents.pop(kind.name, None)

    def put(self, kind: Kind, document: dict[str, Any]) -> None:
        """Note what a write answered."""
        with self._lock(kind.name):
            if kind.name in self._documents:
                self._documents[kind.name][document_id(kind, document)] = document

    def note(self, kind: Kind, id_: str, **changes: Any) -> None:
        """Note what a write changed without answering the document."""
        with self._lock(kind.name):
            if id_ in self._documents.get(kind.name, {}):
                self._documents[kind.name][id_] |= changes

    def drop(self, kind: Kind, id_: str) -> None:
        """Note a delete."""
        with self._lock(kind.name):
            self._documents.get(kind.name, {}).pop(id_, None)

    def by_name(self, kind: Kind, name: str) -> "Live | None":
        """The object of that name, or None when a successful list lacks it."""
        for document in list(self.documents(kind).values()):
            if document["name"] == name:
                return self.live(kind, document)
        return None

    def by_id(self, kind: Kind, id_: str) -> "Live | None":
        """The object of that id, or None when a successful list lacks it."""
        document = self.documents(kind).get(id_)
        return None if document is None else self.live(kind, document)

    def live(self, kind: Kind, document: Mapping[str, Any]) -> "Live":
        """A document in the terms of a declaration."""
        from homeops.komodo.documents import live

        return live(kind, document, self.name_of)

    def name_of(self, kind: str, id_: str) -> str:
        """The name behind an id; the id itself when nothing has it (Komodo leaves dangling ids behind)."""
        if kind == "User":
            return self._user_names().get(id_, id_)
        document = self.documents(KINDS[kind]).get(id_)
        return id_ if document is None else str(document["name"])

    def id_of(self, kind: str, name: str) -> str:
        """The id behind a name; the name itself when nothing has it, or when it is an id."""
        found = (id_ for id_, document in self.documents(KINDS[kind]).items() if document["name"] == name)
        return next(found, name)

    def _user_names(self) -> dict[str, str]:
        with self._lock("User"):
            if self._users is None:
                answer = self._client.read("ListUsers", {})
                self._users = {user["_id"]["$oid"]: user["username"] for user in answer}
            return self._users

    def _lock(self, kind: str) -> threading.RLock:
        with self._guard:
            return self._locks[kind]
