"""A checkout of homeops with one stack and one secret file, in which commands are run."""

import os
from collections.abc import Callable
from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from homeops.errors import SecretsError
from homeops.secrets.sops import Sops
from tests.secrets.repository import SECRET, Repository, Tool

PLAIN = "A=first-value\nB=second-value\n"
WITH_RAW = "services:\n  web:\n    image: x\n    env_file:\n      - path: .env\n        format: raw\n"
WITHOUT = "services:\n  web:\n    image: x\n    env_file: .env\n"

VALUES = {
    "plain": "hunter2",
    "dollars": "$argon2id$v=19$${X} $(id) ${Y:-z}",
    "quotes": "it's \"quoted\" '\"'",
    "unicode": "pässwörd 😀 \u2028",
    "backslashes": "\\n is no line end \\",
    "hashes and spaces": "  # a #b  ",
    "equals": "a=b=c==",
    "looks like YAML": "yes: [no, 0x1F]",
    "number": "0123",
    "truth": "on",
    "10 kB": "0123456789abcdef" * 640,
}
SEVERAL_LINES = {
    "lines": "-----BEGIN KEY-----\nabc$d\n\n-----END KEY-----\n",
    "windows": "a\r\nb",
    "backslash": "a\\\nb\\n",
}


class Checkout:
    """The checkout, and how a command ends in it."""

    def __init__(self, root: Path, tool: Tool) -> None:
        self.repository = Repository(root, tool)
        self.root = root
        self.private, self.recipient = self.repository.key()
        self.repository.policy(self.recipient)
        self.repository.write("Pulumi.yaml", "name: homeops\n")
        self.repository.compose(WITH_RAW)
        self.file = self.repository.secret(SECRET, PLAIN)

    def run(self, command: Callable[..., None], *arguments: str, stdin: str | bytes = "") -> Result:
        app = typer.Typer()
        app.command()(command)
        return CliRunner().invoke(app, arguments, input=stdin)

    def done(self, command: Callable[..., None], *arguments: str, stdin: str | bytes = "") -> str:
        result = self.run(command, *arguments, stdin=stdin)
        assert result.exit_code == 0, result.exception
        # Not its text: of that, line ends are made alike.
        return result.stdout_bytes.decode()

    def refused(self, command: Callable[..., None], *arguments: str, stdin: str | bytes = "") -> str:
        result = self.run(command, *arguments, stdin=stdin)
        assert isinstance(result.exception, SecretsError), result.output
        return str(result.exception) + result.output

    def plain(self, path: Path | None = None) -> str:
        return Sops(self.root, os.environ).decrypt(path or self.file)
