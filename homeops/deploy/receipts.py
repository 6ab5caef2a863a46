"""Receipts: what each deploy did, one line of JSON each, in a journal of the machine that deployed.

Standard library only, and no secrets: parts and services by name, images by digest, failures by their masked first
line. Komodo's own Updates know deploys of other machines too, but neither images nor health nor what came before.
"""

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast

from homeops.secrets.masking import masked

SCHEMA = 1
DIRECTORY = ".homeops"
PLACE = "HOMEOPS_RECEIPTS"
"""The variable that names another directory."""

_LONGEST_REASON = 300

Result = Literal["healthy", "failed", "rolled back", "unknown"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One deploy.

    ``began``: ISO 8601, UTC. ``commit``, ``images_after``: what runs since, empty when that is not known; images by
    service, the name with its digest. ``update``: id of Komodo's Update. ``why``: the parts that made it due.
    ``reason``: of its failure. ``by``: ``pulumi up`` or ``homeops rollback``.
    """

    stack: str
    host: str
    result: Result
    began: str
    seconds: float = 0.0
    commit: str = ""
    commit_before: str = ""
    images_before: dict[str, str] = field(default_factory=dict[str, str])
    images_after: dict[str, str] = field(default_factory=dict[str, str])
    update: str = ""
    why: list[str] = field(default_factory=list[str])
    reason: str = ""
    by: str = "pulumi up"


class Journal:
    """The receipts of a Pulumi stack, the oldest first; processes and threads may append at once."""

    def __init__(self, directory: Path, pulumi_stack: str) -> None:
        self.file = directory / f"receipts.{pulumi_stack}.jsonl"

    def append(self, receipt: Receipt, tell: Callable[[str], None] = print) -> None:
        """Write a receipt down; one that cannot be written is told, because the deploy is none the worse for it."""
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _append(self.file, _line(receipt))
        except OSError as error:
            tell(f"warning: the receipt of {receipt.stack} is not in {self.file}: {error.strerror}")

    def receipts(self, stack: str | None = None) -> list[Receipt]:
        """All of them, or those of one stack. Lines that are no receipts are passed over: a killed run tears its last.

        Raises OSError when the file cannot be read; none is no receipts.
        """
        try:
            lines = self.file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = [receipt for line in lines if (receipt := _read(line)) is not None]
        return [receipt for receipt in found if stack in (None, receipt.stack)]

    def forget(self) -> bool:
        """Remove it, and its directory when nothing else is there; says whether there was one."""
        found = self.file.exists()
        self.file.unlink(missing_ok=True)
        if self.file.parent.is_dir() and not any(self.file.parent.iterdir()):
            self.file.parent.rmdir()
        return found


def journal_directory(root: Path, environ: Mapping[str, str]) -> Path:
    """Where the journals of the checkout at ``root`` are."""
    return root / Path(environ.get(PLACE) or DIRECTORY).expanduser()


def first_line(text: str) -> str:
    """The first line of a failure, cut to a readable length, with whatever looks like a secret masked."""
    line = masked(text.strip().partition("\n")[0])
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 3]}..."


def _line(receipt: Receipt) -> bytes:
    told = {"schema": SCHEMA, **asdict(receipt), "reason": first_line(receipt.reason)}
    return json.dumps(told).encode() + b"\n"


def _append(file: Path, line: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = os.fstat(descriptor).st_size
        if end and os.pread(descriptor, 1, end - 1) != b"\n":
            line = b"\n" + line
        while line:
            line = line[os.write(descriptor, line) :]
    finally:
        os.close(descriptor)


_KEYS = frozenset(entry.name for entry in fields(Receipt))


def _read(line: bytes) -> Receipt | None:
    try:
        value: Any = json.loads(line)
        return Receipt(**{key: item for key, item in cast(dict[str, Any], value).items() if key in _KEYS})
    except (ValueError, TypeError, AttributeError):
        return None
