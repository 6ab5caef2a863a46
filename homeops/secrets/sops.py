"""The sops binary: the only module that runs it.

A value goes in through standard input and comes out through standard output; it is never an argument, a message or a
file. Every file is written beside its place and moved there, so that it is whole at any moment.

What sops prints is told apart by its exit code (sops 3.9 to 3.13, cmd/sops/codes) and by texts without values, and is
never repeated: where it cannot read a file, it prints the line.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from homeops.compose.secret_files import format_of
from homeops.errors import Problem, SecretsError, ToolError
from homeops.secrets.files import shown
from homeops.secrets.policy import POLICY_FILE
from homeops.whole_file import UNFINISHED

Reason = Literal[
    "no key",
    "bad key",
    "other recipient",
    "damaged",
    "not encrypted",
    "encrypted",
    "format",
    "no rule",
    "old sops",
    "no file",
    "failed",
]

Check = Callable[[str], None]
"""Looks at plain content before it is kept; raises where it is not as wanted."""

# Everything else named SOPS_* would change for whom a file is encrypted.
_KEPT = ("SOPS_AGE_KEY", "SOPS_AGE_SSH_PRIVATE_KEY", "SOPS_EDITOR", "SOPS_DECRYPTION_ORDER")
_KEY_AT_HAND = ("SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD")
OWNERS_KEY = ".sops/key.txt"
"""Where the owner keeps the age key, below the home directory."""
_UNCHANGED = 200
_NO_FILE = 100
_CODES: dict[int, Reason] = {24: "damaged", 25: "damaged", 51: "damaged", 52: "damaged", 203: "encrypted"}
_TEXTS: tuple[tuple[str, Reason], ...] = (
    ("sops metadata not found", "not encrypted"),
    ("no matching creation rules found", "no rule"),
    ("config file not found", "no rule"),
    ("message authentication failed", "damaged"),
    ("Could not unmarshal", "format"),
    ("Error unmarshalling", "format"),
    ("yaml: ", "format"),
    ("invalid dotenv input line", "format"),
    ("flag provided but not defined", "old sops"),
)


class SopsFailed(SecretsError):  # noqa: N818  # named as homeops/errors.py names
    """Raised when sops could not do what it was asked; ``reason`` says why."""

    def __init__(self, reason: Reason, problem: Problem) -> None:
        super().__init__(problem)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Sops:
    """sops for the checkout at ``root``, with the age keys that ``environ`` names.

    Without any, the owner's ``~/.sops/key.txt`` is used, beside what sops looks for itself. Every method raises
    SopsFailed, and ToolError where there is no sops.
    """

    root: Path
    environ: Mapping[str, str]
    binary: str = "sops"

    def decrypt(self, path: Path) -> str:
        """The plain content of an encrypted file."""
        return self._decrypt(path, path)

    def encrypt(self, text: str, path: Path, check: Check) -> None:
        """Write ``text`` to ``path``, encrypted for the recipients that its rule names.

        ``check`` is given what the new file decrypts to; when it raises, everything stays as it was.
        """
        kind = file_format(path)
        types = ("--input-type", kind, "--output-type", kind)
        content = self._run(path, "encrypt", *types, "--filename-override", str(path), stdin=text, config=self._config)
        with self._beside(path) as fresh:
            fresh.write_text(content, encoding="utf-8", newline="")
            check(self._decrypt(path, fresh))

    def set(self, path: Path, place: Sequence[str | int], value: str, check: Check) -> None:
        """Set the value at a place: ``("A",)``, ``("users", 0, "name")``. Other values keep their ciphertext.

        ``check`` is given what the new file decrypts to; when it raises, everything stays as it was.
        """
        kind = file_format(path)
        index = "".join(f"[{json.dumps(step)}]" for step in place)
        with self._replaced(path) as copy:
            types = ("--input-type", kind, "--output-type", kind)
            self._run(path, "set", *types, "--value-stdin", str(copy), index, stdin=json.dumps(value))
            check(self._decrypt(path, copy))

    def updatekeys(self, path: Path, recipients: Iterable[str]) -> None:
        """Make the file readable for exactly these; every value keeps its ciphertext, so that nothing is redeployed."""
        with self._replaced(path) as copy:
            # A rule of its own: sops finds the file's rule by its path, and this is a copy.
            rule = copy.with_name("rule")
            rule.write_text(json.dumps({"creation_rules": [{"age": ",".join(sorted(recipients))}]}), encoding="utf-8")
            self._run(path, "updatekeys", "--yes", "--input-type", file_format(path), str(copy), config=rule)

    def rotate(self, path: Path, *, remove: Iterable[str] = ()) -> None:
        """Encrypt every value anew under a new data key, without the recipients in ``remove``."""
        kind = file_format(path)
        gone = [option for recipient in sorted(remove) for option in ("--rm-age", recipient)]
        with self._replaced(path) as copy:
            types = ("--input-type", kind, "--output-type", kind)
            copy.write_text(self._run(path, "rotate", *types, *gone, str(copy)), encoding="utf-8", newline="")

    def edit(self, path: Path) -> bool:
        """Open the file in $EDITOR; whether it was changed. The plain copy is in memory where this machine can."""
        command = [*self._command(Path(os.devnull)), "edit", "--input-type", file_format(path)]
        memory = next((place for place in ("/dev/shm",) if os.access(place, os.W_OK)), None)  # noqa: S108
        environ = {**self._environ(), **({"TMPDIR": memory} if memory else {})}
        # Without this a person would be put in the editor before being told that the file cannot be read.
        self.decrypt(path)
        done = subprocess.run([*command, str(path)], env=environ, cwd=self.root, check=False)
        if done.returncode not in (0, _UNCHANGED):
            raise self._failed(path, done.returncode, "")
        return done.returncode == 0

    def alone_with(self, key: str) -> "Sops":
        """The same with this private key and no other: whether it, and not one beside it, can read a file."""
        kept = {name: value for name, value in self.environ.items() if not name.startswith("SOPS_")}
        nowhere = {"HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}
        return Sops(self.root, {**kept, **nowhere, "SOPS_AGE_KEY": key}, self.binary)

    @property
    def _config(self) -> Path:
        return self.root / POLICY_FILE

    def _command(self, config: Path) -> list[str]:
        found = shutil.which(self.binary, path=self.environ.get("PATH", os.defpath))
        if found is None:
            raise ToolError(Problem(self.binary, "is not installed", "make tools"))
        # Always told: sops would take a secret file named .sops.yaml for its configuration.
        return [found, "--config", str(config)]

    def _environ(self) -> dict[str, str]:
        kept = {key: value for key, value in self.environ.items() if not key.startswith("SOPS_")}
        kept |= {key: value for key, value in self.environ.items() if key.startswith(_KEPT)}
        owners = Path(self.environ.get("HOME", os.devnull)) / OWNERS_KEY
        if not any(kept.get(key) for key in _KEY_AT_HAND) and owners.is_file():
            kept["SOPS_AGE_KEY_FILE"] = str(owners)
        return kept

    def _run(self, path: Path, *arguments: str, stdin: str = "", config: Path = Path(os.devnull)) -> str:
        done = subprocess.run(
            [*self._command(config), *arguments],
            env=self._environ(),
            cwd=self.root,
            input=stdin.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise self._failed(path, done.returncode, done.stderr.decode(errors="replace"))
        try:
            return done.stdout.decode()
        except UnicodeDecodeError:
            raise SopsFailed("format", Problem(shown(path, self.root), "its content is not UTF-8")) from None

    def _decrypt(self, path: Path, content: Path) -> str:
        kind = file_format(path)
        return self._run(path, "decrypt", "--input-type", kind, "--output-type", kind, str(content))

    @contextlib.contextmanager
    def _replaced(self, path: Path) -> Generator[Path]:
        """A copy of an encrypted file to work on, which then takes the file's place."""
        if not path.is_file():
            raise self._missing(path)
        with self._beside(path) as copy:
            shutil.copy2(path, copy)
            yield copy

    @contextlib.contextmanager
    def _beside(self, path: Path) -> Generator[Path]:
        """Where to write a file's new content; once all went well, it takes the file's place in one step."""
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=path.parent) as directory:
            fresh = Path(directory) / path.name
            yield fresh
            fresh.replace(path)

    def _missing(self, path: Path) -> SopsFailed:
        return SopsFailed("no file", Problem(shown(path, self.root), *_told("no file", "", _NO_FILE)))

    def _failed(self, path: Path, code: int, said: str) -> SopsFailed:
        if code == _NO_FILE:
            return self._missing(path)
        reason = _reason(code, said)
        what, hint = _told(reason, file_format(path), code)
        return SopsFailed(reason, Problem(shown(path, self.root), what, hint))


