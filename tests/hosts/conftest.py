"""Machines that answer over SSH, for each test."""

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.hosts.sshd import SSHD, Sshd


@pytest.fixture
def new_sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., Sshd]]:
    """Make a machine that runs, with lines of sshd_config. The last one's client is used; all stop in the end."""
    if SSHD is None:
        pytest.skip("sshd is not installed (openssh-server)")
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
