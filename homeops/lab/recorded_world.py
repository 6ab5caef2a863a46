"""What stands outside Core in a recorded conversation: hosts with their agents, git repositories, files on disk."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from homeops.lab.core.agents_rehearsal import RehearsalAgent
from homeops.lab.core.clock import SteppedClock
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.core import Core
from homeops.lab.core.executions_restart import begin_core, end_core
from homeops.lab.core.images import Images, Registry
from homeops.lab.core.scratch import scratch_directory
from homeops.lab.recorded_lines import in_any_order, same_words
from homeops.lab.recorded_secrets import RecordedSecrets
from homeops.lab.recording import Bindings, Difference

ADDRESSES = {"alpha": "http://127.0.0.1:8320", "beta": "http://127.0.0.1:8321"}
"""Where the hosts of the recordings answer."""

ENDPOINT = "127.0.0.1:9340"
"""Where the recordings took alerts."""

_WROTE = re.compile(r".+ to /data/(\w+) in ([\w.-]+)")
_LISTED = re.compile(r"docker exec ([\w.-]+) ls /data")

_DIRECTORIES = {"alpha": "periphery", "beta": "periphery2"}
_ENGINES = {"alpha": "a", "beta": "b"}

_GRACE_SECONDS = 10.0
"""What ran in the recordings, ``sleep``, heeds no signal."""


@dataclass
class RecordedWorld:
    """The world of one recording: made as it was before the first step, then changed and looked at as its steps say."""

    world: dict[str, Any]
    steps: list[dict[str, Any]]
    core: Core
    bindings: Bindings
    clock: SteppedClock
    agents: dict[str, RehearsalAgent] = field(default_factory=dict[str, RehearsalAgent])
    endpoint_answers: int = 200
    _received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _data: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """What volumes hold, by their names."""
    _pushed: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    _encrypted: RecordedSecrets | None = None

    def __post_init__(self) -> None:
        directory = scratch_directory(self, "replay-")
        self.bindings.values["dir"] = str(directory)
        self.core.agents.directory = directory
        ranks = _listed_files(self.steps)

        def listing(place: Path) -> list[Path]:
            """Where the recorded disk listed files in an order of its own, so does this one."""
            return sorted(place.iterdir(), key=lambda path: (_rank(ranks, path), path.name))

        self.core.agents.listing = listing
        self.core.agents.post = self._post
        secrets = self._agent_secrets()
        self._encrypted = RecordedSecrets.of_notes(self.world.get("notes") or "", directory)
        registry = Registry()
        for host, address in ADDRESSES.items():
            images = Images(set[str](self.world.get("images", {}).get(host, [])), registry)
            engine = Engine(self.clock, images, data_root=str(directory / "eng" / _ENGINES[host] / "data"))
            engine.grace_seconds = _GRACE_SECONDS
            agent = RehearsalAgent(
                directory / _DIRECTORIES[host],
                self.core.agents.repositories,
                engine,
                self.clock,
                reachable=bool(self.world.get("servers_reachable", {}).get(address)),
                run_hooks=True,
                secrets=secrets,
                environment=self._encrypted.environment if self._encrypted else {},
            )
            agent.directory.mkdir(parents=True, exist_ok=True)
            self.agents[host] = agent
            self.core.agents.add(address, agent)
        for path, text in self.world.get("host_files", {}).items():
            self._write(path, text)
        for name, repo in self.world.get("git", {}).get("repos", {}).items():
            for commit in repo["at_start"]:
                self._push(name, commit)
        if "401" in (self.world.get("notes") or "") and "fleet/private" in self.world["git"]["repos"]:
            self.core.agents.repositories.private.add("fleet/private")

    def play(self, world: dict[str, Any]) -> list[Difference]:
        """Play one step; the differences are those of a look at the world."""
        match world:
            case {"push": str(commit), "repo": str(repo)}:
                self._push(repo, commit)
            case {"agent_stopped": str(host)}:
                self.agents[host].end()
            case {"agent_started": str(host)}:
                self.agents[host].begin()
            case {"agent_frozen": str(host)}:
                self.agents[host].freeze()
            case {"agent_thawed": str(host)}:
                self.agents[host].thaw()
            case {"core_stopped": _}:
                end_core(self.core)
            case {"core_started": _}:
                begin_core(self.core)
            case {"container_killed": str(name)}:
                for agent in self.agents.values():
                    if found := agent.engine.containers.get(name):
                        found.stop(137)
            case {"container_removed": str(name)}:
                for agent in self.agents.values():
                    agent.engine.containers.pop(name, None)
            case {"file_removed": str(path)}:
                Path(self.bindings.fill(path)).unlink()
            case {"wrote": str(path), "text": str(text)}:
                self._write(path, text)
            case {"wrote": str(said)} if found := _WROTE.fullmatch(said):
                for volume in self._volumes_of(found[2]):
                    self._data.setdefault(volume, set()).add(found[1])
            case {"look": str(command)}:
                return self._look(command, world)
            case {"endpoint_answers": int(status)}:
                self.endpoint_answers = status
            case {"endpoint_received": expected}:
                self.clock.settle()
                received, self._received = self._received, []
                return list(self.bindings.differences(expected, received, "endpoint_received"))
            case _:
                return [Difference("world", "something that the replay can do", next(iter(world), ""))]
        return []

    def _post(self, url: str, document: dict[str, Any]) -> tuple[int, str]:
        """What Core posts to the endpoint that the recordings had; at every other address nobody listens."""
        parts = urlsplit(url)
        if parts.netloc != ENDPOINT:
            raise ConnectionError("error sending request")
        posted = {"method": "POST", "path": parts.path, "content_type": "application/json", "body": document}
        self._received.append(posted)
        return self.endpoint_answers, ""

    def _write(self, path: str, text: str) -> None:
        target = Path(self.bindings.fill(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.bindings.fill(text))
        if path.endswith(".sh"):
            target.chmod(0o755)

    def _push(self, name: str, commit: str) -> None:
        """Push a commit, with those before it on its branch that were not pushed yet."""
        commits: list[dict[str, Any]] = self.world["git"]["repos"][name]["commits"]
        last = next(place for place, known in enumerate(commits) if known["name"] == commit)
        branch = commits[last].get("branch", "main")
        if (name, commit) in self._pushed:
            full = str(self.bindings.fill(commits[last]["hash"]))
            self.core.agents.repositories.rewind(name, full, branch)
            return
        for known in commits[: last + 1]:
            if known.get("branch", "main") == branch and (name, known["name"]) not in self._pushed:
                self._pushed.add((name, known["name"]))
                self._push_one(name, known)

    def _push_one(self, name: str, found: dict[str, Any]) -> None:
        files = {path: str(self.bindings.fill(text)) for path, text in found["files"].items()}
        if self._encrypted is not None:
            files |= {path: self._encrypted.text for path, text in found["files"].items() if text == "<any>"}
        branch = found.get("branch", "main")
        full = self.core.agents.repositories.push(name, files, found["message"], branch)
        for placeholder, value in ((found["hash"], full), (found["short"], full[:7])):
            if re.fullmatch(r"<hash:\d+>", placeholder):
                self.bindings.values[placeholder[1:-1]] = value

    def _agent_secrets(self) -> dict[str, str]:
        found: dict[str, str] = {}
        notes: str = self.world.get("notes") or ""
        if match := re.search(r'\[secrets\] (\w+) = "([^"]*)"', notes):
            found[match[1]] = match[2]
        return found

    def _volumes_of(self, container: str) -> list[str]:
        """The volumes of a container, which have one directory each in the recordings."""
        for agent in self.agents.values():
            if found := agent.engine.containers.get(container):
                return found.volumes
        return []

    def _look(self, command: str, world: dict[str, Any]) -> list[Difference]:
        if command.startswith("files under "):
            root = Path(self.bindings.fill(command.removeprefix("files under ")))
            files = {
                str(path.relative_to(root)): path.read_text()
                for path in sorted(root.rglob("*"))
                if path.is_file() and ".git" not in path.parts
            }
            return list(self.bindings.differences(world["files"], files, "files"))
        if found := _LISTED.fullmatch(command):
            listed = sorted(set[str]().union(*(self._data.get(name, ()) for name in self._volumes_of(found[1]))))
            return list(self.bindings.differences(world["stdout"], "".join(f"{name}\n" for name in listed), "stdout"))
        engine = self.agents[world.get("on", "alpha")].engine
        for start, answer in _LOOKS:
            if command.startswith(start):
                said = answer(engine, command)
                if start == "docker inspect" and same_words(self.bindings.fill(world["stdout"]), said):
                    return []
                said = in_any_order(world["stdout"], said, self.bindings.same_line)
                return list(self.bindings.differences(world["stdout"], said, "stdout"))
        return [Difference("look", "a command that the replay knows", command)]


def _containers(engine: Engine, _command: str) -> str:
    newest = sorted(engine.containers.values(), key=lambda container: container.created, reverse=True)
    return "".join(f"{container.name} {container.state}\n" for container in newest)


def _volumes(engine: Engine, _command: str) -> str:
    return "".join(f"{name}\n" for name in sorted(engine.volumes))


def _images(engine: Engine, _command: str) -> str:
    return "".join(f"{image}\n" for image in sorted(engine.images.known or ()))


def _inspected(engine: Engine, command: str) -> str:
    """``docker inspect NAME --format TEMPLATE`` of environment and labels."""
    container = engine.containers.get(command.split()[2])
    environment: dict[str, str] = (container.definition.get("environment") or {}) if container else {}
    listed = ",".join(f'"{key}={value}"' for key, value in environment.items())
    text = command.partition("--format ")[2].replace("{{json .Config.Env}}", f"[{listed}]")
    labels = container.labels if container else {}
    return re.sub(r'\{\{index \.Config\.Labels "([^"]+)"\}\}', lambda found: labels.get(found[1], ""), text) + "\n"


_LOOKS: tuple[tuple[str, Callable[[Engine, str], str]], ...] = (
    ("docker ps -a --format {{.Names}} {{.State}}", _containers),
    ("docker volume ls --format {{.Name}}", _volumes),
    ("docker inspect", _inspected),
    ("docker images --format {{.Repository}}:{{.Tag}}", _images),
)


def _listed_files(steps: Any) -> dict[str, int]:
    """Files as ``remote_contents`` name them, each with its place among the others."""
    ranks: dict[str, int] = {}

    def visit(value: Any) -> None:
        match value:
            case list():
                for entry in cast(list[Any], value):
                    visit(entry)
            case dict():
                document = cast(dict[str, Any], value)
                contents = document.get("remote_contents")
                files = cast(list[Any], contents) if isinstance(contents, list) else []
                for place, file in enumerate(files):
                    match file:
                        case {"resource_path": str(directory), "path": str(path)} if directory:
                            ranks[path] = max(place, ranks.get(path, 0))
                        case _:
                            pass
                for entry in document.values():
                    visit(entry)
            case _:
                pass

    visit(steps)
    return ranks


def _rank(ranks: dict[str, int], path: Path) -> int:
    below = [place for file, place in ranks.items() if file == path.name or file.startswith(f"{path.name}/")]
    return min(below, default=len(ranks))


def core_secrets(lines: list[str]) -> dict[str, str]:
    """The ``[secrets]`` of lines of Core's configuration file."""
    found: dict[str, Any] = tomllib.loads("\n".join(lines)).get("secrets", {})
    return {name: str(value) for name, value in found.items()}
