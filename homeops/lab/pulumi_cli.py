"""Running the ``pulumi`` command: its environment, the Pulumi stacks of a backend, and what it says while it works."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from homeops.errors import Problem, ToolError
from homeops.programs import search_path

STATE = ".state"
"""Where state is kept unless PULUMI_BACKEND_URL says otherwise."""

PROJECT = "homeops"
"""The project's name in Pulumi.yaml."""

_TAIL = 15


def environment(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for ``pulumi`` in the checkout at ``root``: our programs first, no downloads.

    The Python that runs homeops comes first on PATH, because Pulumi's language host runs the first one there is.
    """
    made = {
        **environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), search_path(root, environ)]),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_OPTION_SKIP_PLUGIN_PRE_INSTALL": "true",
        "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "1",
        # A stack that fails stops what depends on it and nothing else.
        "PULUMI_CONTINUE_ON_ERROR": "true",
        # Deploys wait in the provider for their host's turn; the default is four a processor of this machine.
        "PULUMI_PARALLEL": environ.get("PULUMI_PARALLEL", "32"),
        # It lives for seconds: looking for garbage less often makes it faster.
        "GOGC": environ.get("GOGC", "400"),
        # Pulumi lists the environment's packages with pip, which would ask the package index for a newer pip.
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    if not environ.get("PULUMI_BACKEND_URL"):
        made["PULUMI_BACKEND_URL"] = f"file://{root / STATE}"
        made.setdefault("PULUMI_HOME", str(root / ".tools" / "pulumi-home"))
    return made


@dataclass(frozen=True, slots=True)
class PulumiCli:
    """The command, in a checkout and with an environment."""

    root: Path
    environ: Mapping[str, str]

    @property
    def state(self) -> Path | None:
        """The directory of the state, where it is one."""
        url = self.environ["PULUMI_BACKEND_URL"]
        return self.root / Path(url.removeprefix("file://")).expanduser() if url.startswith("file://") else None

    @property
    def program(self) -> str | None:
        """Where ``pulumi`` is."""
        return shutil.which("pulumi", path=self.environ["PATH"])

    def have(self, stack: str) -> None:
        """Make the Pulumi stack unless it is there; which one is selected stays as it is."""
        if self.state is not None:
            self.state.mkdir(parents=True, exist_ok=True)
            drop_dead_locks(self.state, stack)
        if not self._has(stack):
            self._run("stack", "init", stack, "--no-select")

    def forget(self, stack: str) -> bool:
        """Remove the Pulumi stack, its history and its locks; its settings and what it manages stay.

        Says whether there was one. A state directory needs no ``pulumi`` for this.
        """
        if self.state is not None:
            return forget_in(self.state, stack)
        if not self._has(stack):
            return False
        self._run("stack", "rm", stack, "--yes", "--force", "--preserve-config", "--remove-backups")
        return True

    def up(self, stack: str, *, refresh: bool = False) -> Generator[dict[str, Any]]:
        """Bring a Pulumi stack up, after a look at what is there; yields the engine's events.

        Raises ToolError when it failed.
        """
        look = ["--refresh"] if refresh else []
        command = self._command("up", "--stack", stack, "--yes", "--skip-preview", "--json", *look)
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            other: list[str] = []
            try:
                for line in process.stdout or ():
                    event = _event(line)
                    if event is None:
                        other.append(line)
                    else:
                        yield event
            finally:
                # Ctrl-C reached pulumi as well: it ends what it began and writes it down, for as long as we listen.
                if process.stdout:
                    process.stdout.read()
        if process.returncode:
            raise _failure("up", process.returncode, "".join(other))

    def clear_interrupted(self, stack: str) -> None:
        """Forget creations that a killed run had begun: whatever came of them is found again by its name."""
        self._run("refresh", "--stack", stack, "--yes", "--skip-preview", "--clear-pending-creates")

    def missing(self) -> ToolError:
        """The error for a machine without it."""
        return ToolError(Problem("pulumi", "not found in .tools/bin or on PATH", "make tools"))

    def _has(self, stack: str) -> bool:
        known = json.loads(self._run("stack", "ls", "--json"))
        return any(found["name"].rsplit("/", 1)[-1] == stack for found in known)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            self._command(*arguments),
            cwd=self.root,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise _failure(" ".join(arguments[:2]), done.returncode, done.stderr or done.stdout)
        return done.stdout

    def _command(self, *arguments: str) -> Sequence[str]:
        program = self.program
        if program is None:
            raise self.missing()
        return [program, *arguments, "--non-interactive", "--color", "never"]


def forget_in(state: Path, stack: str) -> bool:
    """Remove one stack of this project from a state directory (pkg/backend/diy: stacks, history, backups, locks).

    The directory goes too when nothing is left in it.
    """
    books = state / ".pulumi"
    found = False
    for file in books.glob(f"stacks/{PROJECT}/{stack}.json*"):
        file.unlink()
        found = True
    kept = [books / kind / PROJECT / stack for kind in ("history", "backups")]
    for directory in (*kept, *books.glob(f"locks/*/{PROJECT}/{stack}")):
        shutil.rmtree(directory, ignore_errors=True)
    if not any(books.glob("stacks/*/*.json")):
        shutil.rmtree(books, ignore_errors=True)
    if state.is_dir() and not any(state.iterdir()):
        state.rmdir()
    return found


def drop_dead_locks(state: Path, stack: str) -> None:
    """Remove what a ``pulumi`` that was killed on this machine left: it keeps every later one out."""
    for file in (state / ".pulumi").glob(f"locks/*/{PROJECT}/{stack}/*.json"):
        try:
            lock = json.loads(file.read_text(encoding="utf-8"))
            alive = lock["hostname"] != socket.gethostname() or _is_alive(int(lock["pid"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not alive:
            file.unlink(missing_ok=True)
            file.with_name(f"{file.name}.attrs").unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # Where nobody takes note of ended processes, as in many containers, they stay as zombies.
        return not Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


def _event(line: str) -> dict[str, Any] | None:
    try:
        value: Any = json.loads(line)
    except ValueError:
        return None
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


def _failure(what: str, code: int, said: str) -> ToolError:
    lines = [line.removeprefix("error: ") for line in said.splitlines() if line.strip()]
    hint = "another pulumi is at work on it: let it end" if "currently locked" in said else ""
    text = "".join(f"\n    {line}" for line in lines[-_TAIL:])
    return ToolError(Problem(f"pulumi {what}", f"failed ({code}){text}", hint))
