# Each kind takes the arguments of all kinds.
# ruff: noqa: ARG002
"""The command provider: commands on this machine and over SSH, files copied over SSH."""

import os
import shlex
import subprocess
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from tools.plugins import ssh
from tools.plugins.server import UNKNOWN, Failed, Props, Tell, serve

VERSION = "1.2.1"

_COMMON = {"create", "update", "delete", "triggers", "environment", "stdin", "logging", "addPreviousOutputInEnv"}
_LOGGED = {"none": (), "stdout": ("stdout",), "stderr": ("stderr",), "stdoutAndStderr": ("stdout", "stderr")}


class _Command(ABC):
    """``create`` runs on creation and, without an ``update``, on every change; its output is kept."""

    inputs: frozenset[str]

    def wrong(self, news: Props) -> list[tuple[str, str]]:
        """What is wrong with the inputs."""
        logging = news.get("logging", "none")
        return [] if logging in (*_LOGGED, UNKNOWN) else [("logging", f"is one of {', '.join(_LOGGED)}")]

    def replaces(self, changed: Sequence[str], news: Props) -> Sequence[str]:
        """Triggers replace it: also where there is an ``update``, whatever the documentation of 1.2.1 says."""
        return ["triggers"] if "triggers" in changed else []

    def create(self, news: Props, tell: Tell) -> tuple[str, Props]:
        """Run ``create``."""
        return "", self._ran(str(news.get("create", "")), news, {}, tell)

    def update(self, olds: Props, news: Props, tell: Tell) -> Props:
        """Run ``update``, or ``create`` where there is none."""
        return self._ran(str(news.get("update") or news.get("create", "")), news, olds, tell)

    def read(self, outputs: Props) -> Props | None:
        """What was kept: a command is not looked at again."""
        return outputs

    def delete(self, outputs: Props, tell: Tell) -> None:
        """Run ``delete``."""
        self._ran(str(outputs.get("delete", "")), outputs, outputs, tell)

    def _ran(self, command: str, news: Props, olds: Props, tell: Tell) -> Props:
        if not command:
            return news | {"stdout": "", "stderr": ""}
        previous = news.get("addPreviousOutputInEnv", True) and "stdout" in olds
        before = {f"PULUMI_COMMAND_{name.upper()}": str(olds.get(name, "")) for name in ("stdout", "stderr")}
        given: dict[str, Any] = news.get("environment") or {}
        environ = (before if previous else {}) | {name: str(value) for name, value in given.items()}
        done = self._run(command, news, str(news.get("stdin", "")).encode(), environ, tell)
        said = {name: getattr(done, name).decode(errors="replace") for name in ("stdout", "stderr")}
        for name in _LOGGED[news.get("logging", "stdoutAndStderr")]:
            for line in said[name].splitlines():
                tell(line)
        if done.returncode != 0:
            shown = "".join(said.values())
            raise Failed(f"Process exited with status {done.returncode}: running {command!r}:\n{shown}")
        return news | {name: text.removesuffix("\n") for name, text in said.items()}

    @abstractmethod
    def _run(
        self, command: str, news: Props, stdin: bytes, environ: Mapping[str, str], tell: Tell
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command; its exit code is not judged."""


class RemoteCommand(_Command):
    """A command over SSH. Variables that the host's sshd does not accept are lost, where the official one fails."""

    inputs = frozenset({*_COMMON, "connection"})

    def wrong(self, news: Props) -> list[tuple[str, str]]:
        """What is wrong with the inputs."""
        return [*super().wrong(news), *_connection_wrong(news)]

    def _run(
        self, command: str, news: Props, stdin: bytes, environ: Mapping[str, str], tell: Tell
    ) -> subprocess.CompletedProcess[bytes]:
        return ssh.run(news["connection"], command, stdin, environ, tell)


class LocalCommand(_Command):
    """A command on this machine."""

    inputs = frozenset({*_COMMON, "interpreter", "dir"})

    def _run(
        self, command: str, news: Props, stdin: bytes, environ: Mapping[str, str], tell: Tell
    ) -> subprocess.CompletedProcess[bytes]:
        interpreter = news.get("interpreter") or ["/bin/sh", "-c"]
        return subprocess.run(
            [*interpreter, command],
            input=stdin,
            capture_output=True,
            check=False,
            cwd=news.get("dir"),
            env={**os.environ, **environ},
        )


class CopyToRemote:
    """A file or a directory, copied over SSH; what is there already is overwritten, and stays when this is deleted."""

    inputs = frozenset({"connection", "source", "remotePath", "triggers"})

    def wrong(self, news: Props) -> list[tuple[str, str]]:
        """What is wrong with the inputs."""
        source = news.get("source")
        if isinstance(source, dict) and not ({"path", "text"} & source.keys()):
            return [
                ("source", "the stand-in plugin copies FileAsset, StringAsset and FileArchive"),
                *_connection_wrong(news),
            ]
        return _connection_wrong(news)

    def replaces(self, changed: Sequence[str], news: Props) -> Sequence[str]:
        """Triggers copy anew."""
        return ["triggers"] if "triggers" in changed else []

    def create(self, news: Props, tell: Tell) -> tuple[str, Props]:
        """Copy."""
        self._copy(news, tell)
        return "", news

    def update(self, olds: Props, news: Props, tell: Tell) -> Props:
        """Copy again."""
        self._copy(news, tell)
        return news

    def read(self, outputs: Props) -> Props | None:
        """What was kept: the host is not looked at."""
        return outputs

    def delete(self, outputs: Props, tell: Tell) -> None:
        """Nothing."""

    def _copy(self, news: Props, tell: Tell) -> None:
        source: dict[str, Any] = news["source"]
        target = shlex.quote(str(news["remotePath"]))
        path = Path(source["path"]) if source.get("path") else None
        if path is not None and path.is_dir():
            # As cp does: into a directory that is there, unless only what is inside is meant.
            inside = "" if str(source["path"]).endswith("/") else f"/{shlex.quote(path.name)}"
            command = f't={target}; if [ -d "$t" ]; then t=$t{inside}; fi; mkdir -p "$t" && tar -xf - -C "$t"'
            content = _packed(path)
        else:
            name = shlex.quote(path.name if path else "asset")
            command = f't={target}; if [ -d "$t" ]; then t=$t/{name}; fi; cat > "$t"'
            content = path.read_bytes() if path else str(source["text"]).encode()
        done = ssh.run(news["connection"], command, content, {}, tell)
        if done.returncode != 0:
            raise Failed(f"copying to {news['remotePath']}: {done.stderr.decode(errors='replace').strip()}")


def _connection_wrong(news: Props) -> list[tuple[str, str]]:
    connection: Any = news.get("connection")
    if connection is None:
        return [("connection", "it is missing")]
    return [] if connection == UNKNOWN else ssh.wrong(connection)


def _packed(directory: Path) -> bytes:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(directory, ".")
    return packed.getvalue()


KINDS = {
    "command:local:Command": LocalCommand(),
    "command:remote:Command": RemoteCommand(),
    "command:remote:CopyToRemote": CopyToRemote(),
}

if __name__ == "__main__":
    serve(VERSION, KINDS, lambda _: None)
