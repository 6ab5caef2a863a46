"""``make preview`` of the real homelab in a clean checkout: the real pulumi, nothing sent, nothing changed."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.copies import Copy

GUARD = """\
import os, socket

def guard(name):
    real = getattr(socket.socket, name)
    def guarded(self, address, *rest):
        tell(self.family != socket.AF_UNIX and not str(address[0]).startswith("127."), name, address)
        return real(self, address, *rest)
    setattr(socket.socket, name, guarded)

def tell(wrong, *what):
    if wrong:
        with open(os.environ["KNOCKS"], "a") as knocks:
            knocks.write(f"{what}\\n")
        raise OSError("this test sends nothing")

real_lookup = socket.getaddrinfo
def lookup(host, *rest, **more):
    tell(host not in (None, "localhost") and not str(host).startswith("127."), "getaddrinfo", host)
    return real_lookup(host, *rest, **more)

socket.getaddrinfo = lookup
for name in ("connect", "connect_ex"):
    guard(name)
open(os.environ["KNOCKS"] + ".loaded", "a").write("x")
"""
"""Loaded by every Python that pulumi starts: only those could talk to Komodo."""


@pytest.mark.xdist_group("preview")
def test_a_preview_of_prod_sends_nothing_and_changes_no_file(
    tmp_path: Path, tool: Callable[[str], list[str]], root: Path
) -> None:
    copy = Copy.make(root, tmp_path, Path(tool("pulumi")[0]).parent)
    guard = tmp_path / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(GUARD)
    knocks = tmp_path / "knocks"
    before = copy.contents()
    done = subprocess.run(
        ["tools/preview", "prod", "--non-interactive"],
        cwd=copy.directory,
        env={**copy.environ, "PYTHONPATH": str(guard), "KNOCKS": str(knocks)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " to create" in done.stdout
    # The program and its provider, at least.
    assert Path(f"{knocks}.loaded").stat().st_size >= 2
    assert not knocks.exists(), knocks.read_text()
    now = copy.contents()
    assert {name: now[name] for name in before} == before
    assert {name.split("/")[0] for name in now.keys() - before.keys()} <= {".state", ".tools"}
