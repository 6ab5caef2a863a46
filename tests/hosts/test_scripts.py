"""The scripts as text."""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from homeops.fleet.hosts import HOSTS
from homeops.hosts.age_key import install_age_key
from homeops.hosts.age_key_rotation import add, drop, look
from homeops.hosts.requirement import Requirement
from homeops.hosts.requirements import requirements
from homeops.hosts.shell import SUDO_REFUSED, as_root
from homeops.model.host import AgeKey
from homeops.settings import load_settings
from tests.conftest import ROOT

SITE = load_settings("prod", ROOT)
RECIPIENT = "age1y6dnshya496nf3072zudw3vd33723v02g3tfvpt563zng0xd9ghqwzj5xk"
OF_HOST = {host.name: requirements(host, SITE, RECIPIENT, ROOT) for host in HOSTS}


def _scripts() -> dict[str, str]:
    scripts = {
        f"{host} {item.name} {part}": text
        for host, items in OF_HOST.items()
        for item in items
        for part, text in (("probe", item.probe), ("apply", item.apply), ("undo", item.undo), ("parting", item.parting))
        if text
    }
    key = AgeKey(reason="because")
    scripts["install the age key"] = install_age_key(key, RECIPIENT)
    scripts["look at the age keys"] = look(key)
    scripts["add an age key"] = add(key, "0" * 64)
    scripts["drop an age key"] = drop(key, RECIPIENT, "0" * 64, "1" * 64)
    scripts["as root through sudo"] = as_root("id -u", "deploy")
    once = {text: name for name, text in scripts.items()}
    return {name: text for text, name in once.items()}


def test_every_script_is_clean_shell(tmp_path: Path, shellcheck: str) -> None:
    for name, text in _scripts().items():
        (tmp_path / name.replace(" ", "-")).write_text(text)
    files = sorted(tmp_path.iterdir())
    checked = subprocess.run(
        [shellcheck, "--shell=sh", "--format=gcc", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")
    assert len(files) > 10


def test_every_script_fits_on_a_command_line() -> None:
    # Linux: one argument has at most 128 KiB.
    for text in _scripts().values():
        assert len(as_root(text, "deploy").encode()) < 64 * 1024


@pytest.mark.parametrize("host", OF_HOST)
def test_requirements_come_in_the_order_in_which_they_need_each_other(host: str) -> None:
    order = ["docker", "time-sync", "disk-space", "decrypted-files", "age-key", "apparmor-mask", "native-sops"]
    names = [item.name for item in OF_HOST[host] if item.name in order]
    assert names[:5] == order[:5]
    assert all(order.index(one) < order.index(next_one) for one, next_one in pairwise(names))


def test_each_quirk_that_is_a_script_is_required_with_its_reason() -> None:
    for host in HOSTS:
        reasons = {item.name: item.reason for item in OF_HOST[host.name]}
        for quirk in host.quirks:
            # DNS for Docker is a line of Periphery's compose file.
            assert quirk.name == "docker-dns" or reasons[quirk.name] == quirk.reason


def test_the_clock_and_the_disk_are_reported_and_the_disk_is_never_repaired() -> None:
    found = {item.name: item for item in OF_HOST["nvr"]}
    assert found["time-sync"].reported == {"clock": "in sync"}
    assert found["disk-space"].reported == {"free": "at least 5 GiB"}
    assert found["disk-space"].wanted == {}


def test_what_is_taken_back_is_what_was_added() -> None:
    undone: set[str] = {item.name for items in OF_HOST.values() for item in items if item.undo}
    assert {"apparmor-mask", "native-sops"} <= undone
    assert not {"docker", "age-key", "time-sync", "disk-space"} & undone


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_text_reaches_the_shell_of_root_as_it_is(user: str, tmp_path: Path) -> None:
    text = "a'b\"c$HOME`id`\\ \n\tü"
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    sudo.chmod(0o755)
    line = as_root(f"cat; printf %s '{text.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'", user)
    done = subprocess.run(
        ["sh", "-c", line],
        input="from outside|",
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "IFS": "x"},
    )
    assert done.stdout == f"from outside|{text}"


def test_a_machine_without_sudo_says_so(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    line = as_root("id -u", "deploy")
    done = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert done.returncode == SUDO_REFUSED
    assert done.stderr == "homeops: sudo is not installed, and deploy is not root\n"


def test_a_requirement_promises_a_fact_only_once() -> None:
    def overlap(item: Requirement) -> set[str]:
        return item.wanted.keys() & item.reported.keys()

    assert not any(overlap(item) for items in OF_HOST.values() for item in items)
