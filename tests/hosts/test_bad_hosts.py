"""Every way in which a host can be bad has one block that names host and step, and the others go on."""

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homeops.hosts import subject
from homeops.hosts.requirement import Requirement
from homeops.model.host import Host
from tests.hosts.checkout import homeops, new_checkout
from tests.sshd import Sshd

Patch = pytest.MonkeyPatch
Capture = pytest.CaptureFixture[str]

# Of the user alice only sudo knows that it is not who runs the test.
ALICE = """\
#!/bin/sh
for word; do
    shift
    [ "$word" != alice ] || word={user}
    set -- "$@" "$word"
done
exec {ssh} "$@"
"""


def written(disk: Path) -> Requirement:
    """A file is there; what is applied says as which step it failed."""
    file = shlex.quote(str(disk))
    probe = f"if [ -e {file} ]; then echo there=yes; else echo there=no; fi"
    apply = f'echo x >{file} 2>/dev/null || {{ echo "file: cannot write {disk.name}" >&2; exit 1; }}'
    return Requirement("file", "a test", {"there": "yes"}, probe, apply)


@pytest.fixture
def disks(monkeypatch: Patch, tmp_path: Path) -> Path:
    """Where every host has to have a file of its name, and nothing else."""

    def requirements(host: Host, *_: Any) -> tuple[Requirement, ...]:
        return (written(tmp_path / host.name),)

    monkeypatch.setattr(subject, "requirements", requirements)
    return tmp_path


def blocks(text: str) -> dict[str, str]:
    """The blocks of a text by the host that each begins with; of a host there is one."""
    found = [block for block in re.split(r"\n(?=\S)", text.strip()) if block]
    by_host = {block.partition(":")[0]: block for block in found}
    assert len(by_host) == len(found), text
    return by_host


def test_each_bad_host_has_one_block_and_the_good_one_is_repaired(
    monkeypatch: Patch, capsys: Capture, root: Path, tmp_path: Path, disks: Path, new_sshd: Callable[..., Sshd]
) -> None:
    machines = {
        "komodo": new_sshd(),
        "nvr": new_sshd(),
        "kasm": new_sshd("PasswordAuthentication yes", "AuthorizedKeysFile /dev/null"),
        "omni": new_sshd(),
        "server04": new_sshd(),
    }
    last = machines["server04"]
    for name in ("komodo", "omni"):
        (machines[name].client / "id.pub").write_text((last.client / "id.pub").read_text())
    last.program("sudo", "echo 'sudo: a password is required' >&2\nexit 1\n")
    checkout = new_checkout(root, tmp_path / "checkout", machines)
    settings = checkout / "Pulumi.test.yaml"
    of_last = f"sshPort: {last.port}\n      sshUser: "
    user = last.reach().user
    assert of_last + user in settings.read_text()
    settings.write_text(settings.read_text().replace(of_last + user, f"{of_last}alice"))
    known = {name: sshd.known_hosts.read_text() for name, sshd in machines.items()}
    known["omni"] = f"{machines['omni'].name} {machines['nvr'].public('ed25519')}\n"
    (checkout / "known_hosts").write_text("".join(known.values()))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(ALICE.format(user=user, ssh=shlex.quote(str(shutil.which("ssh")))))
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{last.client}:/usr/bin:/bin")
    assert homeops(monkeypatch, checkout, "repair", "--yes") == 1
    said = capsys.readouterr()
    assert "komodo: repaired file\n" in said.out
    assert (disks / "komodo").exists()
    told = blocks(said.err)
    assert {host: re.sub(r" \(.*|at 127.*", "", block.splitlines()[0]) for host, block in told.items()} == {
        "nvr": "nvr: refuses your keys",
        "kasm": "kasm: asks for a password: it takes none of your keys",
        "omni": "omni: its host key changed",
        "server04": "server04: sudo asks alice for a password",
        "seaweedfs": "seaweedfs: unreachable over SSH ",
    }
    assert all("\n  hint: " in block for block in told.values())


def test_two_hosts_with_one_address_are_told_and_the_others_go_on(
    monkeypatch: Patch, capsys: Capture, root: Path, tmp_path: Path, disks: Path, sshd: Sshd
) -> None:
    checkout = new_checkout(root, tmp_path / "checkout", {"komodo": sshd})
    settings = checkout / "Pulumi.test.yaml"
    settings.write_text(settings.read_text().replace("127.0.0.4", "127.0.0.3"))
    (checkout / "known_hosts").write_text(sshd.known_hosts.read_text())
    assert homeops(monkeypatch, checkout, "repair", "--yes", "komodo", "nvr", "kasm") == 1
    said = capsys.readouterr()
    assert "komodo: repaired file\n" in said.out
    assert (disks / "komodo").exists()
    told = blocks(said.err)
    assert {host: block.splitlines()[0] for host, block in told.items()} == {
        "nvr": 'nvr: has the same address for SSH as "kasm": 127.0.0.3 port 9',
        "kasm": 'kasm: has the same address for SSH as "nvr": 127.0.0.3 port 9',
    }
