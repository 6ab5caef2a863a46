"""What shall be deployed, what came of it, and how a deploy that failed is told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeops.errors import DeployFailed, Problem
from homeops.secrets.masking import masked, secret_keys

DUE = "mend it and run again: the deploy is still due"

Tell = Callable[[str], None]

_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Order:
    """What shall be deployed; ``rollout`` in the form of homeops.model.rollout.Rollout, times in seconds.

    ``checkout``: the Repo whose files it shares with other stacks. ``restart``: whether its services are restarted
    afterwards, because compose sees no change in a mounted file.
    """

    stack: str
    server: str
    fingerprint: Mapping[str, str]
    rollout: Mapping[str, Any]
    checkout: str = ""
    restart: bool = False

    @property
    def where(self) -> str:
        """As messages begin."""
        return f'stack "{self.stack}" on {self.server}'

    def problem(self, what: str, hint: str = DUE) -> Problem:
        """What went wrong, with whatever looks like a secret masked."""
        return Problem(self.where, self.masked(what), hint)

    def masked(self, text: str) -> str:
        """The text without the secrets of this stack, nor whatever else looks like one."""
        return masked(text, secret_keys(self.fingerprint))


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of a deploy.

    ``update``: id of Komodo's Update. ``commit``: of the repository, empty where there is none. ``images``: by service,
    the name with the digest of what runs. ``services``: by service, ``healthy``, ``running`` or ``done``. ``config``:
    what Komodo was configured with, as far as it makes containers (to come back to it).
    """

    update: str
    stack: str
    state: str
    seconds: float
    commit: str
    images: dict[str, str] = field(default_factory=dict[str, str])
    services: dict[str, str] = field(default_factory=dict[str, str])
    config: dict[str, Any] = field(default_factory=dict[str, Any])


class Unhealthy(DeployFailed):
    """Raised when compose did its work and the containers are not up: what a rollback can answer."""


CONTAINER_SOURCES = (
    "project_name",
    "run_directory",
    "file_paths",
    "file_contents",
    "extra_args",
    "build_extra_args",
    "env_file_path",
    "additional_env_files",
    "environment",
    "branch",
    "pre_deploy",
    "post_deploy",
    "compose_cmd_wrapper",
    "compose_cmd_wrapper_include",
)
"""What of a Stack's configuration is taken back together with the commit."""


def containers_config(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a Stack's configuration in Core makes its containers; variables by name, so no secret."""
    config: Mapping[str, Any] = document["config"]
    return {name: config[name] for name in CONTAINER_SOURCES if config.get(name)}


def tail(text: str) -> str:
    """The last lines of a log, indented."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


def growing(first: float, longest: float) -> Iterator[float]:
    """Pauses without end, in seconds."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 1.3, longest)
