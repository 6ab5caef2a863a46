"""Bring the command line tools: pulumi with its Python host and its provider plugins, sops, age, docker compose.

For each tool, the first of these that there is:

1. one on this machine whose version fits,
2. the pinned version, brought by an earlier run,
3. the official download (pulumi's alone; the others are built),
4. a build from source.

Plugins are the official ones, or stand-ins (provider_plugins.py).

.tools/<tool>-<version>/ holds what was brought and .tools/bin links to it. .tools/choices.json remembers what was
chosen and what the choice depended on: while that is unchanged, a run reads it, looks at some files, and is done.

This runs before there is a virtual environment: the standard library of Python 3.11, nothing else.
"""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.catalogue import TOOLS, InstallError, Tool, fits, numbers, pinned_version
from tools.obtain import PULUMI_RELEASES, Workshop, obtained
from tools.provider_plugins import Plugin, Plugins

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Found:
    """A program on this machine, and what tells whether it is still the same file."""

    path: str
    mtime_ns: int
    size: int

    @classmethod
    def at(cls, path: str) -> "Found":
        """The program at a path."""
        status = Path(path).stat()
        return cls(path, status.st_mtime_ns, status.st_size)


@dataclass(frozen=True)
class Choice:
    """What was chosen for a tool.

    ``source`` is machine, download or source; ``path`` its program; ``pinned`` and ``found`` are what it depended on:
    the pin, and the candidates on this machine.
    """

    version: str
    source: str
    path: str
    pinned: str
    found: tuple[Found, ...]

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Choice":
        """A choice as it was written down."""
        return cls(
            kept["version"], kept["source"], kept["path"], kept["pinned"], tuple(Found(**f) for f in kept["found"])
        )

    def file(self, program: str) -> Path:
        """A program of this tool: companions stand beside the real file, not beside a link to it."""
        path = Path(self.path)
        return path if path.name == program else path.resolve().parent / program


