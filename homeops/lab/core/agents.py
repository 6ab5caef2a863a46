"""The agents on hosts (Periphery): what Core asks of one, and which one answers for which Server."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx

from homeops.lab.core.checkouts import Checkout, Remote
from homeops.lab.core.clock import Clock, SystemClock
from homeops.lab.core.executions_logs import error_log, log
from homeops.lab.core.images import tagged
from homeops.lab.core.repositories import Repositories
from homeops.lab.core.scratch import scratch_directory
from homeops.lab.core.state import Document

Replacers = Sequence[tuple[str, str]]
"""Secret values and the names that stand for them in logs."""


class AgentFailure(Exception):  # noqa: N818 - an answer of the agent, not an error of the simulator
    """The agent refuses: its error and the causes below it, outermost first."""

    def __init__(self, *causes: str) -> None:
        super().__init__(causes[0])
        self.causes = causes


@dataclass(frozen=True, slots=True)
class StackOrder:
    """A Stack for the agent: its document after interpolation, its linked Repo and git token, the services meant."""

    stack: Document
    repo: Document | None = None
    token: str = ""
    services: Sequence[str] = ()
    replacers: Replacers = ()


@dataclass
class Deployed:
    """What became of a deploy. ``files``: ``{path, contents, services, requires}``; ``services``: as in its info."""

    logs: list[Document] = field(default_factory=list[Document])
    deployed: bool = False
    services: list[Document] = field(default_factory=list[Document])
    files: list[Document] = field(default_factory=list[Document])
    missing_files: list[str] = field(default_factory=list[str])
    remote_errors: list[Document] = field(default_factory=list[Document])
    merged_config: str | None = None
    commit_hash: str | None = None
    commit_message: str | None = None


@dataclass(frozen=True, slots=True)
class RepoOrder:
    """A Repo for the agent: its document after interpolation and the git token."""

    repo: Document
    token: str = ""
    replacers: Replacers = ()


class AgentGone(Exception):  # noqa: N818 - the agent's end, not an error of the simulator
    """The agent ends in the middle of its work."""


class Agent(Protocol):
    """One host as Core sees it through its agent. Calls block until the work is done; refusals are AgentFailure."""

    silent: bool
    """Whether it answers nothing for now, though nobody has noticed."""

    @property
    def reachable(self) -> bool:
        """Whether it can be spoken to."""
        ...

    @property
    def connection(self) -> int:
        """Changes whenever the agent ended: what was asked of it before is never answered."""
        ...

    def information(self) -> Document:
        """Version and what else the agent says of itself (``GetPeripheryInformation``)."""
        ...

    def rotated_key(self) -> str:
        """The public key of the new private one that it made for itself."""
        ...

    def take_core_key(self, key: str) -> None:
        """Let in a Core with another key from now on, where its settings leave that to it."""
        ...

    def containers(self) -> list[Document]:
        """All containers as ``ListContainers`` shows them, without their server."""
        ...

    def projects(self) -> list[Document]:
        """Compose projects: ``{name, status, compose_files}``."""
        ...

    def inspect(self, container: str) -> Document:
        """``docker inspect`` of one container."""
        ...

    def image(self, container: Document) -> Document:
        """The image of one of ``containers``: ``{name, digests}``, by its first tag."""
        ...

    def newest(self, image: str) -> str | None:
        """The digest that the registry has for an image now; None when it has none."""
        ...

    def deploy(self, order: StackOrder) -> Deployed:
        """Write the files of a Stack and bring it up."""
        ...

    def pull(self, order: StackOrder) -> list[Document]:
        """Write the files of a Stack and pull its images; the log entries."""
        ...

    def run_service(self, order: StackOrder, command: str) -> Document:
        """``docker compose run`` of a Stack; ``command`` are flags, service and its command; one log entry."""
        ...

    def compose(self, project: str, command: str, stage: str = "Compose Command") -> Document:
        """One ``docker compose -p project command``; its log entry."""
        ...

    def container(self, verb: str, name: str) -> Document:
        """``docker start|stop|restart|pause|unpause|rm -- NAME``; its log entry. Options may follow the verb."""
        ...

    def docker(self, stage: str, command: str) -> Document:
        """Another docker command, ``image prune -a -f`` or ``volume rm -- NAME``; its log entry."""
        ...

    def run_container(self, name: str, definition: Document) -> list[Document]:
        """Run one container in place of the one of that name: ``definition`` is like a compose service."""
        ...

    def read_files(self, stack: Document) -> tuple[list[Document], list[Document]]:
        """The files of a ``files_on_host`` Stack that could be read, and the errors of the others."""
        ...

    def repo(self, order: RepoOrder, *, clone: bool) -> Checkout:
        """Clone or pull a Repo and run its commands."""
        ...

    def checkout(self, repo: Document) -> Document | None:
        """``{hash, message}`` of a Repo's checkout, None when there is none."""
        ...

    def rename_repo(self, repo: Document, name: str) -> Document:
        """Rename the directory of a Repo; the log entry."""
        ...

    def delete_repo(self, repo: Document) -> Document:
        """Delete the files of a Repo; the log entry."""
        ...

    def build(self, build: Document, order: RepoOrder | None, replacers: Replacers) -> tuple[list[Document], Checkout]:
        """Build and push an image; log entries, and the commit that was built."""
        ...


