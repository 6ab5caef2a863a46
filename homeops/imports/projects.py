"""What runs on a host, as Docker and compose tell it: containers, the compose projects that they belong to, the rest.

Values of environments are held only to be compared: they are never part of a text for people, a file or a repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

LABEL = "com.docker.compose."
"""What compose's labels begin with (compose v5.5.0, pkg/api/labels.go)."""

Inspected = Mapping[str, Any]
"""What ``docker inspect`` says of one object."""


def part(of: Inspected, key: str) -> Inspected:
    """A mapping in another one; empty when there is none."""
    value = of.get(key)
    return cast(Inspected, value) if isinstance(value, Mapping) else {}


def parts(of: Inspected, key: str) -> list[Any]:
    """A list in a mapping; empty when there is none."""
    value = of.get(key)
    return cast(list[Any], value) if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class Container:
    """One container, running or not; ``current_image`` is the id that its image's name has now, if any."""

    inspected: Inspected = field(repr=False)
    current_image: str

    @property
    def id(self) -> str:
        """The whole id."""
        return str(self.inspected["Id"])

    @property
    def name(self) -> str:
        """Its name, without Docker's slash."""
        return str(self.inspected["Name"]).removeprefix("/")

    @property
    def labels(self) -> Mapping[str, str]:
        """All labels: compose's, the image's, and those of the file."""
        return part(self.inspected["Config"], "Labels")

    def label(self, name: str) -> str:
        """One of compose's own labels; empty when it has none."""
        return self.labels.get(LABEL + name, "")

    @property
    def project(self) -> str:
        """Its compose project; empty when compose did not make it."""
        return self.label("project")

    @property
    def service(self) -> str:
        """Its service in the project."""
        return self.label("service")

    @property
    def one_off(self) -> bool:
        """Whether ``docker compose run`` made it: ``up`` leaves it alone."""
        return self.label("oneoff") == "True"

    @property
    def number(self) -> int:
        """Which of its service's containers it is, from 1."""
        number = self.label("container-number")
        return int(number) if number.isdecimal() else 0

    @property
    def image(self) -> str:
        """Its image as it was named when the container was made."""
        return str(self.inspected["Config"]["Image"])

    @property
    def image_id(self) -> str:
        """The image that it runs."""
        return str(self.inspected["Image"])

    @property
    def state(self) -> str:
        """Docker's word: running, exited, paused, ..."""
        return str(self.inspected["State"]["Status"])

    @property
    def created(self) -> str:
        """When it was made, as text that sorts."""
        return str(self.inspected["Created"])

    @property
    def environment(self) -> dict[str, str]:
        """Name to value, the image's own among them."""
        return environment(parts(self.inspected["Config"], "Env"))


def environment(lines: list[Any]) -> dict[str, str]:
    """``NAME=value`` lines as Docker keeps them."""
    parted = (str(line).partition("=") for line in lines)
    return {name: value for name, _, value in parted}


@dataclass(frozen=True, slots=True)
class Counted:
    """Services' configuration hashes as one compose counts them; ``who``: ``host``, or ``agent`` for Periphery.

    ``version`` is that compose's. A service that is not in ``hashes`` could not be counted.
    """

    who: str
    version: str
    hashes: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of a project say now.

    ``working_dir``: what relative paths in them count from. ``compose``: each compose file and its text, None when it
    is missing. ``variables``: the files that fill in ``${NAME}`` (``.env``, or what ``--env-file`` said) and
    ``environments`` those that services read (``env_file``), each with the names of its keys. ``config`` is the
    project as compose understands it, values filled in; None with the reason in ``problem``. ``active``: the services
    that ``up`` would start.
    """

    working_dir: str
    compose: Mapping[str, str | None] = field(repr=False)
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    environments: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The keys of ``variables`` that a file of ``environments`` fills into its own values."""
    env_file_option: tuple[str, ...] = ()
    """The files of ``--env-file``."""
    config: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: str = ""
    active: frozenset[str] = frozenset()
    counted: tuple[Counted, ...] = ()

    @property
    def gone(self) -> tuple[str, ...]:
        """The compose files that are no longer there."""
        return tuple(path for path, text in self.compose.items() if text is None)

    @property
    def lost(self) -> bool:
        """Whether there is no whole set of compose files any more."""
        return bool(self.gone) or not self.compose

    @property
    def services(self) -> Mapping[str, Any]:
        """Each service as compose understands it; empty when it does not."""
        return part(self.config or {}, "services")


@dataclass(frozen=True, slots=True)
class Project:
    """A compose project with containers on the host; ``files`` are those that its newest container was made from."""

    name: str
    containers: tuple[Container, ...]
    files: Files

    @property
    def of_services(self) -> dict[str, list[Container]]:
        """The containers of each service, those of ``docker compose run`` left out."""
        found: dict[str, list[Container]] = {}
        for container in sorted(self.containers, key=lambda container: (container.service, container.number)):
            if not container.one_off:
                found.setdefault(container.service, []).append(container)
        return found


@dataclass(frozen=True, slots=True)
class Agent:
    """Periphery in a container: the directories of the host that it sees under their own paths."""

    container: str
    compose_version: str
    sees: tuple[str, ...]

    def reads(self, path: str) -> bool:
        """Whether it finds the host's path."""
        return any(path == place or path.startswith(f"{place.rstrip('/')}/") for place in self.sees)


@dataclass(frozen=True, slots=True)
class Running:
    """All that runs on a host. ``agent`` is None where Periphery is no container, and reads the host's own files."""

    compose_version: str
    projects: tuple[Project, ...]
    loose: tuple[Container, ...]
    images: Mapping[str, Inspected] = field(repr=False)
    networks: tuple[Inspected, ...] = field(repr=False)
    volumes: tuple[Inspected, ...] = field(repr=False)
    agent: Agent | None = None
