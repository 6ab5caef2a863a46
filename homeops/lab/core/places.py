"""Where an agent's files are: in a directory of this machine (``pathlib.Path`` is a Place) or on another one."""

from typing import Protocol, Self


class Place(Protocol):
    """A file or directory; its text is the path on its own machine. Members mean what they mean for ``Path``."""

    @property
    def name(self) -> str:
        """The last part."""
        ...

    @property
    def parent(self) -> Self:
        """The directory that it is in."""
        ...

    def __truediv__(self, part: str, /) -> Self: ...

    def exists(self) -> bool:
        """Whether anything is there."""
        ...

    def is_dir(self) -> bool:
        """Whether a directory is there."""
        ...

    def is_file(self) -> bool:
        """Whether a file is there."""
        ...

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make the directory."""
        ...

    def read_text(self) -> str:
        """What the file holds."""
        ...

    def write_text(self, data: str, /) -> int:
        """Write the file."""
        ...

    def rename(self, target: Self, /) -> Self:
        """Give it another name."""
        ...
