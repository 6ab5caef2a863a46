"""The process of a rehearsal host's agent: it ends and freezes like any other, and runs hooks of Stacks and Repos."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from homeops.lab.core.agents import AgentGone
from homeops.lab.core.agents_work import AgentWork, Kept
from homeops.lab.core.checkouts import Outcome
from homeops.lab.core.clock import Clock, SystemClock, beside
from homeops.lab.core.containers_engine import Engine
from homeops.lab.core.places import Place
from homeops.lab.core.public_keys import any_public_key
from homeops.lab.core.repositories import Repositories
from homeops.lab.periphery.commands import NOT_FOUND


@dataclass
class AgentProcess(AgentWork):
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
    public_key: str = field(default_factory=any_public_key)
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

    def rotated_key(self) -> str:
        """A new one; nobody looks at the private key."""
        self.public_key = any_public_key()
        return self.public_key

    def take_core_key(self, key: str) -> None:
        """It lets everybody in."""

    def go_on(self, connection: int) -> None:
        """Called between the steps of a piece of work: waits while frozen, stops where the agent has ended."""
        while self.silent:
            self.clock.sleep(0.1)
        if self.connection != connection:
            raise AgentGone

    @property
    def checkouts(self) -> Repositories:
        """Those of this machine's git."""
        return self.repositories

    def _kept(self, what: Kept) -> Path:
        return self.directory / what

    def composed(self, text: str, directory: Place) -> Outcome:
        """Have the engine in memory do it."""
        connection = self.connection
        outcome = self.engine.compose(text, Path(str(directory)))
        self.go_on(connection)
        return outcome

    def _shell(self, text: str, directory: Place, owner: str) -> Outcome:
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
            cwd=str(directory),
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self.directory)} | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)
