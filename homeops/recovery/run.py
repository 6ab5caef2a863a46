"""Running the steps: each is a bash of its own on this machine, which reaches the host with the system's ssh."""

import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from homeops.errors import Problem, ToolError
from homeops.recovery.control_plane import ControlPlane
from homeops.recovery.script import Manner, Step, prelude, steps
from homeops.secrets.masking import masked

_LAST_LINES = 40
_SSH_FAILED = 255
"""The exit code that ssh has for its own failures."""

Began = Callable[[str], None]
"""Told the step that begins, as ``3/10 Bring the files``."""

Ended = Callable[[str, str], None]
"""Told the step that ended and what it said, empty in most cases."""


def run(
    plane: ControlPlane,
    root: Path,
    environ: Mapping[str, str],
    *,
    began: Began,
    ended: Ended,
    manner: Manner | None = None,
) -> None:
    """Take all steps for the checkout at ``root``; raises ToolError at the first that fails, with what it said.

    ``environ``: of the steps; with KOMODO_API_KEY and KOMODO_API_SECRET, the key is tried at the end. In what is told,
    the values of the stack's secrets are masked.
    """
    todo = steps(plane, manner)
    secrets = _names(root / file for file in plane.secrets)
    for number, step in enumerate(todo, start=1):
        name = f"{number}/{len(todo)} {step.title}"
        began(name)
        done = _bash(prelude(plane) + step.shell, root, environ)
        if done.returncode:
            raise ToolError(_problem(plane, step, name, done, secrets))
        ended(name, masked(done.stdout.strip(), secrets))


def _bash(text: str, root: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["bash", "-c", text],
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise ToolError(Problem("bash", "not found", "install bash, ssh, tar and curl")) from None


def _problem(
    plane: ControlPlane, step: Step, name: str, done: subprocess.CompletedProcess[str], secrets: set[str]
) -> Problem:
    lines = [line for text in (done.stderr, done.stdout) for line in text.splitlines() if line.strip()]
    said = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:]) or f"    (exit code {done.returncode})"
    hint = step.hint
    if done.returncode == _SSH_FAILED and not step.reaches:
        hint = "the connection to the host broke: run it again, every step may be repeated"
    where = f"recovery of {plane.stack} on {plane.host}"
    return Problem(where, f"{name}: failed\n{masked(said, secrets)}", hint)


def _names(files: Iterable[Path]) -> set[str]:
    """The names of the secrets in encrypted files: what stands before an encrypted value."""
    texts = (file.read_text(encoding="utf-8") for file in files if file.is_file())
    return {name for text in texts for name in re.findall(r"""([\w.-]+)["']?\s*[=:]\s*["']?ENC\[""", text)}
