"""The rehearsal as a whole: bring it up, work in it, take it down."""

import shutil
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from homeops.deploy.receipts import Journal, journal_directory
from homeops.errors import LabError, Problem, ToolError
from homeops.lab.home import LabHome
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines
from homeops.lab.on_machines import OnMachines
from homeops.lab.process import start, stop
from homeops.lab.progress import Listener, Outcome, follow
from homeops.lab.pulumi_cli import PulumiCli, environment
from homeops.lab.serve import PORT, STACK
from homeops.lab.stage import Stage, without_access

WAITING = "Another homeops lab is at work in this checkout; waiting for it to end"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The rehearsal of the checkout at ``root``; ``environ`` is the caller's environment.

    With an ``engine``, its hosts are machines in containers; without one they are simulated.
    """

    root: Path
    environ: Mapping[str, str]
    engine: Engine | None = None

    @property
    def home(self) -> LabHome:
        """What it keeps."""
        return LabHome(self.root)

    def up(self, listener: Listener, port: int = PORT) -> Outcome:
        """Start Core unless it runs, and bring the fleet into it; raises LabError with all that went wrong."""
        self.check()
        with self.home.alone(lambda: listener.line(WAITING)):
            refresh = self._prepare(listener, port)
            with self.stage() as stage:
                return _bring_up(PulumiCli(stage.root, stage.environ), listener, refresh=refresh)

    def check(self) -> None:
        """Raise ToolError without pulumi."""
        pulumi = PulumiCli(self.root, environment(self.root, self.environ))
        if pulumi.program is None:
            raise pulumi.missing()

    def _prepare(self, listener: Listener, port: int) -> bool:
        """Have Core and hosts; says whether hosts may be otherwise than Pulumi saw them last."""
        if self._machines is not None:
            return self._machines.prepare(listener, port)
        running, fresh = start(self.home, port)
        listener.line(f"Core: {'started at' if fresh else 'is running at'} {running.address}")
        return False

    @contextmanager
    def stage(self) -> Generator[Stage]:
        """Where its fleet is worked on, for as long as the block; raises LabError when it does not run."""
        access = self.home.access()
        if self._machines is None:
            yield Stage.of(self.root, access, environment(self.root, self.environ))
            return
        with self._machines.stage() as stage:
            yield stage

    @property
    def _machines(self) -> OnMachines | None:
        return OnMachines(self.root, self.environ, self.engine, STACK) if self.engine is not None else None

    def down(self, listener: Listener) -> None:
        """Remove everything that ``up`` made; what is not there need not be removed."""
        with self.home.alone(lambda: listener.line(WAITING)):
            if stop(self.home):
                listener.line("Core: stopped")
            if self.engine is not None:
                Machines(self.root, self.environ, self.engine).down(listener)
            pulumi = PulumiCli(self.root, environment(self.root, without_access(self.environ)))
            if pulumi.forget(STACK):
                listener.line(f"Pulumi: stack {STACK} removed")
            if Journal(journal_directory(self.root, self.environ), STACK).forget():
                listener.line("Receipts: removed")
            if self.home.directory.exists():
                shutil.rmtree(self.home.directory)
                listener.line(f"{self.home.directory.name}: removed")


def _bring_up(pulumi: PulumiCli, listener: Listener, *, refresh: bool) -> Outcome:
    listener.working("Pulumi: starting")
    pulumi.have(STACK)
    outcome = Outcome()
    try:
        with closing(pulumi.up(STACK, refresh=refresh)) as events:
            follow(events, listener, outcome)
    except ToolError as error:
        raise _failed(outcome, error) from error
    if outcome.interrupted:
        listener.working("Pulumi: clearing up after a run that was killed")
        pulumi.clear_interrupted(STACK)
    listener.line(f"Pulumi: {outcome.summary} in {outcome.seconds:.0f} s")
    return outcome


def _failed(outcome: Outcome, error: ToolError) -> LabError:
    problems = [Problem("", text) for text in outcome.errors] or list(error.problems)
    ended = Problem("lab", "not all of the fleet came up; what did stays", "make up goes on from there")
    return LabError(*problems, ended)
