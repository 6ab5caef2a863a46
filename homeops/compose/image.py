"""Image references: ``[registry/]repository[:tag][@digest]``."""

from dataclasses import dataclass

from homeops.compose.interpolation import without_interpolations


@dataclass(frozen=True, slots=True)
class ImageReference:
    """The parts of an image reference as written; an interpolated part reads ``X``."""

    repository: str
    tag: str
    digest: str

    @property
    def pinned(self) -> bool:
        """Whether the reference names one version: a digest, or a tag other than ``latest``."""
        return bool(self.digest) or self.tag not in ("", "latest")


def parse_image(text: str) -> ImageReference:
    """Split an image reference. A colon before the last slash belongs to the registry's port."""
    name, _, digest = without_interpolations(text).partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return ImageReference(f"{head}{slash}{last}", tag, digest)
