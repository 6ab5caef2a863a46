"""Encrypted files beside a compose file and what the pre-deploy hook makes of them.

The rule is that of ``docker/periphery/scripts/sops-decrypt.sh``: ``[NAME].sops.TYPE`` becomes ``[NAME].TYPE``.
"""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

Format = Literal["env", "json", "yaml"]
_FORMATS: dict[str, Format] = {"env": "env", "json": "json", "yaml": "yaml"}


@dataclass(frozen=True, slots=True)
class SecretFile:
    """An encrypted file in the repository and the plain file that exists on the host alone."""

    encrypted: Path
    plain: Path
    format: Format


def secret_files(directory: Path) -> tuple[SecretFile, ...]:
    """The encrypted files of a directory, not of those below it, in order of their names; none is not an error."""
    found = (secret_file(path) for path in sorted(directory.iterdir()) if not path.is_dir())
    return tuple(file for file in found if file is not None)


def secret_file(path: Path) -> SecretFile | None:
    """A file by its name; None when the hook does not decrypt such."""
    kind = format_of(path)
    return SecretFile(path, plain_path(path), kind) if kind is not None else None


def format_of(path: PurePath) -> Format | None:
    """The format of a secret file by its name (``.sops.env``); None when the hook does not decrypt such."""
    name, _, kind = path.name.rpartition(".")
    return _FORMATS.get(kind) if name.endswith(".sops") else None


def plain_path(encrypted: Path) -> Path:
    """Where the hook puts the decrypted content of a secret file."""
    name, _, kind = encrypted.name.rpartition(".")
    return encrypted.with_name(f"{name.removesuffix('.sops')}.{kind}")


def encrypted_path(plain: Path) -> Path:
    """The secret file that a decrypted file comes from: ``.env`` from ``.sops.env``."""
    name, _, kind = plain.name.rpartition(".")
    return plain.with_name(f"{name}.sops.{kind}")