def post_json(url: str, document: Document) -> tuple[int, str]:
    """Post a document; the status and text of the answer, ConnectionError when there is none."""
    try:
        answer = httpx.post(url, json=document, timeout=5, trust_env=False)
    except httpx.HTTPError as reason:
        raise ConnectionError(str(reason)) from reason
    return answer.status_code, answer.text


@dataclass
class Agents:
    """The agents of a Core by address (of Servers that Core dials) or by Server name (of agents that dial Core).

    ``repositories`` is where git comes from; ``directory`` holds what Core writes: checkouts, sync files.
    """

    clock: Clock = field(default_factory=SystemClock)
    by_address: dict[str, Agent] = field(default_factory=dict[str, Agent])
    directory: Path | None = None
    asleep: bool = False
    """Whether Core has only just begun and has reached no host yet."""
    listing: Callable[[Path], Sequence[Path]] = lambda directory: sorted(directory.iterdir())
    """What a directory holds, in the order in which the disk lists it: that of a sync's declarations."""
    post: Callable[[str, Document], tuple[int, str]] = post_json
    """How alerts get to endpoints on this machine."""
    earlier_checkouts: dict[str, tuple[float, Document | None]] = field(
        default_factory=dict[str, tuple[float, Document | None]]
    )
    """What Core still takes for the checkout of a Repo, by id, and until when: it looks once a second."""
    _repositories: Repositories | None = None

    @property
    def root(self) -> Path:
        """The directory of Core's own files; a temporary one unless it was given."""
        if self.directory is None:
            self.directory = scratch_directory(self, "lab-core-")
        return self.directory

    @property
    def repositories(self) -> Repositories:
        """Where git comes from."""
        if self._repositories is None:
            self._repositories = Repositories(self.root / "git", clock=self.clock)
        return self._repositories

    def add(self, address: str, agent: Agent) -> None:
        """From now on this agent answers at this address (or for the Server of this name)."""
        self.by_address[address] = agent

    def reachable(self, address: str) -> bool:
        """Whether an agent answers at an address."""
        agent = self.by_address.get(address)
        return not self.asleep and agent is not None and agent.reachable

    def of(self, server: Document) -> Agent | None:
        """The agent of a Server, if it is enabled and answers."""
        address = server["config"]["address"] or server["name"]
        return self.by_address[address] if server["config"]["enabled"] and self.reachable(address) else None

    def the(self, server: Document) -> Agent:
        """The agent of a Server; AgentFailure when there is none."""
        agent = self.of(server)
        if agent is None:
            raise AgentFailure("Cannot send command when Server is unreachable or disabled")
        return agent

    def stack_containers(self, server: Document, stack: Document) -> list[tuple[Document, Document | None]]:
        """The services of a Stack, each with the container that has its name (monitor/resources.rs)."""
        agent = self.of(server)
        containers = agent.containers() if agent else []
        return [(service, _container_of(service, containers)) for service in known_services(stack["info"])]

    def stack_state(self, server: Document, stack: Document) -> str:
        """The state of a Stack as its containers tell; services that are ignored do not count (helpers/query.rs)."""
        ignored = stack["config"]["ignore_services"]
        found = [
            (service, container)
            for service, container in self.stack_containers(server, stack)
            if service["service_name"] not in ignored
        ]
        states: list[str] = [container["state"] for _, container in found if container]
        if not states:
            return "down"
        if len(states) < len(found) or len(set(states)) > 1:
            return "unhealthy"
        return {"exited": "stopped", "created": "unhealthy"}.get(states[0], states[0])

    def server_info(self, server: Document) -> Document:
        """What a Server's agent says of its host: version, stats, keys; empty when it does not answer."""
        agent = self.of(server)
        return agent.information() if agent else {}

    def project(self, server: Document, stack: Document) -> Document:
        """``{status, missing, services}`` of a Stack as its list item shows them (resource/stack.rs)."""
        agent = self.of(server)
        name = project_name(stack)
        found = next((item for item in agent.projects() if item["name"] == name), None) if agent else None
        services = sorted(self.stack_containers(server, stack), key=lambda pair: pair[0]["service_name"])
        return {
            "status": found["status"] if found else None,
            "missing": found is None,
            "services": [
                service_with_update(stack, service, agent.image(container) if agent and container else None)
                for service, container in services
            ],
        }

    def container(self, server: Document, deployment: Document) -> Document | None:
        """The container of a Deployment."""
        agent = self.of(server)
        name = deployment["info"]["deployed_name"] or deployment["config"]["custom_name"] or deployment["name"]
        return next((item for item in agent.containers() if item["name"] == name), None) if agent else None

    def checkout(self, server: Document, repo: Document) -> Document | None:
        """``{hash, message}`` of a Repo's checkout on its host, as of Core's last look."""
        agent = self.of(server)
        until, earlier = self.earlier_checkouts.get(repo["_id"]["$oid"], (0.0, None))
        if agent is None or self.clock.now() < until:
            return earlier if agent else None
        return agent.checkout(repo)

    def deployment_state(self, server: Document, deployment: Document) -> str:
        """The state of a Deployment's container."""
        found = self.container(server, deployment)
        return found["state"] if found else "not_deployed"

    def take_down(self, server: Document, stack: Document) -> Document:
        """Take a Stack's project down before the Stack is deleted; the log entry."""
        agent = self.of(server)
        if agent is None:
            return error_log("Destroy Stack", "Cannot send command when Server is unreachable or disabled")
        return agent.compose(project_name(stack), "down --remove-orphans")

    def remove_container(self, server: Document, deployment: Document) -> Document:
        """Remove a Deployment's container before the Deployment is deleted; the log entry."""
        agent = self.of(server)
        if agent is None:
            return error_log("Destroy Deployment", "Cannot send command when Server is unreachable or disabled")
        return agent.container("rm", deployment["config"]["custom_name"] or deployment["name"])

    def rename_container(self, server: Document, deployment: Document, name: str) -> Document:
        """Rename a Deployment's container; the log entry."""
        agent = self.of(server)
        old = deployment["name"]
        return agent.container(f"rename {old}", name) if agent else log("Rename Container", success=False)

    def rename_repo(self, server: Document, repo: Document, name: str) -> Document:
        """Rename the directory of a Repo on its host; the log entry."""
        return self.the(server).rename_repo(repo, name)

    def delete_repo(self, server: Document, repo: Document) -> Document:
        """Delete a Repo's files on its host; the log entry."""
        return self.the(server).delete_repo(repo)

    def forget_checkouts(self) -> None:
        """Delete Core's own checkouts."""
        shutil.rmtree(self.root / "core" / "repos", ignore_errors=True)

    def core_checkout(self, remote: Remote) -> tuple[Checkout, Path]:
        """Core's own checkout of a remote, brought up to date, and where it is."""
        parts = (remote.provider, remote.repo, remote.branch)
        flat = [part.replace("/", "-") for part in parts]
        target = self.root.joinpath("core", "repos", *flat, remote.commit or "latest")
        return self.repositories.pull_or_clone(remote, target)[0], target


