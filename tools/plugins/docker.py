# Each kind takes the arguments of all kinds.
# ruff: noqa: ARG002
"""The docker provider: images that an engine is to have. The engine is the provider's ``host``, over SSH or not."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.plugins.server import Failed, Props, Tell, serve

VERSION = "5.2.0"

_REFUSED = ("context", "caMaterial", "certMaterial", "keyMaterial", "certPath", "registryAuth")


class Docker:
    """The docker command line, pointed at the engine; ``ssh`` gets ``sshOpts``."""

    def __init__(self) -> None:
        self._host = ""
        self._environ = dict(os.environ)
        self._programs: tempfile.TemporaryDirectory[str] | None = None

    def configure(self, args: Props) -> None:
        """Take the provider's inputs; lists come as JSON."""
        if refused := [name for name in _REFUSED if args.get(name)]:
            raise Failed(f"docker provider: the stand-in plugin does not know {', '.join(refused)}")
        self._host = str(args.get("host") or "")
        given: Any = args.get("sshOpts") or []
        options: list[str] = json.loads(given) if isinstance(given, str) else given
        if options:
            # docker has no option for them: it runs the first ssh there is. The name alone would be the program itself.
            ssh = shutil.which("ssh")
            if ssh is None:
                raise Failed("ssh: not found, and docker reaches engines with it\n  hint: install OpenSSH's client")
            self._programs = tempfile.TemporaryDirectory(prefix="pulumi-docker-")
            program = Path(self._programs.name) / "ssh"
            program.write_text(f'#!/bin/sh\nexec {shlex.join([ssh, *options])} "$@"\n')
            program.chmod(0o755)
            self._environ["PATH"] = f"{self._programs.name}{os.pathsep}{self._environ.get('PATH', os.defpath)}"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run docker; its exit code is not judged."""
        where = ["--host", self._host] if self._host else []
        try:
            return subprocess.run(
                ["docker", *where, *arguments], capture_output=True, text=True, check=False, env=self._environ
            )
        except FileNotFoundError as error:
            raise Failed("docker: not found, and the stand-in plugin runs it\n  hint: install Docker's CLI") from error

    def must(self, *arguments: str) -> str:
        """Run docker; raises Failed with what it said."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise Failed(f"docker {arguments[0]} at {self._host or 'the local engine'}: {done.stderr.strip()}")
        return done.stdout

    def image(self, name: str) -> dict[str, Any] | None:
        """An image as the engine describes it, or None."""
        done = self.run("image", "inspect", name)
        if done.returncode == 0:
            return json.loads(done.stdout)[0]
        if "No such image" in done.stderr:
            return None
        raise Failed(f"Error pinging Docker server at {self._host or 'the local engine'}: {done.stderr.strip()}")


class RemoteImage:
    """An image that the engine has: pulled where it is missing."""

    inputs = frozenset({"name", "keepLocally", "forceRemove", "platform", "pullTriggers", "triggers"})

    def __init__(self, docker: Docker) -> None:
        self._docker = docker

    def wrong(self, news: Props) -> list[tuple[str, str]]:
        """What is wrong with the inputs."""
        return [] if news.get("name") else [("name", "it is missing")]

    def replaces(self, changed: Sequence[str], news: Props) -> Sequence[str]:
        """Everything but what becomes of the image when this is deleted."""
        return [name for name in changed if name not in ("keepLocally", "forceRemove")]

    def create(self, news: Props, tell: Tell) -> tuple[str, Props]:
        """Pull it, unless the engine has it."""
        name = str(news["name"])
        found = self._docker.image(name)
        if found is None:
            platform = ["--platform", str(news["platform"])] if news.get("platform") else []
            self._docker.must("pull", "--quiet", *platform, name)
            found = self._docker.image(name)
        if found is None:
            raise Failed(f"docker pull {name}: the engine has no such image after it")
        return f"{found['Id']}{name}", _outputs(news, found)

    def update(self, olds: Props, news: Props, tell: Tell) -> Props:
        """Note what is to become of it."""
        return olds | news

    def read(self, outputs: Props) -> Props | None:
        """As the engine has it."""
        found = self._docker.image(str(outputs["name"]))
        return None if found is None else _outputs(outputs, found)

    def delete(self, outputs: Props, tell: Tell) -> None:
        """Remove it, unless it is to be kept."""
        if not outputs.get("keepLocally") and self._docker.image(str(outputs["name"])) is not None:
            force = ["--force"] if outputs.get("forceRemove") else []
            self._docker.must("image", "rm", *force, str(outputs["name"]))


def _outputs(props: Props, found: dict[str, Any]) -> Props:
    name = str(props["name"])
    digests: list[str] = found.get("RepoDigests") or []
    path, tag = name.split("@")[0].rpartition("/")[::2]
    repository = f"{path}/{tag.split(':')[0]}".removeprefix("/")
    digest = next((item for item in digests if item.split("@")[0] == repository), digests[0] if digests else "")
    return props | {"imageId": found["Id"], "repoDigest": digest}


if __name__ == "__main__":
    docker = Docker()
    serve(VERSION, {"docker:index/remoteImage:RemoteImage": RemoteImage(docker)}, docker.configure)
