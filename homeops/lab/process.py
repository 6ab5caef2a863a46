"""Starting and stopping the process of a rehearsal."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

from homeops.errors import HomeopsError, LabError, Problem
from homeops.komodo.client import Client, Patience
from homeops.lab.home import LabHome, Running

START_SECONDS = 30
STOP_SECONDS = 10


def start(home: LabHome, port: int) -> tuple[Running, bool]:
    """The running Core, and whether it was started just now; raises LabError with its log when it ends at once."""
    if running := home.running():
        _must_answer(home, running)
        return running, False
    home.make()
    with home.log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "homeops", "lab", "serve", "--port", str(port)],
            cwd=home.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Not in our process group: Ctrl-C here is not meant for it.
            start_new_session=True,
        )
    until = monotonic() + START_SECONDS
    while monotonic() < until and process.poll() is None:
        running = home.running()
        if running is not None and running.pid == process.pid:
            _must_answer(home, running)
            return running, True
        sleep(0.05)
    process.kill()
    process.wait()
    raise LabError(Problem("lab", f"its Core did not start\n{_tail(home.log)}", f"{home.log} has all of it"))


def stop(home: LabHome) -> bool:
    """End the Core if one runs; says whether one did."""
    running = home.running()
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    if not _ends(home, STOP_SECONDS):
        os.kill(running.pid, signal.SIGKILL)
        if not _ends(home, STOP_SECONDS):
            raise LabError(Problem("lab", f"its process {running.pid} does not end"))
    return True


def _ends(home: LabHome, seconds: float) -> bool:
    until = monotonic() + seconds
    while home.running() is not None:
        if monotonic() > until:
            return False
        sleep(0.02)
    return True


def _must_answer(home: LabHome, running: Running) -> None:
    access = home.access()
    try:
        with Client(access.address, access.credentials, patience=Patience(connect=2, read=5, tries=3)) as client:
            client.version()
    except HomeopsError as error:
        what = f"its process {running.pid} does not answer at {running.address}"
        raise LabError(Problem("lab", what, f"make down, then make up; {home.log} says what it did")) from error


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-15:])
