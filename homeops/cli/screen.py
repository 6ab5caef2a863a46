"""Whom the command line talks to: results go to standard output, everything else to standard error; and questions."""

import sys

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from homeops.errors import HomeopsError, Problem

_WIDE = 200
"""The width where no terminal has one, so that nothing is cut in a file or a pipe."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
err = Console(highlight=False, stderr=True, width=None if sys.stderr.isatty() else _WIDE)


def table_of(*columns: str) -> Table:
    """A table without lines, with these heads; what does not fit in a column is folded."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def ask(question: str, nobody: Problem) -> None:
    """Go on after a yes, end the command after anything else; raises HomeopsError (``nobody``) without a terminal."""
    if not sys.stdin.isatty():
        raise HomeopsError(nobody)
    if not typer.confirm(question):
        sys.exit(1)


class Progress:
    """Shows work that takes time: lines that stay, and on a terminal one line below them that changes."""

    def __init__(self) -> None:
        self._status: Status | None = err.status("") if err.is_terminal else None

    def __enter__(self) -> "Progress":
        """Begin."""
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End: the changing line goes away."""
        if self._status:
            self._status.stop()

    def working(self, text: str) -> None:
        """What is being done at this moment."""
        if self._status:
            self._status.update(Text(text))

    def line(self, text: str) -> None:
        """Something to keep."""
        err.print(Text(text), soft_wrap=True)
