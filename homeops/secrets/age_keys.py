"""Age keys: a new pair, and whose a private key is. A private key is never an argument, and in no message."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from homeops.errors import Problem, SecretsError, ToolError

_PRIVATE = re.compile(r"^\s*(AGE-SECRET-KEY-[A-Z0-9]+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AgeKey:
    """A pair: who it is (``age1...``), and the private key, which is never shown."""

    recipient: str
    private: str = field(repr=False)

    @property
    def text(self) -> str:
        """The lines of a key file."""
        return f"# public key: {self.recipient}\n{self.private}\n"


def generate(environ: Mapping[str, str]) -> AgeKey:
    """A new pair, held in memory alone; raises ToolError without age-keygen."""
    done = _age_keygen(environ)
    if done.returncode:
        raise ToolError(Problem("age-keygen", f"failed (exit code {done.returncode})"))
    private = private_key(done.stdout)
    return AgeKey(recipient_of(private, environ), private)


def recipient_of(private: str, environ: Mapping[str, str]) -> str:
    """Whose private key it is; empty for one that age-keygen cannot read. Raises ToolError without age-keygen."""
    return _age_keygen(environ, "-y", stdin=f"{private}\n").stdout.strip()


def private_keys(text: str) -> list[str]:
    """The private keys in the text of a key file."""
    return _PRIVATE.findall(text)


def private_key(text: str) -> str:
    """The first private key in the text of a key file; raises SecretsError when there is none."""
    found = private_keys(text)
    if not found:
        raise SecretsError(Problem("age key", "there is no line AGE-SECRET-KEY-... where one has to be", "age-keygen"))
    return found[0]


def digest(text: str) -> str:
    """SHA-256 of the private key in a key file's text, in hexadecimal: by it a host is asked whether it has the key."""
    return hashlib.sha256(private_key(text).encode()).hexdigest()


def _age_keygen(environ: Mapping[str, str], *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    found = shutil.which("age-keygen", path=environ.get("PATH", os.defpath))
    if found is None:
        raise ToolError(Problem("age-keygen", "is not installed", "make tools"))
    command = [found, *arguments]
    return subprocess.run(command, input=stdin, env=dict(environ), capture_output=True, text=True, check=False)
