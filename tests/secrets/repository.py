"""A git repository with secret files, made by the real sops and age."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent

from homeops.secrets.check import secret_findings
from homeops.secrets.environments import StackEnvironment
from homeops.secrets.finding import Finding

Tool = Callable[[str], list[str]]
STACK = "docker/stacks/nvr/web"
SECRET = f"{STACK}/.sops.env"
COMPOSE = f"{STACK}/compose.yaml"


class Repository:
    """One repository below a test's directory; every file is written with plain writes, as an editor would."""

    def __init__(self, root: Path, tool: Tool) -> None:
        self.root = root
        self._sops, self._keygen = tool("sops"), tool("age-keygen")
        root.mkdir(exist_ok=True)
        self.git("init", "--quiet")
        self.write(".gitignore", ".env\n")

    def git(self, *arguments: str) -> str:
        """Run git here, as nobody in particular and without anybody's settings."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        done = subprocess.run(command, env={**kept, **nobody}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file, as it is."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return place

    def read(self, path: str) -> str:
        """The text of a file."""
        return (self.root / path).read_bytes().decode()

    def key(self) -> tuple[str, str]:
        """A new private age key and the recipient that it is for."""
        private = subprocess.run(self._keygen, capture_output=True, text=True, check=True).stdout
        shown = subprocess.run([*self._keygen, "-y"], input=private, capture_output=True, text=True, check=True)
        return private.splitlines()[-1], shown.stdout.strip()

    def policy(self, *recipients: str, pattern: str = r"^docker/stacks/.*\.sops\.") -> None:
        """One rule for all secret files."""
        self.write(".sops.yaml", f"creation_rules:\n  - path_regex: {pattern}\n    age: {','.join(recipients)}\n")

    def secret(self, path: str, text: str) -> Path:
        """Encrypt a text with sops under the policy that stands here."""
        place = self.write(path, text)
        done = self.encrypt(path)
        assert done.returncode == 0, done.stderr
        return place

    def encrypt(self, path: str) -> subprocess.CompletedProcess[str]:
        """What sops makes of a file, in its place; the file is as it was where sops refuses."""
        kind = Path(path).suffix[1:].replace("env", "dotenv")
        command = [*self._sops, "encrypt", "--input-type", kind, "--output-type", kind, "--in-place", path]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)

    def compose(self, text: str, path: str = COMPOSE) -> None:
        """A compose file."""
        self.write(path, text)

    def findings(self, stacks: Sequence[StackEnvironment] | None = None, *, staged: bool = False) -> list[Finding]:
        """What the check finds."""
        return secret_findings(self.root, stacks, staged=staged)

    def found(self, stacks: Sequence[StackEnvironment] | None = None) -> list[tuple[str, int, str, str]]:
        """Path, line, rule and severity of everything that the check finds."""
        return [(each.path, each.line, each.rule, each.severity) for each in self.findings(stacks)]
