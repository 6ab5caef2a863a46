"""What rendered files were made from, as their header says, and a digest of what a run would render."""

from collections.abc import Iterable
from hashlib import sha256

from homeops.komodo.toml.layout import MADE_BY


def made_from(stack: str) -> str:
    """What to edit instead of the files of a Pulumi stack."""
    return f"homeops/fleet and Pulumi.{stack}.yaml"


def is_for_another(texts: Iterable[str], stack: str) -> bool:
    """Whether texts were rendered, but none for this Pulumi stack: a rehearsal's checkout holds those of prod."""
    ours = [text for text in texts if text.startswith(MADE_BY)]
    return bool(ours) and not any(text.startswith(f"{MADE_BY} from {made_from(stack)}:") for text in ours)


def digest(texts: Iterable[str]) -> str:
    """The same for the same texts, in whatever order."""
    return sha256("".join(sorted(sha256(text.encode()).hexdigest() for text in texts)).encode()).hexdigest()
