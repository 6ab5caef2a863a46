"""The process of a rehearsal host's agent: it ends and freezes like any other, and runs hooks of Stacks and Repos."""

import base64
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes

from homeops.lab.core.agents import AgentGone, Replacers
from homeops.lab.core.clock import Clock, SystemClock, beside
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.entry_lines import entries
from homeops.lab.core.executions_interpolation import masked
from homeops.lab.core.executions_logs import log
from homeops.lab.core.repositories import NOT_FOUND, Outcome, Repositories
from homeops.lab.core.state import Document, now_ms


@dataclass
class AgentProcess:
    """One host. ``secrets`` are the agent's own; the failures by name fail a hook or build with that text on stderr."""

    directory: Path
    repositories: Repositories
    engine: Engine = field(default_factory=Engine)
    clock: Clock = field(default_factory=SystemClock)
    reachable: bool = True
    connection: int = 0
    silent: bool = False
    run_hooks: bool = False
    version: str = "2.3.2"
    cores: int = 2
    public_key: str = field(default_factory=lambda: base64.b64encode(token_bytes(44)).decode())
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    hook_failures: dict[str, str] = field(default_factory=dict[str, str])
    build_failures: dict[str, str] = field(default_factory=dict[str, str])
    environment: dict[str, str] = field(default_factory=dict[str, str])
    _began: float = 0.0

    def end(self, seconds: float | None = None) -> None:
        """End as a process does, for so long (None: until ``begin``); containers go on, work under way does not."""
        self.reachable = False
        self.connection += 1
        if seconds is not None:
            self._after(seconds, self.begin)

    def begin(self) -> None:
        """Answer again after an ``end``."""
        self.reachable = True
        self._began = self.clock.now()

    def freeze(self, seconds: float | None = None) -> None:
        """Answer nothing for so long (None: until ``thaw``), then go on with the work that was under way."""
        self.silent = True
        if seconds is not None:
            self._after(seconds, self.thaw)

    def thaw(self) -> None:
        """Answer again after a ``freeze``."""
        self.silent = False

    def _after(self, seconds: float, change: Callable[[], None]) -> None:
        def later() -> None:
            self.clock.sleep(seconds)
            change()

        beside(self.clock, later)

    def go_on(self, connection: int) -> None:
        """Called between the steps of a piece of work: waits while frozen, stops where the agent has ended."""
        while self.silent:
            self.clock.sleep(0.1)
        if self.connection != connection:
            raise AgentGone

    def _write_env_file(self, config: Document, directory: Path, logs: list[Document]) -> str | None:
        """Write ``environment`` to its file; one from earlier stays in use when there is nothing to write."""
        path = directory / config["env_file_path"]
        lines = entries(config["environment"])
        if not lines:
            return config["env_file_path"] if path.is_file() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{key}={value}\n" for key, value in lines))
        logs.append(log("Write Environment File", stdout=f'Environment file written to "{path}"'))
        return config["env_file_path"]

    def _command(self, stage: str, command: Document, directory: Path, replacers: Replacers, owner: str) -> Document:
        text = command["command"] if command["shell_mode"] else one_line(command["command"])
        start = now_ms()
        outcome = self._shell(text, directory, owner)
        entry = log(
            stage,
            masked(text, replacers),
            stdout=masked(outcome.stdout, replacers),
            stderr=masked(outcome.stderr, replacers),
            success=outcome.exit == 0,
        )
        return entry | {"start_ts": start}

    def _shell(self, text: str, directory: Path, owner: str) -> Outcome:
        if owner in self.hook_failures:
            return Outcome(1, "", self.hook_failures[owner])
        if not directory.is_dir():
            return Outcome(1, "", NOT_FOUND)
        if length := re.fullmatch(r"\s*sleep (\d+(?:\.\d+)?)\s*", text):
            connection = self.connection
            self.clock.sleep(float(length[1]))
            self.go_on(connection)
            return Outcome(0, "", "")
        if not self.run_hooks:
            return Outcome(0, "", "")
        done = subprocess.run(
            ["/bin/bash", "-c", text],
            cwd=directory,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.directory)} | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def _stack_directory(self, stack: Document) -> Path:
        return self.directory / "stacks" / path_name(stack["name"])

    def _repo_directory(self, repo: Document) -> Path:
        return self.directory / "repos" / path_name(repo["name"]) / repo["config"]["path"]


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