class Installation:
    """The tools of one checkout; ``environ`` is what they are looked up with and built with."""

    def __init__(self, root: Path, environ: Mapping[str, str], *, releases: str = PULUMI_RELEASES) -> None:
        self.root = root
        self.releases = releases
        self.store = root / ".tools"
        self.bin = self.store / "bin"
        elsewhere = [part for part in environ.get("PATH", "").split(os.pathsep) if part and Path(part) != self.bin]
        self.environ = {**environ, "PATH": os.pathsep.join(elsewhere), "PULUMI_SKIP_UPDATE_CHECK": "true"}

    def run(self, tools: Sequence[Tool] = TOOLS) -> dict[str, Choice]:
        """Bring every tool and return what was chosen for each."""
        choices = self.remembered(tools)
        if len(choices) == len(tools):
            return choices
        self.bin.mkdir(parents=True, exist_ok=True)
        with self._alone():
            choices = self.remembered(tools)
            for tool in tools:
                if tool.name not in choices:
                    choices[tool.name] = self._bring(tool)
                    self._remember(choices)
        return {tool.name: choices[tool.name] for tool in tools}

    def remembered(self, tools: Sequence[Tool]) -> dict[str, Choice]:
        """The choices of the last run that still hold."""
        try:
            kept: dict[str, Any] = json.loads((self.store / "choices.json").read_text(encoding="utf-8"))
            choices = {name: Choice.of(value) for name, value in kept.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}
        return {tool.name: choices[tool.name] for tool in tools if self._holds(tool, choices.get(tool.name))}

    def _holds(self, tool: Tool, choice: Choice | None) -> bool:
        return (
            choice is not None
            and choice.pinned == self._pinned(tool)
            and choice.found == self._candidates(tool)
            and all(os.access(choice.file(program), os.X_OK) for program in tool.programs)
            and all(os.access(self.bin / program, os.X_OK) for program in tool.programs if not self._is_on_path(choice))
        )

    def _remember(self, choices: Mapping[str, Choice]) -> None:
        text = json.dumps({name: asdict(choice) for name, choice in choices.items()}, indent=2)
        with tempfile.NamedTemporaryFile("w", dir=self.store, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(self.store / "choices.json")

    def _pinned(self, tool: Tool) -> str:
        return pinned_version((self.root / "tools" / tool.name / "go.mod").read_text(encoding="utf-8"), tool.pin)

    def _candidates(self, tool: Tool) -> tuple[Found, ...]:
        """The programs on this machine that could serve, in the order in which they are tried."""
        home = self.environ.get("HOME", "/")
        places = [Path(directory.replace("~", home, 1)) / tool.program for directory in tool.plugin_directories]
        on_path = shutil.which(tool.program, path=self.environ["PATH"])
        beside = [str(place) for place in places if os.access(place, os.X_OK)]
        return tuple(Found.at(path) for path in ([on_path] if on_path else []) + beside)

    def _is_on_path(self, choice: Choice) -> bool:
        return shutil.which(Path(choice.path).name, path=self.environ["PATH"]) == choice.path

    def _bring(self, tool: Tool) -> Choice:
        pinned, found = self._pinned(tool), self._candidates(tool)
        for candidate in found:
            version = self._version_of(tool, candidate)
            choice = Choice(version, "machine", candidate.path, pinned, found)
            if fits(numbers(version), tool.oldest) and all(
                os.access(choice.file(name), os.X_OK) for name in tool.programs
            ):
                self._link(tool, None if self._is_on_path(choice) else choice)
                return choice
        home = self.store / f"{tool.name}-{pinned}"
        origin = home / "origin"
        if not origin.exists():
            with self._unfinished(home) as directory:
                workshop = Workshop(self.root / "tools", self.store, self.environ)
                source = obtained(tool, pinned, directory, workshop, self.releases)
                (directory / origin.name).write_text(source, encoding="utf-8")
        choice = Choice(pinned, origin.read_text(encoding="utf-8"), str(home / tool.program), pinned, found)
        self._link(tool, choice)
        return choice

    def _version_of(self, tool: Tool, found: Found) -> str:
        """What a program says its version is; empty when it says nothing."""
        command = [found.path, *tool.ask]
        try:
            asked = subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        version = numbers(asked.stdout) if asked.returncode == 0 else None
        return ".".join(map(str, version)) if version else ""

    def _link(self, tool: Tool, choice: Choice | None) -> None:
        """Let .tools/bin lead to the programs of this choice, or to none of this tool's."""
        for program in tool.programs:
            link = self.bin / program
            link.unlink(missing_ok=True)
            if choice is not None:
                link.symlink_to(choice.file(program))

    @contextlib.contextmanager
    def _unfinished(self, home: Path) -> Generator[Path]:
        """A directory that becomes ``home`` when the block ends well, and nothing when it does not."""
        directory = Path(tempfile.mkdtemp(prefix=f"{home.name}.", dir=self.store))
        directory.chmod(0o755)
        try:
            yield directory
            shutil.rmtree(home, ignore_errors=True)
            directory.rename(home)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """Wait for any other run for the same checkout."""
        with (self.store / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def table(choices: Mapping[str, Choice], plugins: Sequence[Plugin] = ()) -> str:
    """One line a tool or plugin: name, version, where it came from, where it is."""
    tools = [(name, choice.version.removeprefix("v"), choice.source, choice.path) for name, choice in choices.items()]
    rows = [*tools, *((plugin.name, plugin.version, plugin.source, str(plugin.path)) for plugin in plugins)]
    return "\n".join(f"{name:<8} {version:<10} {source:<9} {path}" for name, version, source, path in rows)


def main(arguments: Sequence[str]) -> int:
    """Install; with ``--list``, also print what comes from where."""
    if any(argument != "--list" for argument in arguments):
        print("usage: tools/install [--list]", file=sys.stderr)
        return 2
    try:
        choices = Installation(ROOT, os.environ).run()
        plugins = Plugins(ROOT, os.environ, choices["pulumi"].path).run()
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ntools: stopped; the next run goes on", file=sys.stderr)
        return 130
    if arguments:
        print(table(choices, plugins))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