def file_format(path: Path) -> str:
    """How sops names the format of a file: dotenv, json or yaml; raises SecretsError for any other."""
    kind = format_of(path)
    if kind is None:
        raise SecretsError(Problem(str(path), "not a dotenv, JSON or YAML file", "name it *.sops.env, .json or .yaml"))
    return "dotenv" if kind == "env" else kind


def _reason(code: int, said: str) -> Reason:
    # sops wraps what age said in a frame of "|" and line ends.
    text = " ".join(said.replace("|", " ").split())
    if code == 128:
        if "did not match any of the recipients" in text:
            return "other recipient"
        return "bad key" if "Errors while loading age identities" in text else "no key"
    for mark, reason in _TEXTS:
        if mark in text:
            return reason
    return _CODES.get(code, "failed")


def _told(reason: Reason, kind: str, code: int) -> tuple[str, str]:
    """What is wrong, and what to do."""
    key_file = "export SOPS_AGE_KEY_FILE=~/.sops/key.txt"
    told: dict[Reason, tuple[str, str]] = {
        "no key": ("there is no age key to decrypt it with", key_file),
        "bad key": ("the age key cannot be read, or is none", f"{key_file}, a file with a line AGE-SECRET-KEY-..."),
        "other recipient": (
            "is encrypted for another recipient than the age key at hand",
            "homeops secrets list shows its recipients; who has one of their keys can run homeops secrets updatekeys",
        ),
        "damaged": (
            "was changed after it was encrypted: its MAC does not fit",
            "git log -p shows by whom; restore it, then change it with homeops secrets edit",
        ),
        "not encrypted": ("is not encrypted", "homeops secrets encrypt"),
        "encrypted": ("is encrypted already", "homeops secrets edit"),
        "format": (f"is not a {kind} file that sops can read", "the file's name says its format"),
        "no rule": (
            f"no rule of {POLICY_FILE} says who may read it",
            "put it beside a compose file, or add a rule",
        ),
        "no file": ("no such file", "homeops secrets list"),
        "old sops": ("sops is too old: it takes no value from standard input", "make tools"),
        "failed": (f"sops failed (exit code {code})", "run it by hand to see more: sops decrypt FILE"),
    }
    return told[reason]
