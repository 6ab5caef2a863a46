"""``homeops lab``: up, up again, killed and up again, down. The real pulumi, in a copy of this repository."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeops.komodo.client import Client
from homeops.lab.home import LabHome
from tests.lab.copies import Copy

pytestmark = pytest.mark.xdist_group("lab")


class Bait:
    """A door of this machine that nothing may knock at."""

    def __init__(self) -> None:
        self.knocks = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.knocks += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    bait = Bait()
    yield bait
    bait.close()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], list[str]], root: Path) -> Copy:
    tool("pulumi-language-python")
    return Copy.make(root, tmp_path_factory.mktemp("lab"), Path(tool("pulumi")[0]).parent)


@pytest.fixture(scope="module")
def before(copy: Copy) -> dict[str, bytes]:
    """The copy as it was."""
    return copy.contents()


@pytest.fixture(scope="module")
def up(copy: Copy, bait: Bait, before: dict[str, bytes]) -> Iterator[str]:
    """What ``lab up`` printed, with somebody's own Core in the environment and in the profile of km."""
    assert before
    profile = Path(copy.environ["HOME"], ".config/komodo/komodo.cli.toml")
    profile.parent.mkdir(parents=True)
    profile.write_text(f'host = "{bait.address}"\nkey = "K_x"\nsecret = "S_x"\n')
    theirs = {"KOMODO_ADDRESS": bait.address, "KOMODO_API_KEY": "K_x", "KOMODO_API_SECRET": "S_x"}
    done = copy.homeops("lab", "up", "--port", "0", **theirs, PULUMI_CONFIG_PASSPHRASE="theirs")
    yield done.stderr + done.stdout
    copy.homeops("lab", "down")


def test_up_brings_the_fleet_up_and_says_so(up: str) -> None:
    created = re.search(r"^Pulumi: (\d+) created in \d+ s$", up, re.MULTILINE)
    assert created, up
    assert int(created[1]) > 80
    assert "Hosts: simulated (docker: " in up
    assert re.search(r"^Core: started at http://127\.0\.0\.1:\d+$", up, re.MULTILINE), up
    assert re.search(r"^frigate +nvr +running +1/1 +[0-9a-f]{7}$", up, re.MULTILINE), up
    assert "6 hosts, 13 stacks" in up
    assert len([line for line in up.splitlines() if "KOMODO_API_KEY" in line]) == 1


@pytest.mark.usefixtures("up")
def test_up_leaves_what_is_tracked_as_it_was(copy: Copy, before: dict[str, bytes]) -> None:
    now = copy.contents()
    assert {name: now[name] for name in before} == before
    assert {name.split("/")[0] for name in now.keys() - before.keys()} <= {".lab", ".state", ".homeops"}


@pytest.mark.usefixtures("up")
def test_the_lab_talks_to_its_own_core_only(bait: Bait) -> None:
    assert bait.knocks == 0


def test_the_key_of_the_lab_is_private_and_its_own(copy: Copy, up: str) -> None:
    home = LabHome(copy.directory)
    assert home.directory.stat().st_mode & 0o777 == 0o700
    for name in ("key.json", "core.json", "memory.json"):
        assert (home.directory / name).stat().st_mode & 0o777 == 0o600, name
    said = copy.homeops("lab", "core").stdout
    access = home.access()
    assert said.splitlines() == [
        f"export KOMODO_ADDRESS={access.address}",
        f"export KOMODO_API_KEY={access.credentials.key}",
        f"export KOMODO_API_SECRET={access.credentials.secret}",
    ]
    state = (copy.directory / ".state/.pulumi/stacks/homeops/lab.json").read_text()
    for secret in (access.credentials.key, access.credentials.secret):
        assert secret not in up
        assert secret not in state


@pytest.mark.usefixtures("up")
def test_a_second_up_changes_nothing(copy: Copy) -> None:
    again = copy.homeops("lab", "up")
    assert again.returncode == 0, again.stderr
    assert re.search(r"^Pulumi: \d+ unchanged in \d+ s$", again.stderr, re.MULTILINE), again.stderr
    assert "Core: is running at" in again.stderr


@pytest.mark.usefixtures("up")
def test_status_is_all_well(copy: Copy) -> None:
    done = copy.homeops("status", "--json")
    standing = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert standing["ok"] is True
    assert [host["name"] for host in standing["hosts"]] == ["komodo", "nvr", "kasm", "omni", "server04", "seaweedfs"]
    assert {stack["state"] for stack in standing["stacks"]} == {"running"}
    assert len(standing["stacks"]) == 13


@pytest.mark.usefixtures("up")
def test_hosts_and_containers_survive_a_killed_core(copy: Copy) -> None:
    home = LabHome(copy.directory)
    running = home.running()
    assert running
    access = home.access()
    with Client(access.address, access.credentials) as client:
        client.write("CreateTag", {"name": "just-now"})
    wait_for(lambda: "just-now" in home.memory.read_text())
    os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: home.running() is None)
    assert copy.homeops("lab", "status").returncode == 1
    assert "make up" in copy.homeops("status").stderr
    again = copy.homeops("lab", "up")
    assert f"Core: started at {running.address}" in again.stderr
    assert re.search(r"^Pulumi: \d+ unchanged in", again.stderr, re.MULTILINE), again.stderr
    assert "all as declared and up" in again.stdout
    with Client(access.address, access.credentials) as client:
        assert "just-now" in [tag["name"] for tag in client.read("ListTags", {})]


def test_a_killed_up_is_finished_by_the_next_and_down_leaves_nothing(
    tmp_path: Path, tool: Callable[[str], list[str]], root: Path
) -> None:
    copy = Copy.make(root, tmp_path, Path(tool("pulumi")[0]).parent)
    before = copy.contents()
    kill_in_the_middle(copy)
    again = copy.homeops("lab", "up")
    assert again.returncode == 0, again.stderr
    assert re.search(r"^Pulumi: \d+ created, \d+ unchanged in", again.stderr, re.MULTILINE), again.stderr
    state = json.loads((copy.directory / ".state/.pulumi/stacks/homeops/lab.json").read_text())
    assert not state["checkpoint"]["latest"].get("pending_operations")
    running = LabHome(copy.directory).running()
    assert running
    done = copy.homeops("lab", "down")
    assert done.returncode == 0, done.stderr
    assert copy.contents() == before
    wait_for(lambda: has_ended(running.pid))
    assert copy.homeops("lab", "down").returncode == 0


def kill_in_the_middle(copy: Copy) -> None:
    """Begin ``lab up``, and kill it and its pulumi without warning once a stack is deployed."""
    with subprocess.Popen(
        [sys.executable, "-m", "homeops", "lab", "up", "--port", "0"],
        cwd=copy.directory,
        env=dict(copy.environ),
        start_new_session=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr
        assert any("deployed in" in line for line in process.stderr)
        os.killpg(process.pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except FileNotFoundError:
        return True
    # Nobody may be there who takes note of its end.
    return state.startswith("Z")


def wait_for(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not happen within 10 s")
