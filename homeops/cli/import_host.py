"""``homeops import --host``: compose projects that run on a host without Komodo, and what would adopt them."""

from pathlib import Path

from homeops.errors import HomeopsError, Problem


def import_host(host: str, *, stack: str, directory: Path | None, as_json: bool) -> None:
    """Show what runs on a host of the fleet and is no stack of Komodo, with the declaration that would adopt it.

    ``directory``: where compose files and declarations are written; None: they are only shown.
    """
    raise HomeopsError(Problem(f"host {host}", f"import from a host is not here yet ({stack}, {directory}, {as_json})"))
