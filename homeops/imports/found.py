"""What an import has found, before anything is decided about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from homeops.imports.package import Comments
from homeops.imports.report import Note
from homeops.model.graph import Resource


@dataclass(frozen=True, slots=True)
class Found:
    """A resource, its references by name, and what a person wrote beside it."""

    resource: Resource
    comments: Comments = field(default_factory=Comments)

    @property
    def where(self) -> str:
        """As messages begin: with file and line where it was read from one."""
        return self.resource.where or f'{self.resource.kind.lower()} "{self.resource.name}"'


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found, and what is to be said of it already.

    ``source`` says where from, for the first line of the package. ``core``: address and version of the Core that was
    asked; empty when it was TOML, which may name what is declared elsewhere.
    """

    source: str
    found: Sequence[Found]
    notes: Sequence[Note] = field(default_factory=tuple)
    core: str = ""
    version: str = ""
