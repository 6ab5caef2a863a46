"""An SSH agent that holds the lab's operator key: what runs with it logs in to the lab's hosts as on the real ones."""

import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from homeops.errors import LabError, Problem

START_SECONDS = 10
_NO_AGENT = 2
"""How ssh-add ends where it reaches no agent, such as one that has its socket and does not listen yet."""


@contextmanager
def ssh_agent(key: Path, environ: Mapping[str, str]) -> Generator[dict[str, str]]:
    """The environment with an agent for one private key, and no other key or agent; it ends with the block."""
    # Not beside the key: the path of a socket may have 107 characters, and a checkout's has how many it has.
    with tempfile.TemporaryDirectory(prefix="homeops-lab-agent-") as place:
        inside = {name: value for name, value in environ.items() if name != "SSH_AGENT_PID"}
        inside["SSH_AUTH_SOCK"] = f"{place}/socket"
        try:
            process = subprocess.Popen(
                ["ssh-agent", "-D", "-a", inside["SSH_AUTH_SOCK"]],
                env=inside,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # It ends when its work ends, not at the first Ctrl-C of whoever still uses it.
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise LabError(Problem("ssh-agent", "not installed; the lab's hosts are logged in to with it")) from error
        try:
            _add(key, process, inside)
            yield inside
        finally:
            process.terminate()
            process.wait()


def _add(key: Path, process: subprocess.Popen[bytes], environ: Mapping[str, str]) -> None:
    until = monotonic() + START_SECONDS
    while (done := _ssh_add(key, environ)).returncode == _NO_AGENT:
        if process.poll() is not None or monotonic() > until:
            raise LabError(Problem("ssh-agent", "does not start"))
        sleep(0.01)
    if done.returncode:
        raise LabError(Problem("ssh-add", done.stderr.strip()))


def _ssh_add(key: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["ssh-add", "-q", str(key)]
    return subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
