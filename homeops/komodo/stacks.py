"""What stands behind a stack before it is renamed, moved or deleted: its host, its containers, what is under way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from homeops.errors import KomodoError, Problem
from homeops.komodo.session import Core
from homeops.model.kinds import DEPLOYMENT, STACK

Tell = Callable[[str], None]

VOLUMES_STAY = "named volumes stay on the host"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stack is and how it stands there.

    ``server`` is empty when it is on none (on a swarm, or its server was deleted), and so is ``server_state``, which
    otherwise is ``Ok``, ``NotOk`` or ``Disabled``. ``state`` is the stack's, as in ``running``; ``project``: the
    compose project of the last deploy, empty when there was none.
    """

    id: str
    server: str
    server_state: str
    state: str
    project: str

    @property
    def reached(self) -> bool:
        """Whether Komodo can do something on its host."""
        return self.server_state in ("", "Ok")

    @property
    def never_ran(self) -> bool:
        """Whether nothing of it can have been left behind anywhere."""
        return self.state == "down" and not self.project

    def why_not_deleted(self) -> str:
        """Why Komodo would lose containers by deleting it; empty when it would not."""
        return "" if self.reached else out_of_reach(self.server, self.server_state)


def standing(core: Core, id_: str) -> Standing | None:
    """How a stack stands now; None when Core has none of that id."""
    items = core.client.read("ListStacks", {"query": {"names": [id_]}, "limit": 0})
    if not items:
        return None
    info = items[0]["info"]
    server, state = server_of(core, info.get("server_id", ""))
    document = core.client.read("GetStack", {"stack": id_})
    project = str(document["info"].get("deployed_project_name") or "")
    return Standing(str(items[0]["id"]), server, state, str(info.get("state") or "unknown"), project)


def server_of(core: Core, id_: str) -> tuple[str, str]:
    """Name and state of a server, as in Standing; both empty when there is none."""
    if not id_:
        return "", ""
    items: Any = core.client.read("ListServers", {"query": {"names": [id_]}, "limit": 0})
    return (str(items[0]["name"]), str(items[0]["info"]["state"])) if items else ("", "")


def out_of_reach(server: str, state: str) -> str:
    """Why something is not deleted that has containers on a server which does not answer."""
    return f"its server {server} is {state}, so Komodo would forget it and leave its containers running"


def containers(core: Core, stack: Standing) -> list[str]:
    """The names of a stack's containers."""
    services: Any = core.client.read("ListStackServices", {"stack": stack.id})
    return sorted(str(item["container"]["name"]) for item in services if item.get("container"))


def volumes(core: Core, stack: Standing, project: str) -> list[str]:
    """The named volumes of a compose project on the stack's host, by Docker's names."""
    if stack.server_state != "Ok":
        return []
    listed: Any = core.client.read("ListVolumes", {"server": stack.server})
    return sorted(str(item["name"]) for item in listed if str(item["name"]).startswith(f"{project}_"))


def on_server(core: Core, server_id: str) -> list[str]:
    """The names of the stacks and deployments on a server, declared or not."""
    return sorted(
        str(document["name"])
        for kind in (STACK, DEPLOYMENT)
        for document in core.catalogue.documents(kind).values()
        if document["config"].get("server_id") == server_id
    )


def still_on_it(names: Sequence[str]) -> str:
    """Why a server is kept that has stacks."""
    return f"{', '.join(names)} still on it, and Komodo would lose sight of the containers"


def wait_until_idle(core: Core, id_: str, name: str, tell: Tell) -> None:
    """Wait until nothing is under way with a stack; raises KomodoError when it goes on for too long."""
    # Imported when it is needed: most runs wait for nothing.
    from homeops.komodo.client import Patience

    patience, began, told = Patience(), monotonic(), False
    for pause in patience.pauses():
        state: Any = core.client.read("GetStackActionState", {"stack": id_})
        doing = ", ".join(sorted(what for what, on in state.items() if on))
        if not doing:
            return
        if monotonic() - began + pause > patience.busy:
            raise KomodoError(
                Problem(
                    f'stack "{name}"',
                    f"still {doing} after {patience.busy:.0f} s; nothing was changed",
                    "run again when that has ended: look at it in Komodo's UI",
                )
            )
        if not told:
            told = True
            tell(f'stack "{name}": {doing} in Komodo; waiting for its end')
        sleep(pause)
