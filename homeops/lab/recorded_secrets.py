"""Secrets of a recorded conversation, encrypted anew by real sops for a fresh key: the recorded one was not kept."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from homeops.programs import find_program

_PLAIN = re.compile(r"its plaintext is (.+?)\.(?:\s|$)")
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class RecordedSecrets:
    """``text`` is the encrypted file, ``environment`` that of the agent: sops on its PATH, the file with the key."""

    text: str
    environment: dict[str, str]

    @classmethod
    def of_notes(cls, notes: str, directory: Path) -> Self | None:
        """The secrets that a recording's notes tell of, None when of none; raises LookupError without sops."""
        told = _PLAIN.search(notes)
        if "SOPS_AGE_KEY_FILE" not in notes or told is None:
            return None
        programs = {name: _program(name) for name in ("sops", "age-keygen")}
        key_file = directory / "age" / "keys.txt"
        key_file.parent.mkdir(parents=True)
        _run([programs["age-keygen"], "-o", str(key_file)], directory)
        recipient = _run([programs["age-keygen"], "-y", str(key_file)], directory).strip()
        plain = directory / "age" / "plain.env"
        plain.write_text("".join(f"{pair}\n" for pair in told[1].split(" and ")))
        format_ = ("--input-type", "dotenv", "--output-type", "dotenv")
        text = _run([programs["sops"], "-e", "--age", recipient, *format_, str(plain)], directory)
        plain.unlink()
        path = os.pathsep.join((str(Path(programs["sops"]).parent), "/usr/local/bin", "/usr/bin", "/bin"))
        home = directory / "home"
        return cls(text, {"PATH": path, "HOME": str(home), "SOPS_AGE_KEY_FILE": str(key_file)})


def _program(name: str) -> str:
    found = find_program(name, _ROOT, os.environ)
    if found is None:
        raise LookupError(f"{name}: not found in $HOMEOPS_TOOLS, .tools/bin or PATH")
    return str(found.resolve())


def _run(words: list[str], directory: Path) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory)}
    done = subprocess.run(words, cwd=directory, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
