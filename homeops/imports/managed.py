"""Which compose projects of a host are somebody's already: stacks of the fleet or of Core, and Periphery's own."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from homeops.imports.projects import Running, part
from homeops.model.fleet import Fleet
from homeops.model.kinds import KINDS, Kind


@dataclass(frozen=True, slots=True)
class Known:
    """``projects``: (host, project) to who manages it; ``names``: every stack's name, on whichever host."""

    projects: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    names: frozenset[str] = frozenset()

    def together(self, other: "Known") -> "Known":
        """Both; what is said here counts for more."""
        return Known({**other.projects, **self.projects}, self.names | other.names)


class Lists(Protocol):
    """What is needed of a client."""

    def list_all(self, kind: Kind, /) -> list[dict[str, Any]]:
        """Everything of a kind, in one request."""
        ...


def of_fleet(fleet: Fleet) -> Known:
    """What the fleet declares."""
    projects = {
        (stack.host_name, stack.project_name or stack.renamed_from or stack.name): f'stack "{stack.name}" of the fleet'
        for stack in fleet.stacks
    }
    return Known(projects, frozenset(stack.name for stack in fleet.stacks))


def known_to_core(client: Lists) -> Known:
    """What Core has, in two requests; raises KomodoError when it cannot be asked."""
    servers = {server["_id"]["$oid"]: str(server["name"]) for server in client.list_all(KINDS["Server"])}
    stacks = client.list_all(KINDS["Stack"])
    projects: dict[tuple[str, str], str] = {}
    for stack in stacks:
        host = servers.get(stack["config"].get("server_id", ""), "")
        names = (stack["config"].get("project_name") or stack["name"], part(stack, "info").get("deployed_project_name"))
        for project in filter(None, names):
            projects[host, str(project)] = f'stack "{stack["name"]}", which Komodo has and the fleet does not declare'
    return Known(projects, frozenset(str(stack["name"]) for stack in stacks))


def managed(running: Running, host: str, known: Known) -> dict[str, str]:
    """The projects of a host that are not to be adopted, and who manages each."""
    found: dict[str, str] = {}
    for project in running.projects:
        ids = {container.id for container in project.containers}
        if by := known.projects.get((host, project.name)):
            found[project.name] = by
        elif running.agent and running.agent.container in ids:
            found[project.name] = "Periphery itself, which belongs to the host"
    return found
