"""What Periphery does the same way wherever it runs. Where its files are and what runs commands is the host's."""

from abc import ABC, abstractmethod
from typing import Literal

from homeops.lab.core.agents import Replacers
from homeops.lab.core.checkouts import Checkouts, Outcome
from homeops.lab.core.entry_lines import entries
from homeops.lab.core.executions_interpolation import masked
from homeops.lab.core.executions_logs import log
from homeops.lab.core.places import Place
from homeops.lab.core.state import Document, now_ms

Kept = Literal["stacks", "repos", "builds"]
"""What an agent keeps directories of."""


class AgentWork(ABC):
    """The common ground of agents. ``secrets`` are the agent's own."""

    secrets: dict[str, str]

    @property
    @abstractmethod
    def checkouts(self) -> Checkouts:
        """The checkouts on its host."""

    @abstractmethod
    def composed(self, text: str, directory: Place) -> Outcome:
        """Run one ``docker compose`` command line, which a wrapper may be around."""

    @abstractmethod
    def compose(self, project: str, command: str, stage: str = "Compose Command") -> Document:
        """One compose command on an existing project; its log entry."""

    @abstractmethod
    def built(self, build: Document, directory: Place, commit: str | None) -> Outcome:
        """Build an image in a directory, and push it where it has a registry."""

    @abstractmethod
    def _kept(self, what: Kept) -> Place:
        """The directory of all Stacks, Repos or Builds."""

    @abstractmethod
    def _shell(self, text: str, directory: Place, owner: str) -> Outcome:
        """Run a command of the Stack, Repo or Build of that name."""

    def _write_env_file(self, config: Document, directory: Place, logs: list[Document]) -> str | None:
        """Write ``environment`` to its file; one from earlier stays in use when there is nothing to write."""
        path = directory / config["env_file_path"]
        lines = entries(config["environment"])
        if not lines:
            return config["env_file_path"] if path.is_file() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}={value}\n" for key, value in lines))
        logs.append(log("Write Environment File", stdout=f'Environment file written to "{path}"'))
        return config["env_file_path"]

    def _command(self, stage: str, command: Document, directory: Place, replacers: Replacers, owner: str) -> Document:
        text = command["command"] if command["shell_mode"] else one_line(command["command"])
        start = now_ms()
        outcome = self._shell(text, directory, owner)
        return log(
            stage,
            masked(text, replacers),
            stdout=masked(outcome.stdout, replacers),
            stderr=masked(outcome.stderr, replacers),
            success=outcome.exit == 0,
            start=start,
        )

    def _stack_directory(self, stack: Document) -> Place:
        return self._kept("stacks") / path_name(stack["name"])

    def _repo_directory(self, repo: Document) -> Place:
        return self._kept("repos") / path_name(repo["name"]) / repo["config"]["path"]


def path_name(name: str) -> str:
    """A name as part of a path."""
    return name.strip().replace(" ", "_").replace("\n", "_")


def one_line(command: str) -> str:
    """A multi-line command as Periphery runs it: comments taken out, lines joined by ``&&`` (parsers.rs)."""
    lines = (line.strip() for line in command.split("\n"))
    kept = "\n".join(line.split(" #")[0] for line in lines if line and not line.startswith("#"))
    joined = "".join(f" {part.strip()}" for part in kept.split(" \\"))
    again = (line.strip() for line in joined.split("\n"))
    return " && ".join(line.split(" #")[0].strip() for line in again if line and not line.startswith("#"))
