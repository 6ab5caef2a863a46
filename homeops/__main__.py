"""``python -m homeops``: the command line."""

from homeops.cli.main import app

app()