def project_name(stack: Document, *, fresh: bool = False) -> str:
    """The compose project of a Stack: the last deployed unless ``fresh``, else the configured, else its name."""
    deployed: str | None = stack["info"]["deployed_project_name"]
    name: str = deployed if deployed and not fresh else stack["config"]["project_name"] or stack["name"]
    return name


def service_with_update(stack: Document, service: Document, image: Document | None) -> Document:
    """A service with its image (None: it has no container) and whether there is a newer one (resource/stack.rs)."""
    name = service["service_name"]
    current = image["name"] if image else tagged(service["image"])
    newest = next((known for known in stack["info"]["latest_services"] if known["service_name"] == name), None)
    latest: str | None = newest["image"] if newest else None
    found: str | None = newest["image_digest"] if newest else None
    had: list[str] = [digest.partition("@")[2] for digest in image["digests"]] if image else []
    return {
        "service": name,
        "image": current,
        "latest_image": latest if latest != current else None,
        "update_available": bool(found and had) and str(found).partition("@")[2] not in had,
    }


def known_services(info: Document) -> list[Document]:
    """The services of a Stack: those deployed, else those of the newest files."""
    if info["deployed_services"] is None:
        return info["latest_services"]
    latest = {service["service_name"]: service["image"] for service in info["latest_services"]}
    return [
        service if service["image"] else service | {"image": latest.get(service["service_name"], "")}
        for service in info["deployed_services"]
    ]


def _container_of(service: Document, containers: list[Document]) -> Document | None:
    try:
        pattern = re.compile(f"{service['container_name']}-?[0-9]*")
    except re.error:
        return None
    return next((container for container in containers if pattern.fullmatch(container["name"])), None)
