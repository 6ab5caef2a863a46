"""What every test may ask for."""

import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import settings

from homeops.programs import find_program
from tests.loopback_only import refuse
from tests.missing import missing
from tests.sshd import Sshd

ROOT = Path(__file__).resolve().parent.parent

# How long an example takes is the machine's mood, and six workers share two processors.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


LONG = (
    "tests/end_to_end/",
    *(
        f"tests/engine/test_{name}.py"
        for name in ("reliability_core", "deletes", "deploys", "hosts", "moves", "core_fails")
    ),
    "tests/engine/",
    "tests/lab/test_lab_up.py",
    "tests/appliers/",
    "tests/hosts/",
    "tests/lab/machines/",
    "tests/recovery/",
)
"""Files by how long they take, the longest first: they begin first, and the others fill the time."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""

    def rank(item: pytest.Item) -> int:
        return next((rank for rank, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Generator[None]:
    """Nothing is sent beyond this machine."""
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def tool() -> Callable[[str], list[str]]:
    """Find a program: ``tool("sops")`` is how its command begins. One that is missing fails the test."""

    def find(name: str) -> list[str]:
        if path := find_program(name, ROOT, os.environ):
            return [str(path)]
        if name == "docker-compose" and (docker := shutil.which("docker")):
            plugin = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
            if plugin.returncode == 0:
                return [docker, "compose"]
        pytest.fail(f"{name}: not found in $HOMEOPS_TOOLS, .tools/bin or PATH\n  hint: make tools")

    return find


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Python keeps what it compiled, for all tests of all workers."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "compiled"


@pytest.fixture(scope="session")
def shellcheck() -> str:
    """The program; the test is skipped where there is none."""
    return shutil.which("shellcheck") or missing("nothing to check shell text with: apt-get install shellcheck")


@pytest.fixture
def new_sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., Sshd]]:
    """Make a machine that runs, with lines of sshd_config. The last one's client is used; all stop in the end."""
    made: list[Sshd] = []
    path = os.environ["PATH"]

    def make(*config: str, **more: tuple[str, ...]) -> Sshd:
        sshd = Sshd(tmp_path / f"machine{len(made)}")
        made.append(sshd)
        sshd.start(*config, **more)
        monkeypatch.setenv("PATH", f"{sshd.client}{os.pathsep}{path}")
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        return sshd

    yield make
    for sshd in made:
        sshd.stop()


@pytest.fixture
def sshd(new_sshd: Callable[..., Sshd]) -> Sshd:
    """A machine that takes our key, and whose keys are recorded."""
    return new_sshd()
