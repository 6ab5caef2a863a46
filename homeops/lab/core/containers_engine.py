"""A Docker engine in memory: images, networks, volumes, containers, and the ``docker compose`` commands on them."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.clock import Clock, SystemClock
from homeops.lab.core.compose_command import Command, parse_command
from homeops.lab.core.compose_project import ComposeFailure, Project, load_project
from homeops.lab.core.compose_waits import await_health, dependency
from homeops.lab.core.containers import Container
from homeops.lab.core.containers_inspection import DATA_ROOT, compose_labels
from homeops.lab.core.fates import NO_SPACE, Behaviour, Fate, fate_of
from homeops.lab.core.images import Images
from homeops.lab.core.state import Document


@dataclass
class Engine:
    """One host's engine. ``full``: no space is left on its disk."""

    clock: Clock = field(default_factory=SystemClock)
    images: Images = field(default_factory=Images)
    behaviours: dict[str, Behaviour] = field(default_factory=dict[str, Behaviour])
    containers: dict[str, Container] = field(default_factory=dict[str, Container])
    networks: set[str] = field(default_factory=set[str])
    volumes: set[str] = field(default_factory=set[str])
    files: dict[str, str] = field(default_factory=dict[str, str])
    full: bool = False
    grace_seconds: float = 0.0
    """How long ``docker stop`` waits for a container that heeds no signal."""
    data_root: str = DATA_ROOT
    lock: threading.RLock = field(default_factory=threading.RLock)

    def compose(self, text: str, directory: Path) -> Outcome:
        """Run one ``docker compose`` command line."""
        command = parse_command(text)
        verbs: dict[str, Callable[[Command, Path], Outcome]] = {
            "config": self._config,
            "build": self._build,
            "pull": self._pull,
            "up": self._up,
            "down": self._down,
            "logs": self._logs,
            "run": self._run,
        }
        try:
            run = verbs.get(command.verb, self._move)
            return run(command, directory)
        except ComposeFailure as failure:
            return Outcome(1, "", str(failure))

    def projects(self) -> list[Document]:
        """``docker compose ls -a``: name, status in words, compose files."""
        with self.lock:
            found: dict[str, list[str]] = {}
            for container in self.containers.values():
                found.setdefault(container.project, []).append(container.state)
        return [
            {
                "name": project,
                "status": ", ".join(f"{state}({states.count(state)})" for state in sorted(set(states))),
                "compose_files": [self.files.get(project, "")],
            }
            for project, states in found.items()
        ]

    def of(self, project: str, services: Iterable[str] = ()) -> list[Container]:
        """The containers of a project, of some services or of all."""
        wanted = set(services)
        return [
            container
            for container in self.containers.values()
            if container.project == project and (not wanted or container.service in wanted)
        ]

    def _load(self, command: Command, directory: Path) -> Project:
        return load_project(command.project, directory, command.files, command.env_files, resolve=command.resolve)

    def _config(self, command: Command, directory: Path) -> Outcome:
        return Outcome(0, self._load(command, directory).config(), "")

    def _build(self, command: Command, directory: Path) -> Outcome:
        project = self._load(command, directory)
        built = [name for name, service in project.services.items() if "build" in service]
        return Outcome(0, "", "".join(f" Image {project.name}-{name} Built \n" for name in built))

    def _pull(self, command: Command, directory: Path) -> Outcome:
        project = self._load(replace(command, resolve=False), directory)
        names = command.services() or sorted(project.services)
        said = ""
        behaviour = self._behaviour(command.project)
        for name in names:
            image, policy = project.services[name].get("image", ""), project.services[name].get("pull_policy")
            if policy in ("never", "build") or not image:
                said += f" Image {image} Skipped \n"
                continue
            said += f" Image {image} Pulling \n"
            failure = behaviour.pull_failure(name) or self.images.unavailable(image)
            if not failure and self.full:
                failure = "failed to register layer: write /layer.tar: no space left on device"
            if failure:
                return Outcome(1, "", f"{said} Image {image} Error {failure}\nError response from daemon: {failure}\n")
            self.images.pull(image)
            said += f" Image {image} Pulled \n"
        return Outcome(0, "", said)

    def _up(self, command: Command, directory: Path) -> Outcome:
        project = self._load(command, directory)
        behaviour = self._behaviour(project.name)
        waves = project.waves(command.services())
        self.clock.sleep(behaviour.seconds / 2)
        if behaviour.during is not None:
            behaviour.during()
        self.clock.sleep(behaviour.seconds / 2)
        if behaviour.up:
            return Outcome(1, "", behaviour.up)
        fresh: list[list[Container]] = []
        with self.lock:
            files = _Files(
                [str(directory / file) for file in command.files],
                [str(directory / file) for file in command.env_files],
            )
            self.files[project.name] = ",".join(files.compose)
            said = self._make_networks_and_volumes(project)
            for wave in waves:
                made, text, failure = self._create_wave(project, wave, behaviour, files)
                fresh.append(made)
                said += text
                if failure:
                    return Outcome(1, "", said + failure)
        for containers in fresh:
            text, failure = self._start_wave(project, containers)
            said += text
            if failure:
                return Outcome(1, "", said + failure)
        return await_health(self.clock, command, self.of(project.name, command.services()), said)

    def _create_wave(
        self, project: Project, names: list[str], behaviour: Behaviour, files: "_Files"
    ) -> tuple[list[Container], str, str]:
        """Create what starts together: the containers to start, what is said, and the failure that ends it."""
        began, ended = "", ""
        fresh: list[Container] = []
        for name in names:
            first, last, failure = self._create(project, name, behaviour, files, fresh)
            began += first
            ended = last + ended
            if failure:
                return fresh, began + ended, failure
        return fresh, began + ended, ""

    def _start_wave(self, project: Project, containers: list[Container]) -> tuple[str, str]:
        began, ended = "", ""
        for container in containers:
            first, last, failure = self._start(project, container)
            began += first
            ended = last + ended
            if failure:
                return began + ended, failure
        return began + ended, ""

    def _make_networks_and_volumes(self, project: Project) -> str:
        said = ""
        for network in project.networks.values():
            name = network["name"]
            if network.get("external") and name not in self.networks:
                raise ComposeFailure(f"network {name} declared as external, but could not be found\n")
        fresh = {
            what: [body["name"] for body in wanted.values() if body["name"] not in known and not body.get("external")]
            for what, wanted, known in (
                ("Network", project.networks, self.networks),
                ("Volume", project.volumes, self.volumes),
            )
        }
        self.networks |= set(fresh["Network"])
        self.volumes |= set(fresh["Volume"])
        for word, kinds in (("Creating", ("Network", "Volume")), ("Created", ("Volume", "Network"))):
            for what in kinds:
                said += "".join(f" {what} {name} {word} \n" * 2 for name in fresh[what])
        return said

    def _create(
        self, project: Project, name: str, behaviour: Behaviour, files: "_Files", fresh: list[Container]
    ) -> tuple[str, str, str]:
        definition = project.services[name]
        container_name = definition.get("container_name", f"{project.name}-{name}-1")
        existing = next(iter(self.of(project.name, [name])), None)
        image = str(definition.get("image", ""))
        same = (container_name, definition, self.images.id_of(image))
        if existing and (existing.name, existing.definition, existing.image_id) == same:
            if existing.state == "running":
                return f" Container {container_name} Running \n", "", ""
            existing.fate = behaviour.fates.get(name, existing.fate)
            fresh.append(existing)
            return "", "", ""
        verb = "Recreate" if existing else "Creating"
        said = f" Container {container_name} {verb} \n"
        wrong = f"Error response from daemon: No such image: {image}" if self.images.unavailable(image) else ""
        if not wrong and not self.images.here(image) and (failure := behaviour.pull_failure(name)):
            wrong = f"Error response from daemon: {failure}"
        if not wrong and self.full:
            wrong = NO_SPACE.rstrip()
        holder = self.containers.get(container_name)
        if not wrong and holder is not None and holder is not existing:
            wrong = (
                f'Error response from daemon: Conflict. The container name "/{container_name}" is already in use by '
                f'container "{holder.id}". You have to remove (or rename) that container to be able to reuse that name.'
            )
        if wrong:
            who = f"Container {container_name}" if existing else f"service:{name}:1"
            return f"{said} {who} {wrong} \n", "", f"{wrong}\n"
        if existing:
            del self.containers[existing.name]
        keys: list[str] = list(definition.get("networks") or {})
        networks = [project.networks[key]["name"] for key in keys]
        fate = behaviour.fates.get(name) or self._foretold(definition)
        identity = self.images.had(image)
        container = Container(container_name, project.name, name, definition, networks, fate, self.clock.now, identity)
        container.volumes = [project.volumes[v["source"]]["name"] for v in _named_volumes(project, definition)]
        container.labels = compose_labels(container, files.compose, files.env, str(Path(files.compose[0]).parent))
        self.containers[container_name] = container
        fresh.append(container)
        return said, f" Container {container_name} {'Recreated' if existing else 'Created'} \n", ""

    def _start(self, project: Project, container: Container) -> tuple[str, str, str]:
        said = ""
        parents: dict[str, Document] = container.definition.get("depends_on") or {}
        for other, wanted in parents.items():
            for parent in self.of(project.name, [other]):
                told, failure = dependency(self.clock, parent, str(wanted.get("condition")))
                said += told
                if failure:
                    return said, "", failure
        said += f" Container {container.name} Starting \n"
        command: list[str] = container.definition.get("command") or []
        if command and str(command[0]).startswith("/bin/doesnotexist"):
            return (
                said,
                "",
                (
                    "Error response from daemon: failed to create shim task: OCI runtime create failed: "
                    "runc create failed: unable to start container process: "
                    f'exec: "{command[0]}": stat {command[0]}: no such file or directory: unknown\n'
                ),
            )
        container.start()
        return said, f" Container {container.name} Started \n", ""

    def _down(self, command: Command, _directory: Path) -> Outcome:
        with self.lock:
            services = command.services()
            containers = self.of(command.project, services)
            network = f"{command.project}_default"
            if not containers and network not in self.networks:
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock.now()))
                warning = f'Warning: No resource found to remove for project \\"{command.project}\\".'
                return Outcome(0, "", f'time="{at}" level=warning msg="{warning}"\n')
            said = ""
            for container in containers:
                del self.containers[container.name]
                said += "".join(
                    f" Container {container.name} {word} \n" for word in ("Stopping", "Stopped", "Removing", "Removed")
                )
            for used in sorted({name for name in self.networks if name.startswith(f"{command.project}_")}):
                said += f" Network {used} Removing \n"
                if any(used in container.networks for container in self.containers.values()):
                    said += f" Network {used} Resource is still in use \n"
                else:
                    self.networks.discard(used)
                    said += f" Network {used} Removed \n"
            return Outcome(0, "", said)

    def _move(self, command: Command, _directory: Path) -> Outcome:
        """Start, stop, restart, pause, unpause."""
        with self.lock:
            containers = self.of(command.project, command.services())
            if command.verb == "start" and not self.of(command.project):
                return Outcome(1, "", f'no container found for project "{command.project}": not found\n')
            said, ended = "", ""
            for container in containers:
                name, state = container.name, container.state
                match command.verb:
                    case "start" if state != "running":
                        container.start()
                        said += f" Container {name} Starting \n"
                        ended = f" Container {name} Started \n" + ended
                    case "stop":
                        container.stop()
                        said += f" Container {name} Stopping \n"
                        ended = f" Container {name} Stopped \n" + ended
                    case "restart":
                        container.start()
                        said += f" Container {name} Restarting \n"
                        ended = f" Container {name} Started \n" + ended
                    case "pause" if state == "running":
                        container.paused = True
                        said += f" Container {name} Paused \n"
                    case "unpause" if state == "paused":
                        container.paused = False
                        said += f" Container {name} Unpaused \n"
                    case "unpause" if state == "running":
                        return Outcome(1, "", f"Error response from daemon: Container {container.id} is not paused\n")
                    case _:
                        pass
            return Outcome(0, "", said + ended)

    def _logs(self, command: Command, _directory: Path) -> Outcome:
        stamped, tail = "--timestamps" in command.arguments, int(command.option("--tail") or 0)
        with self.lock:
            containers = self.of(command.project, command.services())
            width = max((len(f"{container.service}-1") for container in containers), default=0)
            lines = [
                f"{f'{container.service}-1':<{width}}  | {line}\n"
                for container in containers
                for line in container.log_lines(stamped=stamped)[-tail:]
            ]
        return Outcome(0, "".join(lines), "")

    def _run(self, command: Command, directory: Path) -> Outcome:
        project = self._load(command, directory)
        words = command.arguments[command.arguments.index("--") + 1 :]
        if not words or words[0] not in project.services:
            return Outcome(1, "", f"no such service: {words[0] if words else ''}\n")
        fate = fate_of({"command": words[1:]} if words[1:] else project.services[words[0]])
        return Outcome(fate.exit_code, fate.output, "")

    def _foretold(self, definition: Document) -> Fate:
        return fate_of(definition)

    def _behaviour(self, project: str) -> Behaviour:
        return self.behaviours.get(project) or Behaviour()

    def expect(self, project: str, **changes: object) -> None:
        """Change what shall go wrong in a project, e.g. ``expect("web", up="disk full")``."""
        self.behaviours[project] = replace(self._behaviour(project), **changes)


def _named_volumes(project: Project, definition: Document) -> list[Document]:
    volumes: list[Document] = definition.get("volumes") or []
    return [volume for volume in volumes if volume.get("type") == "volume" and volume.get("source") in project.volumes]


@dataclass(frozen=True, slots=True)
class _Files:
    """What a project was made of: the whole paths of its compose files and env files."""

    compose: list[str]
    env: list[str]
