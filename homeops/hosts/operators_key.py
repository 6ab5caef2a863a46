"""The operator's own age key, for hosts that have none: of all keys at hand, only the one that the host needs."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from homeops.errors import Problem, SecretsError, ToolError

_IDENTITY = re.compile(r"AGE-SECRET-KEY-1[A-Z0-9]+")


def operators_key(recipient: str, environ: Mapping[str, str], home: Path) -> str:
    """The text of a key file with the private key of ``recipient`` and nothing else.

    Looks where sops does: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, ``~/.sops/key.txt``, ``~/.config/sops/age/keys.txt``.
    Raises SecretsError when it is in none of them, ToolError without age-keygen.
    """
    for text in _texts(environ, home):
        for identity in _IDENTITY.findall(text):
            if _recipient(identity, environ) == recipient:
                return f"# public key: {recipient}\n{identity}\n"
    what = f"the private key of {recipient} is not at hand"
    raise SecretsError(Problem("age key", what, "export SOPS_AGE_KEY_FILE=<the file with it>"))


def _texts(environ: Mapping[str, str], home: Path) -> Iterator[str]:
    yield environ.get("SOPS_AGE_KEY", "")
    named = environ.get("SOPS_AGE_KEY_FILE")
    for path in (*([Path(named)] if named else []), home / ".sops/key.txt", home / ".config/sops/age/keys.txt"):
        if path.is_file() and os.access(path, os.R_OK):
            yield path.read_text(encoding="utf-8", errors="replace")


def _recipient(identity: str, environ: Mapping[str, str]) -> str:
    """Whose key it is; empty for one that age-keygen cannot read. Through standard input: never on a command line."""
    command = ["age-keygen", "-y"]
    try:
        done = subprocess.run(
            command, input=identity, capture_output=True, encoding="utf-8", env=dict(environ), check=False
        )
    except FileNotFoundError:
        raise ToolError(Problem("age-keygen", "not found", "source tools/env.sh, or install age")) from None
    return done.stdout.strip()
