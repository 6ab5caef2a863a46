"""A version of three numbers (client/core/rs/src/entities/mod.rs, Version)."""

from homeops.model.fields import I32, KomodoModel


class Version(KomodoModel):
    """``major.minor.patch``; Core also takes the text and always returns the object."""

    major: I32 = 0
    minor: I32 = 0
    patch: I32 = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"
