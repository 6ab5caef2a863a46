"""The agent of a real machine: a stand-in Periphery runs there, and does for Core what it is asked, with real Docker.

What a deploy consists of, in which order and under which names, is that of every agent here (``agents_stacks``).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, TypeVar

from homeops.lab.core.agents import Agent, AgentFailure, AgentGone, Agents
from homeops.lab.core.agents_docker import build_command, image_tags
from homeops.lab.core.agents_looks import Looks
from homeops.lab.core.agents_machine_channel import Channel, MachinePlace
from homeops.lab.core.agents_machine_docker import image_item, inspection, list_item, project_item
from homeops.lab.core.agents_machine_git import MachineCheckouts
from homeops.lab.core.agents_repos import RepoAgent
from homeops.lab.core.agents_stacks import StackAgent
from homeops.lab.core.agents_work import Kept
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.containers_commands import container_command
from homeops.lab.core.executions_logs import log
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document, now_ms

T = TypeVar("T")


@dataclass
class MachineAgent(StackAgent, RepoAgent):
    """One machine by the address of its Periphery; ``core_key`` gives the public key that Core shows there."""

    address: str
    core_key: Callable[[], str]
    silent: bool = False
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    _channel: Channel = field(init=False)
    _look: Looks = field(init=False)
    _checkouts: MachineCheckouts = field(init=False)

    def __post_init__(self) -> None:
        self._channel = Channel(self.address, self.core_key)
        self._look = Looks(self._channel.look)
        self._checkouts = MachineCheckouts(channel=self._channel)

    @property
    def connection(self) -> int:
        """Changes whenever Periphery ended while something was asked of it."""
        return self._channel.connection

    @property
    def reachable(self) -> bool:
        """Whether Periphery answers, over TLS, and takes this Core for one that it knows."""
        return bool(self._information())

    def information(self) -> Document:
        """What Periphery says of itself; its public address is nobody's business here."""
        found = self._information()
        if not found:
            return {}
        return {
            "version": found["version"],
            "stats": found["stats"],
            "core_count": found["core_count"],
            "logical_core_count": found["core_count"],
            "public_ip": None,
            "public_key": found["public_key"],
            "terminals_disabled": True,
            "container_terminals_disabled": True,
        }

    def rotated_key(self) -> str:
        """Have Periphery make itself a new key."""
        try:
            return self._answered(lambda: self._channel.ask("Rotate"))["public_key"]
        finally:
            self._changed()

    def take_core_key(self, key: str) -> None:
        """Tell Periphery, which takes it where its settings have Core's key in a file."""
        self._answered(lambda: self._channel.ask("TakeCoreKey", public_key=key))

    def containers(self) -> list[Document]:
        """All containers, by state and name as Core sorts them."""
        listed = [list_item(found) for found in self._containers()]
        return sorted(listed, key=lambda item: (item["state"], item["name"]))

    def projects(self) -> list[Document]:
        """Compose projects, by status and name."""
        found: list[Document] = self._look("Projects", list[Document]())
        return sorted(map(project_item, found), key=lambda item: (item["status"], item["name"]))

    def inspect(self, container: str) -> Document:
        """One container in full."""
        found = self._answered(lambda: self._channel.look("Container", name=container))
        if found is None:
            raise AgentFailure(f"Docker responded with status code 404: No such container: {container}")
        return inspection(found)

    def image(self, container: Document) -> Document:
        """The image of one of the containers."""
        for found in self._containers():
            if found["inspected"]["Image"] == container["image_id"]:
                return image_item(found)
        return {"name": container["image"], "digests": []}

    def newest(self, image: str) -> str | None:
        """The digest that the registry has for an image of one platform; None for others, and when it has none."""
        name = image if "@" in image else _with_tag(image)
        done = self._answered(lambda: self._channel.run(f"docker manifest inspect --insecure --verbose -- {name}", "/"))
        if done.exit or "@" in image:
            return None
        found: Any = json.loads(done.stdout)
        return f"{name.rpartition(':')[0]}@{found['Descriptor']['digest']}" if isinstance(found, dict) else None

    def compose(self, project: str, command: str, stage: str = "Compose Command") -> Document:
        """One compose command on an existing project."""
        return self._logged(stage, f"docker compose -p {project} {command}")

    def container(self, verb: str, name: str) -> Document:
        """One docker command on one container."""
        return self._logged(*container_command(verb, name))

    def docker(self, stage: str, command: str) -> Document:
        """One docker command on something else."""
        return self._logged(stage, f"docker {command}")

    def run_container(self, name: str, definition: Document) -> list[Document]:
        """Pull the image if it can be had, remove the container of that name if there is one, run the new one."""
        self.container("pull", str(definition["image"]))
        self.container("rm", name)
        return [self._logged("Docker Run", str(definition["run"]))]

    def checkout(self, repo: Document) -> Document | None:
        """What is checked out of a Repo, as far as Periphery answers."""
        try:
            return super().checkout(repo)
        except (AgentGone, AgentFailure):
            return None

    def rename_repo(self, repo: Document, name: str) -> Document:
        """Rename the directory there."""
        return self._answered(lambda: super(MachineAgent, self).rename_repo(repo, name))

    def delete_repo(self, repo: Document) -> Document:
        """Remove the files there."""
        return self._answered(lambda: super(MachineAgent, self).delete_repo(repo))

    @property
    def checkouts(self) -> MachineCheckouts:
        """Those of the machine's git."""
        return self._checkouts

    def composed(self, text: str, directory: Place) -> Outcome:
        """Have the machine's ``docker compose`` do it."""
        return self._run(text, str(directory))

    def built(self, build: Document, directory: Place, commit: str | None) -> Outcome:
        """Have the machine's ``docker build`` do it."""
        command = build_command(build, commit)
        if build["config"]["image_registry"] and self._run("docker buildx version", "/").exit:
            # Without buildx, as on Debian, a build does not push.
            pushes = [f"docker push {tag}" for tag in image_tags(build, commit)]
            command = " && ".join([command.replace(" --push", "", 1), *pushes])
        return self._run(command, str(directory))

    def _kept(self, what: Kept) -> Place:
        information = self._information() or self._channel.ask("Information")
        return MachinePlace(self._channel, PurePosixPath(information["directories"][what]))

    def _shell(self, text: str, directory: Place, owner: str) -> Outcome:  # noqa: ARG002
        return self._run(text, str(directory))

    def _logged(self, stage: str, text: str) -> Document:
        start = now_ms()
        try:
            outcome = self._run(text, "/")
        except AgentGone:
            outcome = Outcome(1, "", "Periphery ended before this was done\n")
        return log(stage, text, stdout=outcome.stdout, stderr=outcome.stderr, success=outcome.exit == 0, start=start)

    def _run(self, text: str, directory: str) -> Outcome:
        try:
            return self._channel.run(text, directory)
        finally:
            self._changed()

    def _changed(self) -> None:
        self._look.forget()

    def _answered(self, work: Callable[[], T]) -> T:
        """Do something for a caller who does not wait for a Periphery that has ended."""
        try:
            return work()
        except AgentGone as reason:
            raise AgentFailure("Cannot send command when Server is unreachable or disabled") from reason

    def _containers(self) -> list[Document]:
        return self._look("Containers", list[Document]())

    def _information(self) -> Document:
        return self._look("Information", Document())


@dataclass
class MachineAgents(Agents):
    """Agents of machines: at whatever web address a Server has, a Periphery is looked for."""

    core_key: Callable[[], str] = str

    def reachable(self, address: str) -> bool:
        """Whether a Periphery answers at an address."""
        if address.startswith(("https://", "http://")) and address not in self.by_address:
            self.add(address, MachineAgent(address, self.core_key))
        return super().reachable(address)

    def of(self, server: Document) -> Agent | None:
        """The agent of a Server, if it is enabled, answers, and has the key that Core knows it by (if it knows one).

        A key that was refused is noted until one is accepted (bin/core/src/connection/mod.rs).
        """
        agent, info = super().of(server), server["info"]
        if agent is None:
            return None
        expected = info["public_key"]
        shown = agent.information().get("public_key", "") if expected else ""
        refused = shown if shown != expected else ""
        if info["attempted_public_key"] != refused:
            server["info"] = info | {"attempted_public_key": refused}
        return agent if shown == expected else None


def _with_tag(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"
