"""Agents of another version than Core's: the two are to be upgraded together (docsite/docs/releases/v2.0.0.md)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from homeops.komodo.session import Core
from homeops.model.kinds import SERVER

LIST_SERVERS = "ListServers"
"""The list with what each agent last said of itself; the documents do not have it."""


def told(core: Core) -> Iterator[str]:
    """A line for each server whose agent is of another version; one that does not answer has none.

    Asks Core nothing while it has no server. Raises KomodoError.
    """
    if core.catalogue.documents(SERVER):
        yield from skew(str(core.client.version()), core.client.read(LIST_SERVERS, {"query": {}, "limit": 0}))


def skew(core: str, servers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The same of list items as Core answers them; ``core`` is its version, as ``2.3.2``."""
    for server in sorted(servers, key=lambda item: str(item["name"])):
        found = cast(Mapping[str, Any], server.get("info") or {}).get("version")
        if found and str(found).removeprefix("v") != core:
            yield f'warning: server "{server["name"]}": its Periphery is {found}, Core is {core}; upgrade them together'
