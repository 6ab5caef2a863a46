"""OpenSSH's known_hosts: which keys a host has. Text in, text out; the file is read and written at the end.

The format is that of sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: an optional marker, patterns, the kind of the key, the key.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from homeops.errors import Problem, ToolError
from homeops.whole_file import write_whole

SSH_PORT = 22

PREFERENCE = (
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "ssh-ed25519",
)
"""Kinds of keys in the order in which Go's SSH client asks for them.

A server shows one key, the first in this order that it has. pulumi-command checks for exactly the key that it is given,
and does not tell the server which one that is: with any other of the host's keys it fails.
(golang.org/x/crypto/ssh, the host key algorithms in common.go.)
"""


@dataclass(frozen=True, slots=True, order=True)
class HostKey:
    """A public key of a host: ``kind`` as in ``ssh-ed25519``, ``value`` in base64."""

    kind: str
    value: str

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.value)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    def __str__(self) -> str:
        """As a line of authorized_keys."""
        return f"{self.kind} {self.value}"


@dataclass(frozen=True, slots=True)
class _Line:
    marker: str
    patterns: str
    key: HostKey

    def is_for(self, name: str) -> bool:
        if self.patterns.startswith("|1|"):
            return _is_hash_of(self.patterns, name)
        found = False
        for pattern in self.patterns.split(","):
            if _fits(pattern.removeprefix("!"), name):
                if pattern.startswith("!"):
                    return False
                found = True
        return found


def host_pattern(address: str, port: int) -> str:
    """The name of a host in the file."""
    return address.lower() if port == SSH_PORT else f"[{address.lower()}]:{port}"


def keys_of(text: str, name: str) -> tuple[HostKey, ...]:
    """The keys that a text has for a name (``host_pattern``); certificates' and revoked ones are not among them."""
    return tuple(line.key for line in map(_parsed, text.splitlines()) if line and not line.marker and line.is_for(name))


def with_keys(text: str, name: str, keys: Iterable[HostKey]) -> str:
    """The text with exactly these keys for a name; other lines stay as they are.

    A line that is for other names too loses this one; patterns with ``*`` stay.
    """
    kept = [left for line in text.splitlines() if (left := _without(line, name)) is not None]
    return "".join(f"{line}\n" for line in (*kept, *(f"{name} {key}" for key in sorted(keys))))


def parse_scan(text: str) -> tuple[HostKey, ...]:
    """The keys in what ssh-keyscan printed for one host."""
    return tuple(sorted({line.key for line in map(_parsed, text.splitlines()) if line}))


def preferred(keys: Iterable[HostKey]) -> HostKey | None:
    """The key that the host shows to Go's SSH client; None where there is none that it understands."""
    by_kind = {key.kind: key for key in keys}
    return next((by_kind[kind] for kind in PREFERENCE if kind in by_kind), None)


def read_known_hosts(path: Path) -> str:
    """The text of the file; empty when there is none. Raises ToolError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ToolError(Problem(str(path), f"cannot be read: {error.strerror}", _PLACE)) from None


def write_known_hosts(path: Path, text: str) -> None:
    """Write the file, whole or not at all. Raises ToolError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Public keys: for everybody to read, as OpenSSH makes it.
        write_whole(path, text, mode=0o644)
    except OSError as error:
        raise ToolError(Problem(str(path), f"cannot be written: {error.strerror}", _PLACE)) from None


_PLACE = "knownHosts of homeops:ssh in Pulumi.<stack>.yaml says where it is"


def _parsed(text: str) -> _Line | None:
    words = text.split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    if len(words) < 3 or not _is_base64(words[2]):
        return None
    return _Line(marker, words[0], HostKey(words[1], words[2]))


def _without(text: str, name: str) -> str | None:
    """A line of the file without a name; None when nothing is left of it."""
    line = _parsed(text)
    if line is None or line.marker or not line.is_for(name):
        return text
    left = [pattern for pattern in _patterns(line) if pattern != name]
    return text.replace(line.patterns, ",".join(left), 1) if left else None


def _patterns(line: _Line) -> Iterator[str]:
    if not line.patterns.startswith("|1|"):
        yield from line.patterns.split(",")


def _fits(pattern: str, name: str) -> bool:
    """OpenSSH's patterns: ``*`` and ``?``, everything else is itself (a bracket too)."""
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(sign) or re.escape(sign) for sign in pattern.lower()), name) is not None


def _is_hash_of(hashed: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in hashed.split("|")[2:4])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False
