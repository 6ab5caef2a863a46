"""What is said of a name that nobody knows."""

from collections.abc import Iterable

from homeops.errors import FleetError, Problem, nearest


def unknown_stack(name: str, known: Iterable[str], what: str) -> FleetError:
    """The error for a stack that is not ``what``, with the nearest of the known names."""
    names = sorted(known)
    return FleetError(
        Problem(f'stack "{name}"', f"is not {what}{nearest(name, names)}", f"one of {', '.join(names) or 'none'}")
    )
