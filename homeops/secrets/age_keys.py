"""A new age key, and the operator's key file. A private key is never an argument, and in no message."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from homeops.errors import Problem, SecretsError, ToolError
from homeops.secrets.sops import OWNERS_KEY, write_whole

_PRIVATE = re.compile(r"^\s*(AGE-SECRET-KEY-[A-Z0-9]+)\s*$", re.MULTILINE)
_OF_SOPS = (".config/sops/age/keys.txt", "Library/Application Support/sops/age/keys.txt")


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
    private = _PRIVATE.findall(_age_keygen(environ))[0]
    return AgeKey(_age_keygen(environ, "-y", stdin=f"{private}\n").strip(), private)


def digest(text: str) -> str:
    """SHA-256 of the private key in a key file's text, in hexadecimal: by it a host is asked whether it has the key."""
    return hashlib.sha256(private_key(text).encode()).hexdigest()


def private_key(text: str) -> str:
    """The first private key in the text of a key file; raises SecretsError when there is none."""
    found = _PRIVATE.search(text)
    if found is None:
        raise SecretsError(Problem("age key", "there is no line AGE-SECRET-KEY-... where one has to be", "age-keygen"))
    return found[1]


def key_file(environ: Mapping[str, str]) -> Path:
    """The file that the operator's keys are in; raises SecretsError when there is none."""
    for path in _key_files(environ):
        if path.is_file():
            return path
    hint = "export SOPS_AGE_KEY_FILE=~/.sops/key.txt, a file with your age key"
    raise SecretsError(Problem("age key", "there is no file with your age keys, to put a new one in", hint))


def add_to_file(path: Path, key: AgeKey) -> None:
    """Put a pair beside those in a key file, in one step; nothing where it is there. The file is its owner's alone."""
    text = path.read_text(encoding="utf-8")
    if key.private not in _PRIVATE.findall(text):
        write_whole(path, text + ("" if text.endswith("\n") or not text else "\n") + key.text, mode=0o600)


def _key_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("SOPS_AGE_KEY_FILE"):
        yield Path(named)
    if home := environ.get("HOME"):
        yield from (Path(home) / place for place in (OWNERS_KEY, *_OF_SOPS))


def _age_keygen(environ: Mapping[str, str], *arguments: str, stdin: str = "") -> str:
    found = shutil.which("age-keygen", path=environ.get("PATH", os.defpath))
    if found is None:
        raise ToolError(Problem("age-keygen", "is not installed", "make tools"))
    command = [found, *arguments]
    done = subprocess.run(command, input=stdin, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(Problem("age-keygen", f"failed (exit code {done.returncode})"))
    return done.stdout
