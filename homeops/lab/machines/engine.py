"""The Docker engine that the lab's machines run on, spoken to with the docker command."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from homeops.errors import LabError, Problem

ASK_SECONDS = 10
"""How long an engine may take to say that it is there."""
WORK_SECONDS = 300
"""How long one command may take: none of them fetches much."""


class NoEngine(LabError):  # noqa: N818 - what happened, as in homeops.errors
    """Raised when there is no Docker engine to run machines on; Komodo is rehearsed without them."""


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers. ``cgroup`` is the version of control groups that it has: ``1`` or ``2``."""

    program: str
    cgroup: str
    environ: Mapping[str, str] = field(repr=False)

    def run(self, *arguments: str, data: bytes | IO[bytes] | None = None, seconds: float = WORK_SECONDS) -> str:
        """What the command printed; raises LabError with what it complained about. ``data`` goes to its input."""
        done = self.attempt(*arguments, data=data, seconds=seconds)
        if done.returncode:
            raise LabError(Problem(_command(arguments), _last_words(done.stderr) or f"ended with {done.returncode}"))
        return done.stdout.decode(errors="replace")

    def attempt(
        self, *arguments: str, data: bytes | IO[bytes] | None = None, seconds: float = WORK_SECONDS
    ) -> subprocess.CompletedProcess[bytes]:
        """The command's end, whatever it was; raises LabError only when it takes too long."""
        command = [self.program, *arguments]
        try:
            if isinstance(data, bytes):
                return subprocess.run(
                    command, env=self.environ, input=data, capture_output=True, timeout=seconds, check=False
                )
            return subprocess.run(
                command, env=self.environ, stdin=data or subprocess.DEVNULL, capture_output=True, timeout=seconds,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise LabError(Problem(_command(arguments), f"no end after {seconds:.0f} s", "docker ps -a")) from error

    def names(self, kind: str, prefix: str) -> list[str]:
        """The names of all containers (``container``), networks or volumes that begin with a prefix."""
        every = ["--all"] if kind == "container" else []
        form = "{{.Names}}" if kind == "container" else "{{.Name}}"
        found = self.run(kind, "ls", *every, "--filter", f"name={prefix}", "--format", form).split()
        return sorted(name for name in found if name.startswith(prefix))


def find_engine(environ: Mapping[str, str] | None = None) -> Engine:
    """The engine that the docker command reaches; raises NoEngine, which says why there is none."""
    environ = os.environ if environ is None else environ
    program = shutil.which("docker", path=environ.get("PATH"))
    if program is None:
        raise NoEngine(Problem("docker", "not installed; the lab has no machines then", "install Docker, then make up"))
    try:
        asked = Engine(program, "", environ).attempt(
            "info", "--format", "{{.CgroupVersion}} {{.OSType}}{{range .ServerErrors}}{{println}}{{.}}{{end}}",
            seconds=ASK_SECONDS,
        )  # fmt: skip
    except LabError as error:
        raise NoEngine(*error.problems) from error
    answer = asked.stdout.decode(errors="replace").split("\n")[0].split()
    if asked.returncode or len(answer) != 2:
        words = _last_words(asked.stderr) or _last_words(asked.stdout)
        raise NoEngine(Problem("docker", f"no engine answers: {words}", "systemctl start docker"))
    if answer[1] != "linux":
        raise NoEngine(Problem("docker", f"its containers are {answer[1]}'s; machines of the lab are Linux"))
    return Engine(program, answer[0], environ)


def _command(arguments: tuple[str, ...]) -> str:
    return f"docker {' '.join(arguments[:2])}"


def _last_words(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").strip().splitlines() if line.strip()]
    return "\n".join(lines[-5:])
