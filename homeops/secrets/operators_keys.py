"""The operator's own age keys: where they are, the one of a recipient, and another one put beside them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from homeops.errors import Problem, SecretsError
from homeops.secrets.age_keys import AgeKey, private_keys, recipient_of
from homeops.secrets.sops import OWNERS_KEY
from homeops.whole_file import write_whole

_OF_SOPS = "sops/age/keys.txt"


def operators_key(recipient: str, environ: Mapping[str, str], home: Path) -> str:
    """The text of a key file with the private key of ``recipient`` and nothing else.

    Looks where sops does: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, ``~/.sops/key.txt``, and its own place below
    the configuration of Linux or macOS. Raises SecretsError when it is in none of them, ToolError without age-keygen.
    """
    for text in _texts(environ, home):
        for private in private_keys(text):
            if recipient_of(private, environ) == recipient:
                return AgeKey(recipient, private).text
    what = f"the private key of {recipient} is not at hand"
    raise SecretsError(Problem("age key", what, "export SOPS_AGE_KEY_FILE=<the file with it>"))


def key_file(environ: Mapping[str, str], home: Path) -> Path:
    """The file that the operator's keys are in; raises SecretsError when there is none."""
    for path in _key_files(environ, home):
        return path
    hint = "export SOPS_AGE_KEY_FILE=~/.sops/key.txt, a file with your age key"
    raise SecretsError(Problem("age key", "there is no file with your age keys, to put a new one in", hint))


def add_to_file(path: Path, key: AgeKey) -> None:
    """Put a pair beside those in a key file, in one step; nothing where it is there. The file is its owner's alone."""
    text = path.read_text(encoding="utf-8")
    if key.private not in private_keys(text):
        write_whole(path, text + ("" if text.endswith("\n") or not text else "\n") + key.text, mode=0o600)


def _texts(environ: Mapping[str, str], home: Path) -> Iterator[str]:
    yield environ.get("SOPS_AGE_KEY", "")
    for path in _key_files(environ, home):
        if os.access(path, os.R_OK):
            yield path.read_text(encoding="utf-8", errors="replace")


def _key_files(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """The key files that there are, in sops' order."""
    named = environ.get("SOPS_AGE_KEY_FILE")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    places = (home / OWNERS_KEY, config / _OF_SOPS, home / "Library/Application Support" / _OF_SOPS)
    yield from (path for path in (*([Path(named)] if named else []), *places) if path.is_file())
