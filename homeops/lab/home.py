"""Where a rehearsal keeps what it has: ``.lab`` beside Pulumi.yaml, readable by its owner only.

::

    .lab/
      key.json       the key pair of its Core, made once for this lab
      core.json      the process that runs, or ran last: {"pid", "address"}
      core.lock      held for as long as that process lives
      core.log       what it said
      memory.json    what Core and the hosts hold, for a restart
      files/         git repositories, Core's checkouts, the files of simulated hosts

    and where hosts are machines:

      gateway        the address of this machine in their network: there Core answers
      machines/      keys, places, what they download
      checkout/      the clone that Pulumi works in (homeops/lab/machines/checkout.py)
      age.key        the lab's own, which its secrets are encrypted for
      home/          the operator's: km's profile with the key that the bootstrap made
"""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from homeops.errors import LabError, Problem
from homeops.komodo.credentials import Access, Credentials
from homeops.whole_file import write_whole

DIRECTORY = ".lab"


@dataclass(frozen=True, slots=True)
class Running:
    """A Core: its process and its address."""

    pid: int
    address: str


@dataclass(frozen=True, slots=True)
class LabKey:
    """The key pair and the password of the lab's first user; printing it shows nothing."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LabHome:
    """What the rehearsal of the checkout at ``root`` keeps."""

    root: Path

    @property
    def directory(self) -> Path:
        """``.lab``."""
        return self.root / DIRECTORY

    @property
    def memory(self) -> Path:
        """What Core and the hosts held when it was last written."""
        return self.directory / "memory.json"

    @property
    def log(self) -> Path:
        """What the process said."""
        return self.directory / "core.log"

    @property
    def files(self) -> Path:
        """Git repositories, checkouts, the files of the hosts."""
        return self.directory / "files"

    @property
    def checkout(self) -> Path:
        """The clone that Pulumi works in where hosts are machines."""
        return self.directory / "checkout"

    @property
    def repositories(self) -> Path:
        """Bare repositories as ``owner/name``: what Core and machines clone from."""
        return self.files / "git"

    @property
    def age_key(self) -> Path:
        """The age key that the lab's secrets are encrypted for."""
        return self.directory / "age.key"

    @property
    def operator(self) -> Path:
        """The operator's home directory."""
        return self.directory / "home"

    @property
    def gateway(self) -> str | None:
        """The address of this machine in the machines' network; None where hosts are simulated."""
        try:
            return (self.directory / "gateway").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None

    def have_machines(self, gateway: str) -> None:
        """Note that this lab's hosts are machines, which reach this one at ``gateway``."""
        self.make()
        write_private(self.directory / "gateway", f"{gateway}\n")

    def make(self) -> None:
        """Make the directory."""
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def key(self) -> LabKey:
        """The key pair of this lab, made at the first call."""
        file = self.directory / "key.json"
        known = _read(file)
        if known is None:
            known = {
                "key": f"K_{secrets.token_hex(20)}_K",
                "secret": f"S_{secrets.token_hex(20)}_S",
                "password": secrets.token_urlsafe(16),
            }
            write_private(file, json.dumps(known, indent=1))
        return LabKey(**known)

    def running(self) -> Running | None:
        """The Core that runs here, if one does."""
        try:
            with _lock(self.directory / "core.lock") as got_it:
                return None if got_it else self.last()
        except FileNotFoundError:
            return None

    def last(self) -> Running | None:
        """The Core that ran here last, or runs."""
        known = _read(self.directory / "core.json")
        return Running(**known) if known else None

    def note(self, running: Running) -> None:
        """Write down what runs."""
        write_private(self.directory / "core.json", json.dumps(asdict(running)))

    def access(self) -> Access:
        """How to talk to the Core that runs here, with the lab's own key; raises LabError when none does."""
        running = self.running()
        if running is None:
            raise LabError(Problem("lab", "no rehearsal is running here", "make up"))
        key = self.key()
        return Access(running.address, Credentials(key.key, key.secret), "the lab")

    @contextmanager
    def as_core(self) -> Generator[None]:
        """Be the one process that is Core; raises LabError when there is one already."""
        until = monotonic() + 2
        while True:
            with _lock(self.directory / "core.lock") as got_it:
                if got_it:
                    yield
                    return
            # Whoever asks whether Core is running holds the lock for a moment, too.
            if monotonic() > until:
                raise LabError(Problem("lab", "its Core is running already", "homeops lab status"))
            sleep(0.05)

    @contextmanager
    def alone(self, wait: Callable[[], None]) -> Generator[None]:
        """Let one ``up`` or ``down`` work at a time; the next one calls ``wait`` and waits."""
        # The checkout itself is locked: a lock file would be one more thing to remove.
        directory = os.open(self.root, os.O_RDONLY)
        try:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wait()
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)


def working_tree(root: Path) -> Path:
    """The checkout whose rehearsal a command in the checkout at ``root`` is for: the lab's own belongs to another."""
    lab = root.parent
    return lab.parent if lab.name == DIRECTORY and root == LabHome(lab.parent).checkout else root


def write_private(file: Path, text: str) -> None:
    """Write a file in one step, for its owner only."""
    write_whole(file, text, mode=0o600)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise LabError(Problem(str(file), "not readable", "make down, then make up")) from error


@contextmanager
def _lock(file: Path) -> Generator[bool]:
    """Hold a lock file if nobody does; says whether it is held."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
