"""Where a rehearsal's fleet is worked on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from homeops.komodo.credentials import ADDRESS, KEY, SECRET, Access


@dataclass(frozen=True, slots=True)
class Stage:
    """A checkout, the Core that its fleet is in, and the environment of what works there: with its key, and no other.

    The environment has secrets of the lab: a representation does not show it.
    """

    root: Path
    access: Access
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, root: Path, access: Access, environ: Mapping[str, str]) -> "Stage":
        """The stage for the caller's environment, whatever Core that one points at."""
        return cls(root, access, {**without_access(environ), **access.environ})


def without_access(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without the caller's Core and passphrase.

    The lab's Pulumi stack holds no secret: the salt in its settings is that of the empty passphrase.
    """
    theirs = (ADDRESS, KEY, SECRET, "PULUMI_CONFIG_PASSPHRASE_FILE")
    kept = {name: value for name, value in environ.items() if name not in theirs}
    return {**kept, "PULUMI_CONFIG_PASSPHRASE": ""}
