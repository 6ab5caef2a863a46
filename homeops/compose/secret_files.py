"""Encrypted files beside a compose file and what the pre-deploy hook makes of them.

The rule is that of ``docker/periphery/scripts/sops-decrypt.sh``: ``[NAME].sops.TYPE`` becomes ``[NAME].TYPE``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

Format = Literal["env", "json", "yaml"]
_FORMATS: tuple[Format, ...] = ("env", "json", "yaml")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """An encrypted file in the repository and the plain file that exists on the host alone."""

    encrypted: Path
    plain: Path
    format: Format


def secret_files(directory: Path) -> tuple[SecretFile, ...]:
    """The encrypted files of a directory, not of those below it, in order of their names; none is not an error."""
    return tuple(
        SecretFile(path, plain_path(path), cast(Format, path.name.rpartition(".")[2]))
        for path in sorted(directory.iterdir())
        if path.name.endswith(tuple(f".sops.{kind}" for kind in _FORMATS)) and not path.is_dir()
    )


def plain_path(encrypted: Path) -> Path:
    """Where the hook puts the decrypted content of a secret file."""
    name, _, kind = encrypted.name.rpartition(".")
    return encrypted.with_name(f"{name.removesuffix('.sops')}.{kind}")


def encrypted_path(plain: Path) -> Path:
    """The secret file that a decrypted file comes from: ``.env`` from ``.sops.env``."""
    name, _, kind = plain.name.rpartition(".")
    return plain.with_name(f"{name}.sops.{kind}")
