"""The rehearsal as a whole: bring it up, take it down."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from homeops.deploy.receipts import Journal, journal_directory
from homeops.errors import LabError, Problem, ToolError
from homeops.komodo.credentials import ADDRESS, KEY, SECRET, Access
from homeops.lab.home import LabHome
from homeops.lab.process import start, stop
from homeops.lab.progress import Listener, Outcome, follow
from homeops.lab.pulumi_cli import PulumiCli, environment
from homeops.lab.serve import PORT, STACK

WAITING = "Another homeops lab is at work in this checkout; waiting for it to end"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The rehearsal of the checkout at ``root``; ``environ`` is the caller's environment."""

    root: Path
    environ: Mapping[str, str]

    @property
    def home(self) -> LabHome:
        """What it keeps."""
        return LabHome(self.root)

    def up(self, listener: Listener, port: int = PORT) -> Outcome:
        """Start Core unless it runs, and bring the fleet into it; raises LabError with all that went wrong."""
        pulumi = self.pulumi(None)
        if pulumi.program is None:
            raise pulumi.missing()
        with self.home.alone(lambda: listener.line(WAITING)):
            running, fresh = start(self.home, port)
            listener.line(f"Core: {'started at' if fresh else 'is running at'} {running.address}")
            listener.working("Pulumi: starting")
            pulumi = self.pulumi(self.home.access())
            pulumi.have(STACK)
            outcome = Outcome()
            try:
                with closing(pulumi.up(STACK)) as events:
                    follow(events, listener, outcome)
            except ToolError as error:
                raise _failed(outcome, error) from error
            if outcome.interrupted:
                listener.working("Pulumi: clearing up after a run that was killed")
                pulumi.clear_interrupted(STACK)
            listener.line(f"Pulumi: {outcome.summary} in {outcome.seconds:.0f} s")
            return outcome

    def down(self, listener: Listener) -> None:
        """Remove everything that ``up`` made; what is not there need not be removed."""
        with self.home.alone(lambda: listener.line(WAITING)):
            if stop(self.home):
                listener.line("Core: stopped")
            if self.pulumi(None).forget(STACK):
                listener.line(f"Pulumi: stack {STACK} removed")
            if Journal(journal_directory(self.root, self.environ), STACK).forget():
                listener.line("Receipts: removed")
            if self.home.directory.exists():
                shutil.rmtree(self.home.directory)
                listener.line(f"{self.home.directory.name}: removed")

    def pulumi(self, access: Access | None) -> PulumiCli:
        """The command for the lab's Pulumi stack, with the lab's own key and no other."""
        environ = {
            name: value
            for name, value in self.environ.items()
            if name not in (ADDRESS, KEY, SECRET, "PULUMI_CONFIG_PASSPHRASE_FILE")
        }
        # The lab holds no secret: the salt in Pulumi.lab.yaml is that of the empty passphrase.
        environ["PULUMI_CONFIG_PASSPHRASE"] = ""
        if access is not None:
            environ |= access.environ
        return PulumiCli(self.root, environment(self.root, environ))


def _failed(outcome: Outcome, error: ToolError) -> LabError:
    problems = [Problem("", text) for text in outcome.errors] or list(error.problems)
    ended = Problem("lab", "not all of the fleet came up; what did stays", "make up goes on from there")
    return LabError(*problems, ended)
