"""A simulated Core whose host is this machine: the stand-in Periphery as a process, the Docker engine that is here."""

import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

import pytest

from homeops.lab.core.agents_machine import MachineAgent, MachineAgents
from homeops.lab.core.core import Core
from homeops.lab.core.settings import Settings
from homeops.lab.machines.engine import Engine
from homeops.lab.periphery.release import release
from tests.conftest import ROOT
from tests.host_image import docker_engine
from tests.komodo.loopback import free_port
from tests.lab.rehearsed import Rehearsed

TOOLS = ROOT / ".tools" / "bin"
HOOKS = ROOT / "docker" / "periphery" / "scripts"


def need_docker() -> None:
    """Skip where a deploy is not possible."""
    _engine()
    for name in ("busybox", "git", "openssl"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    for name in ("docker-compose", "sops", "age-keygen"):
        if not (TOOLS / name).exists():
            pytest.skip(f".tools/bin/{name} is missing: make tools")


def docker(*arguments: str, given: IO[bytes] | None = None) -> str:
    """What a docker command prints; it must succeed."""
    return _engine().run(*arguments, data=given).strip()


@cache
def _engine() -> Engine:
    return docker_engine()


class Image:
    """A tiny image of busybox, with a name of its own, gone at the end."""

    def __init__(self, place: Path) -> None:
        self.name = f"homeops-test-busybox:{os.getpid()}"
        root = place / "image"
        (root / "bin").mkdir(parents=True)
        shutil.copy(str(shutil.which("busybox")), root / "bin")
        for applet in ("sh", "sleep", "cat"):
            (root / "bin" / applet).symlink_to("busybox")
        with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
            docker("import", "-", self.name, given=tar.stdout)

    def remove(self) -> None:
        """Remove it."""
        docker("image", "rm", "--force", self.name)


@dataclass
class PeripheryProcess:
    """The released program on a free port of this machine, with an environment of its own."""

    place: Path
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    version: str = "2.3.2"
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def root(self) -> Path:
        """Its root directory."""
        return self.place / "komodo"

    @property
    def program(self) -> Path:
        """The executable file."""
        program = self.place / f"periphery-{self.version}"
        if not program.exists():
            self.place.mkdir(parents=True, exist_ok=True)
            program.write_bytes(release(self.version))
        return program

    def whole_environ(self) -> dict[str, str]:
        """What its process has for an environment."""
        return {
            "PATH": f"{HOOKS}:{TOOLS}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.place),
            "PERIPHERY_ROOT_DIRECTORY": str(self.root),
            "PERIPHERY_PORT": str(self.port),
            "PERIPHERY_BIND_IP": "127.0.0.1",
            **self.environ,
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it to its end."""
        command = [sys.executable, "-I", str(self.program), *arguments]
        return subprocess.run(
            command, env=self.whole_environ(), capture_output=True, text=True, timeout=20, check=False
        )

    def start(self, *arguments: str) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-I", str(self.program), *arguments]
        self.process = subprocess.Popen(command, env=self.whole_environ(), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while self.answered_version() is None:
            assert self.process.poll() is None, "Periphery ended at once"
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def answered_version(self) -> str | None:
        """What it answers to whoever asks for its version: empty when it refuses, None when it does not answer."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with urllib.request.urlopen(f"{self.address}/version", context=context, timeout=5) as answer:  # noqa: S310
                return answer.read().decode()
        except urllib.error.HTTPError:
            return ""
        except OSError:
            return None


class Machined(Rehearsed):
    """A Core whose Server ``alpha`` is this machine. Compose projects are to be named by ``project``."""

    def __init__(self, place: Path, name: str) -> None:  # pyright: ignore[reportMissingSuperCall] - other hosts
        self.name = name
        self.core = Core(Settings(execution_seconds=0.01, silence_seconds=0.5))
        self.core.agents = MachineAgents(directory=place / "core", core_key=lambda: self.core.public_key)
        self.git = self.core.agents.repositories
        self.git.cache_seconds = 0.0
        plugins = place / "docker" / "cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-compose").symlink_to((TOOLS / "docker-compose").resolve())
        self.age_key = place / "age.key"
        subprocess.run([TOOLS / "age-keygen", "-o", self.age_key], capture_output=True, check=True)
        git = {"KEY_0": f"url.file://{self.git.directory}/.insteadOf", "VALUE_0": "https://git.test/", "COUNT": "1"}
        environ = {
            "DOCKER_CONFIG": str(place / "docker"),
            "SOPS_AGE_KEY_FILE": str(self.age_key),
            "PERIPHERY_CORE_PUBLIC_KEYS": self.core.public_key,
            **{f"GIT_CONFIG_{key}": value for key, value in git.items()},
        }
        self.periphery = PeripheryProcess(place / "host", environ)
        self.periphery.start()
        config = {"address": self.periphery.address, "enabled": True}
        self.write("CreateServer", name="alpha", config=config)
        self.machine.checkouts.cache_seconds = 0.0
        self._projects: set[str] = set()

    @property
    def machine(self) -> MachineAgent:
        """The agent of alpha."""
        assert self.core.agents.reachable(self.periphery.address)
        agent = self.core.agents.by_address[self.periphery.address]
        assert isinstance(agent, MachineAgent)
        return agent

    def project(self, name: str) -> str:
        """A name for a Stack and its project that is nobody else's; the project is taken down at the end."""
        whole = f"{self.name}-{name}"
        self._projects.add(whole)
        return whole

    def encrypted(self, text: str) -> str:
        """A dotenv file, encrypted by sops for this machine's age key."""
        recipient = next(
            line.rpartition(" ")[2] for line in self.age_key.read_text().splitlines() if "public key:" in line
        )
        types = ("--input-type", "dotenv", "--output-type", "dotenv")
        command = [TOOLS / "sops", "--config", "/dev/null", "encrypt", "--age", recipient, *types, "/dev/stdin"]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    def deployed(self, name: str, files: Mapping[str, str], **config: Any) -> dict[str, Any]:
        """Push the files of a Stack, create it unless it is there, deploy it; the Update."""
        project = self.project(name)
        self.git.push(f"owner/{name}", files, "files")
        if not self.read("ListStacks", query={"names": [project]}, limit=0):
            whole = {"server_id": "alpha", "repo": f"owner/{name}", "git_provider": "git.test"} | config
            self.write("CreateStack", name=project, config=whole)
        return self.run("DeployStack", stack=project)

    def close(self) -> None:
        """Remove what was deployed, with its volumes, and end Periphery."""
        for project in sorted(self._projects):
            label = f"label=com.docker.compose.project={project}"
            for kind, remove in (("container", "rm --force"), ("network", "rm"), ("volume", "rm")):
                every = ["--all"] if kind == "container" else []
                found = docker(kind, "ls", *every, "--quiet", "--filter", label).split()
                if found:
                    docker(kind, *remove.split(), *found)
        self.periphery.stop()
