"""The agents of servers: the key by which Core knows each, and what is told of them in a preview.

A server's key is no configuration: it stands in ``info.public_key``, and changes whenever Core has the agent make a new
one (api/write/server.rs). Core lets no agent in that has another one, and takes any where it knows none and dials
itself (bin/core/src/connection/mod.rs).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from homeops.errors import KomodoError, Problem
from homeops.komodo.session import Core, pulumi_stack
from homeops.model.kinds import SERVER

LIST_SERVERS = "ListServers"
"""The list with what each agent last said of itself; the documents do not have it."""


def told(core: Core) -> Iterator[str]:
    """A line for each server whose agent is of another version than Core, or is not let in.

    Asks Core nothing while it has no server. Raises KomodoError.
    """
    if documents := core.catalogue.documents(SERVER):
        servers = core.client.read(LIST_SERVERS, {"query": {}, "limit": 0})
        yield from skew(str(core.client.version()), servers)
        yield from refused({str(server["name"]): _key(server) for server in documents.values()}, servers)


def skew(core: str, servers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Agents of another version than Core's, which is as ``2.3.2``, from list items as Core answers them.

    The two are to be upgraded together (docsite/docs/releases/v2.0.0.md). One that does not answer has no line.
    """
    for server in sorted(servers, key=lambda item: str(item["name"])):
        found = _info(server).get("version")
        if found and str(found).removeprefix("v") != core:
            yield f'warning: server "{server["name"]}": its Periphery is {found}, Core is {core}; upgrade them together'


def refused(keys: Mapping[str, str], servers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Agents that Core did not let in when they last tried; ``keys``: by which Core knows them, by server."""
    for server in sorted(servers, key=lambda item: str(item["name"])):
        shown, known = _info(server).get("attempted_public_key"), keys.get(server["name"], "")
        if shown and shown != known:
            yield other_key(str(server["name"]), str(shown), known)


def other_key(server: str, shown: str, known: str) -> str:
    """What is told where the agent of a server has another key than the ``known`` one; empty: Core knows none."""
    stack = f" -s {name}" if (name := pulumi_stack()) else ""
    return (
        f'warning: server "{server}": Komodo refuses its agent, whose key is {shown}: '
        f"it knows {'another' if known else 'none'}\n"
        f"  hint: if {server} was installed anew: homeops hosts trust {server}{stack} --replace, then "
        f"pulumi up{stack}; otherwise "
        "compare it with periphery.pub there, and confirm it at the server in Komodo's UI"
    )


def key_of(core: Core, server: str) -> str:
    """The key by which Core knows the agent of a server; empty where it knows none. Raises KomodoError."""
    return next((_key(found) for found in core.catalogue.documents(SERVER).values() if found["name"] == server), "")


def expect_key(core: Core, server: str, key: str) -> None:
    """Let Core know the agent of a server by this key from now on. Raises KomodoError."""
    id_ = core.catalogue.id_of(SERVER.name, server)
    document = core.catalogue.documents(SERVER).get(id_)
    if document is None:
        raise KomodoError(Problem(f'server "{server}"', "Komodo has none of that name", "pulumi up --refresh"))
    core.client.write("UpdateServerPublicKey", {"server": id_, "public_key": key})
    core.catalogue.note(SERVER, id_, info={**document["info"], "public_key": key})


def _key(document: Mapping[str, Any]) -> str:
    return str(_info(document).get("public_key") or "")


def _info(server: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], server.get("info") or {})
