"""A simulated Core in a process of its own, as far from what is measured as a real one would be.

``python -m bench.core DIRECTORY REPOSITORY SECONDS`` serves the directory as that repository, lets each ``compose up``
of the homelab's stacks take so long, prints its address and ends with its standard input.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from homeops.fleet.stacks import STACKS
from homeops.komodo.credentials import ADDRESS, KEY, SECRET
from homeops.lab.core.containers_engine import Behaviour
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.hosts import LoopbackAgents, RehearsalHost
from homeops.lab.http import CoreServer


@dataclass(frozen=True, slots=True)
class Served:
    """A Core that runs: the KOMODO_ variables for it."""

    environ: Mapping[str, str]

    def requests(self) -> dict[str, int]:
        """What it was asked since it started, by route and type."""
        with urlopen(f"{self.environ[ADDRESS]}/lab/requests") as answer:  # noqa: S310 - our own process, on loopback
            return json.load(answer)


@contextmanager
def served(directory: Path, repository: str, *, compose_seconds: float = 0.0) -> Generator[Served]:
    """A Core for as long as the context lasts; ``compose_seconds``: of each ``compose up`` of the homelab's stacks."""
    command = [sys.executable, "-m", "bench.core", str(directory), repository, str(compose_seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("no pipes")
        address = process.stdout.readline().strip()
        settings = Settings()
        yield Served({ADDRESS: address, KEY: settings.admin_key, SECRET: settings.admin_secret})
        process.stdin.close()


class SlowAgents(LoopbackAgents):
    """Agents on whose hosts compose takes its time."""

    behaviours: Mapping[str, Behaviour]

    def meet(self, address: str) -> RehearsalHost | None:
        """The host at an address."""
        host = super().meet(address)
        if host is not None and not host.engine.behaviours:
            host.engine.behaviours.update(self.behaviours)
        return host


def main() -> None:
    """Be a Core."""
    directory, repository, seconds = sys.argv[1:]
    core = Core()
    with tempfile.TemporaryDirectory() as files:
        agents = SlowAgents(core.clock, directory=Path(files))
        agents.behaviours = {stack.name: Behaviour(seconds=float(seconds)) for stack in STACKS}
        core.agents = agents
        agents.repositories.serve(repository, Path(directory))
        with CoreServer(core) as server:
            print(server.address, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
