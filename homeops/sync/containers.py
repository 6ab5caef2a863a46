"""What becomes of containers when a sync deletes or moves what they belong to.

Komodo takes a stack down (``docker compose down``; volumes stay) before it deletes it, if it reaches the stack's
server, and only forgets it otherwise. A sync deletes servers first: their stacks then have none, and are forgotten
with their containers running (transcripts 81, 97). A stack that gets another server, or another project, leaves its
containers where they are (transcript 84).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from homeops.errors import Problem, few
from homeops.komodo.client import Client
from homeops.komodo.stacks import VOLUMES_STAY
from homeops.model.graph import Resource
from homeops.sync.changes import Change, Key

Item = Mapping[str, Any]

_MOST_NAMES = 8
_LISTED = 40
"""Of so many stacks at most the containers are asked for; of more the services are told."""

_STAYS, _STAY = "what runs of it stays, managed by nobody", "what runs of them stays, managed by nobody"
_NOTHING_RUNS = ("down", "not_deployed", "")


@dataclass(frozen=True, slots=True)
class Place:
    """A Stack or Deployment: where it is and how it stands; ``server`` is empty where it is on none.

    ``running``: the names of its containers or services.
    """

    kind: str
    name: str
    server: str
    state: str
    running: Sequence[str] = ()


@dataclass(frozen=True)
class Estate:
    """What Core has on which server: places by id, states of servers by name (``Ok``, ``NotOk``, ``Disabled``)."""

    places: Mapping[str, Place] = field(default_factory=dict[str, Place])
    servers: Mapping[str, str] = field(default_factory=dict[str, str])

    def on(self, server: str) -> list[Place]:
        """All that is on a server."""
        return [place for place in self.places.values() if place.server == server]


def read_estate(client: Client, changes: Iterable[Change]) -> Estate:
    """Ask Core: one list a kind, and the containers of the stacks that go or move."""
    servers = {str(item["id"]): item for item in _listed(client, "Server")}
    names = {id_: str(item["name"]) for id_, item in servers.items()}
    places = {
        str(item["id"]): _place(kind, item, names) for kind in ("Stack", "Deployment") for item in _listed(client, kind)
    }
    going = [change.id for change in changes if change.kind == "Stack" and (change.how == "delete" or _leaves(change))]
    for id_ in [id_ for id_ in going if id_ in places and places[id_].state not in _NOTHING_RUNS][:_LISTED]:
        answer: Any = client.read("ListStackServices", {"stack": id_})
        running = sorted(str(one["container"]["name"]) for one in answer if one.get("container"))
        places[id_] = replace(places[id_], running=running)
    return Estate(places, {str(item["name"]): str(item["info"]["state"]) for item in servers.values()})


def with_effects(changes: Sequence[Change], estate: Estate) -> tuple[Change, ...]:
    """The changes with what each does to containers."""
    gone = {change.name for change in changes if change.how == "delete" and change.kind == "Server"}
    deleted = {change.key for change in changes if change.how == "delete"}
    found: list[Change] = []
    for change in changes:
        effect, orphans = _effect(change, estate, gone, deleted)
        found.append(replace(change, effect=effect, orphans=orphans))
    return tuple(found)


def orphaning(changes: Sequence[Change]) -> Iterator[Problem]:
    """The deletes after which containers run that Komodo knows nothing of; of changes with effects."""
    for change in changes:
        if change.orphans:
            server = change.kind == "Server"
            yield Problem(
                f'{change.kind.lower()} "{change.name}"',
                f"would be deleted, but {change.effect}",
                "take what is on it out of the files first, sync, and only then the server"
                if server
                else "bring its server back, or keep it declared; if that is gone for good, delete this in Komodo's UI",
            )


def _effect(change: Change, estate: Estate, gone: set[str], deleted: set[Key]) -> tuple[str, bool]:
    """What the change does to containers, and whether some run on unknown to Komodo."""
    if change.kind == "Server" and change.how == "delete":
        return _of_server(change.name, estate, deleted)
    place = estate.places.get(change.id)
    if change.kind in ("Stack", "Deployment") and place is not None:
        if change.how == "delete":
            return _of_delete(place, estate, gone)
        if _leaves(change) and place.state not in _NOTHING_RUNS:
            where = f" on {place.server}" if place.server else ""
            what = few(place.running, _MOST_NAMES) or "its containers"
            return f"Komodo loses sight of {what}{where}, and does not stop them", False
    if change.kind == "Repo" and change.how == "delete" and getattr(change.old and change.old.config, "server_id", ""):
        return "its checkout on the host is deleted too", False
    return "", False


def _of_server(name: str, estate: Estate, deleted: set[Key]) -> tuple[str, bool]:
    held = estate.on(name)
    running = [place for place in held if place.state not in _NOTHING_RUNS]
    if running:
        return f"Komodo deletes it before {few([place.name for place in running], _MOST_NAMES)} on it: {_STAY}", True
    left = [place.name for place in held if (place.kind, place.name) not in deleted]
    return f"{few(left, _MOST_NAMES)} will be on no server" if left else "its Periphery stays", False


def _of_delete(place: Place, estate: Estate, gone: set[str]) -> tuple[str, bool]:
    state = estate.servers.get(place.server, "")
    if place.state in _NOTHING_RUNS:
        return "nothing of it runs", False
    if place.server in gone:
        # Told of the server, once.
        return f"Komodo deletes its server {place.server} first: {_STAYS}", False
    if place.state == "unknown" or state not in ("", "Ok"):
        why = f"Komodo does not reach {place.server or 'where it runs'} ({state or place.state})"
        return f"{why}: {_STAYS}", True
    what = few(place.running, _MOST_NAMES) or "its containers"
    where = f" on {place.server}" if place.server else ""
    return f"Komodo stops and removes {what}{where}; {VOLUMES_STAY}", False


def _leaves(change: Change) -> bool:
    """Whether a stack gets another server, swarm or project."""
    old, new = change.old, change.new
    if change.how != "update" or old is None or new is None:
        return False
    return _home(old) != _home(new)


def _home(stack: Resource) -> tuple[str, ...]:
    server, swarm, project = (
        str(getattr(stack.config, name, "")) for name in ("server_id", "swarm_id", "project_name")
    )
    return server, swarm, project or stack.name


def _listed(client: Client, kind: str) -> list[Item]:
    answer: list[Item] = client.read(f"List{kind}s", {"query": {}, "limit": 0})
    return answer


def _place(kind: str, item: Item, servers: Mapping[str, str]) -> Place:
    info: Item = item["info"]
    services = [str(service["service"]) for service in info.get("services") or ()]
    return Place(
        kind,
        str(item["name"]),
        servers.get(str(info.get("server_id") or ""), ""),
        str(info.get("state") or ""),
        services if kind == "Stack" else [str(info.get("custom_name") or item["name"])],
    )
