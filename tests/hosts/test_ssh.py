"""Reaching a host over a real sshd: each way in which it fails has one clear error, and trust is nobody else's."""

import dataclasses
import socket
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from homeops.errors import ToolError
from homeops.hosts.reach import HostError, HostUnreachable, Reach, reach_of
from homeops.hosts.shell import as_root
from homeops.hosts.ssh import run
from homeops.model.site import Site
from tests.example_site import example_settings
from tests.sshd import Sshd


def refusal(reach: Reach, script: str = "true") -> str:
    with pytest.raises(HostError) as caught:
        run(reach, script)
    (problem,) = caught.value.problems
    assert problem.where == reach.host
    assert problem.hint
    return problem.what


def test_a_command_runs_with_its_input_and_its_code_comes_back(sshd: Sshd) -> None:
    done = run(sshd.reach(), "cat; echo wrong >&2; exit 7", "ü $HOME\n'quoted'\n")
    assert (done.code, done.stdout, done.stderr) == (7, "ü $HOME\n'quoted'\n", "wrong\n")


def test_much_input_that_nobody_reads_is_no_failure(sshd: Sshd) -> None:
    assert run(sshd.reach(), "echo done", "x" * 5_000_000).stdout == "done\n"


def test_no_host_moves_the_cursor_of_a_terminal(sshd: Sshd) -> None:
    assert run(sshd.reach(), "printf 'a\\033[2J\\tb\\r\\n\\302\\233c'").stdout == "a?[2J\tb\n?c"


def test_a_configuration_that_ssh_does_not_take_is_told(sshd: Sshd) -> None:
    sshd.configure("Nonsense yes")
    said = refusal(sshd.reach())
    assert said.startswith("ssh on this machine does not take its configuration:\n")
    assert "line 1: Bad configuration option: nonsense" in said


def test_an_ssh_that_lacks_an_option_is_told(sshd: Sshd) -> None:
    wrapper = (sshd.client / "ssh").read_text()
    (sshd.client / "ssh").write_text(wrapper.replace('"$@"', '-o NotYet=yes "$@"'))
    assert "Bad configuration option: notyet" in refusal(sshd.reach())


def test_a_script_as_root_gets_there_whole(sshd: Sshd) -> None:
    script = "printf '%s|' \"it's\" 'a \"b\"' '$HOME' '\\n'\ncat"
    assert run(sshd.reach(), as_root(script, "root"), "input").stdout == 'it\'s|a "b"|$HOME|\\n|input'


def test_a_full_disk_is_the_scripts_own_failure(sshd: Sshd) -> None:
    done = run(sshd.reach(), "echo much >/dev/full")
    assert done.code not in (0, 255)
    assert "No space left on device" in done.stderr


def test_nobody_listening_is_unreachable(sshd: Sshd) -> None:
    sshd.stop()
    with pytest.raises(HostUnreachable) as caught:
        run(sshd.reach(), "true")
    assert caught.value.problems[0].what == f"unreachable over SSH at 127.0.0.1 port {sshd.port}: connection refused"


@pytest.fixture
def silent() -> Generator[int]:
    """The port of one that takes connections and says nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_one_that_says_nothing_costs_the_connect_timeout(sshd: Sshd, silent: int) -> None:
    reach = dataclasses.replace(sshd.reach(), port=silent, timeout=1)
    began = time.monotonic()
    with pytest.raises(HostUnreachable) as caught:
        run(reach, "true")
    assert time.monotonic() - began < 4
    assert caught.value.problems[0].what.startswith(f"unreachable over SSH at 127.0.0.1 port {silent}: ")
    assert "timed out" in caught.value.problems[0].what


def test_a_name_that_nobody_knows_is_unreachable(sshd: Sshd) -> None:
    reach = dataclasses.replace(sshd.reach(), address="nowhere.invalid")
    assert refusal(reach) == "its address is not known here: nowhere.invalid"


def test_a_refused_key_is_told(sshd: Sshd) -> None:
    sshd.new_key("client/other")
    (sshd.client / "id").write_text((sshd.client / "other").read_text())
    assert refusal(sshd.reach()).startswith("refuses your keys (")


def test_one_that_asks_for_a_password_is_told_and_nobody_is_asked(new_sshd: Callable[..., Sshd]) -> None:
    sshd = new_sshd("PasswordAuthentication yes", "AuthorizedKeysFile /dev/null")
    assert refusal(sshd.reach()).startswith("asks for a password: it takes none of your keys (")


def test_too_many_keys_are_told(new_sshd: Callable[..., Sshd]) -> None:
    sshd = new_sshd("MaxAuthTries 1", "AuthorizedKeysFile /dev/null")
    for name in ("a", "b", "c"):
        sshd.new_key(f"client/{name}")
    sshd.configure("".join(f"IdentityFile {sshd.client}/{name}\n" for name in "abc"))
    assert refusal(sshd.reach()).startswith("gave up on your keys, there are too many (")


def test_a_key_that_changed_is_told_with_both_fingerprints(sshd: Sshd) -> None:
    old = sshd.public("ed25519")
    sshd.known_hosts.write_text(f"{sshd.name} {old}\n")
    sshd.stop()
    sshd.new_key("host_ed25519")
    sshd.start(kinds=("ed25519",))
    new = fingerprint(sshd, sshd.public("ed25519"))
    sshd.known_hosts.write_text(f"{sshd.name} {old}\n")
    said = refusal(sshd.reach())
    assert said == f"its host key changed (it shows {new}); recorded is ssh-ed25519 {fingerprint(sshd, old)}"


def test_a_host_that_shows_a_key_of_another_kind_only_has_changed(new_sshd: Callable[..., Sshd]) -> None:
    sshd = new_sshd(kinds=("ed25519",))
    sshd.new_key("host_ecdsa")
    sshd.known_hosts.write_text(f"{sshd.name} {sshd.public('ecdsa')}\n")
    assert refusal(sshd.reach()).startswith("its host key changed")


def test_a_key_that_is_not_recorded_is_told_and_not_recorded(sshd: Sshd) -> None:
    sshd.known_hosts.unlink()
    assert refusal(sshd.reach()) == f"its host key is not recorded in {sshd.known_hosts}"
    assert not sshd.known_hosts.exists()


def test_a_revoked_key_is_told(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("".join(f"@revoked {sshd.name} {sshd.public(kind)}\n" for kind in sshd.kinds))
    assert refusal(sshd.reach()).startswith("its host key is marked as revoked in ")


# What Debian's sudo says to -n.
SUDO_WORDS = {
    "sudo: a password is required": "sudo asks alice for a password",
    "sudo: sorry, you must have a tty to run sudo": "sudo refuses alice: sudo: sorry, you must have a tty to run sudo",
    "sudo: unable to open /etc/sudoers": "sudo refuses alice: sudo: unable to open /etc/sudoers",
}


@pytest.mark.parametrize("words", SUDO_WORDS)
def test_a_sudo_that_refuses_is_told(sshd: Sshd, words: str) -> None:
    sshd.program("sudo", f"echo '{words}' >&2\nexit 1\n")
    assert refusal(sshd.reach(), as_root("true", "alice")).startswith(f"{SUDO_WORDS[words]} (")


def test_what_a_script_says_of_passwords_through_sudo_is_its_own(sshd: Sshd) -> None:
    sshd.sudo()
    done = run(sshd.reach(), as_root("echo 'sudo: a password is required' >&2; exit 77", "alice"))
    assert done.code == 77


@pytest.mark.parametrize("end", ["exit 255", "kill -9 $$"])
def test_what_a_command_says_is_never_taken_for_sshs_words(sshd: Sshd, end: str) -> None:
    done = run(sshd.reach(), f"echo 'Permission denied (publickey). Connection refused' >&2; {end}")
    assert (done.code, done.stderr) == (255, "Permission denied (publickey). Connection refused\n")


def test_a_connection_that_breaks_is_unreachable(sshd: Sshd) -> None:
    with pytest.raises(HostUnreachable, match="the connection broke"):
        run(sshd.reach(), "kill $(ps -o ppid= -p $PPID) $PPID; sleep 5")


def test_a_command_that_hangs_ends_at_its_deadline(sshd: Sshd) -> None:
    with pytest.raises(HostUnreachable, match="did not finish within 1 s"):
        run(sshd.reach(), "sleep 30", deadline=1)


OTHERS_TRUST = """\
Host *
  StrictHostKeyChecking no
  UserKnownHostsFile {place}/theirs
  GlobalKnownHostsFile {place}/theirs
  NoHostAuthenticationForLocalhost yes
  HostKeyAlias theirs
  UpdateHostKeys yes
  KnownHostsCommand /bin/echo theirs {key}
  LogLevel QUIET
"""


def test_nothing_in_the_users_configuration_makes_an_unknown_key_trusted(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    sshd.configure(OTHERS_TRUST.format(place=sshd.place, key=sshd.public("ed25519")))
    assert refusal(sshd.reach()).startswith("its host key is not recorded")
    assert not (sshd.place / "theirs").exists()
    assert sshd.known_hosts.read_text() == ""


OTHERS_HABITS = """\
Host *
  ControlMaster auto
  ControlPath {place}/shared
  ControlPersist 60
  RemoteCommand echo theirs
  RequestTTY force
  LocalForward 127.0.0.1:{port} 127.0.0.1:{port}
  ExitOnForwardFailure yes
  PermitLocalCommand yes
  LocalCommand echo theirs
  SessionType none
  StdinNull yes
  ForkAfterAuthentication yes
"""


def test_nothing_in_the_users_configuration_changes_what_is_run(sshd: Sshd) -> None:
    sshd.configure(OTHERS_HABITS.format(place=sshd.place, port=sshd.port))
    before = sshd.known_hosts.read_text()
    done = run(sshd.reach(), "cat", "ours")
    assert (done.code, done.stdout) == (0, "ours")
    assert not (sshd.place / "shared").exists()
    assert sshd.known_hosts.read_text() == before


def test_the_users_way_to_a_host_is_taken_and_its_key_is_that_of_the_declared_address(sshd: Sshd) -> None:
    reach = dataclasses.replace(sshd.reach(), address="192.0.2.7")
    theirs = sshd.place / "theirs"
    theirs.write_text(sshd.known_hosts.read_text())
    jump = f"Host jump\n  HostName 127.0.0.1\n  Port {sshd.port}\n  UserKnownHostsFile {theirs}\n"
    sshd.configure(f"Host 192.0.2.7\n  HostName 127.0.0.1\n  ProxyJump jump\n{jump}")
    assert refusal(reach).startswith("its host key is not recorded")
    sshd.known_hosts.write_text(f"[192.0.2.7]:{sshd.port} {sshd.public('ed25519')}\n")
    assert run(reach, "echo there").stdout == "there\n"
    assert "direct-tcpip" in sshd.log or sshd.log.count("Accepted publickey") >= 2


def test_a_jump_host_that_fails_is_told_as_that(sshd: Sshd) -> None:
    theirs = sshd.place / "theirs"
    theirs.write_text("")
    sshd.configure(
        f"Host 127.0.0.1\n  ProxyJump jump\nHost jump\n  HostName 127.0.0.2\n  Port {sshd.port}\n"
        f"  UserKnownHostsFile {theirs}\n  StrictHostKeyChecking yes\n"
    )
    assert refusal(sshd.reach()).startswith("its jump host, which your ssh configuration names, lets nobody through")


def test_a_host_that_its_jump_host_cannot_reach_is_unreachable(sshd: Sshd) -> None:
    theirs = sshd.place / "theirs"
    theirs.write_text(sshd.known_hosts.read_text())
    jump = f"Host jump\n  HostName 127.0.0.1\n  Port {sshd.port}\n  UserKnownHostsFile {theirs}\n"
    sshd.configure(f"Host 127.0.0.2\n  ProxyJump jump\n{jump}")
    reach = dataclasses.replace(sshd.reach(), address="127.0.0.2", port=9)
    what = "unreachable over SSH at 127.0.0.2 port 9 from its jump host: connection refused"
    assert refusal(reach) == what


def test_two_hosts_with_one_address_are_refused_by_name(tmp_path: Path) -> None:
    settings = example_settings("one", "two", "three")
    settings["hosts"]["two"]["sshAddress"] = "127.0.0.1"
    site = Site.model_validate({**settings, "ssh": {}})
    for name, other in (("one", "two"), ("two", "one")):
        with pytest.raises(HostError, match=f'^{name}: has the same address for SSH as "{other}": 127.0.0.1 port 22\n'):
            reach_of(name, site, tmp_path)
    assert reach_of("three", site, tmp_path).address == "127.0.0.3"


def test_one_address_with_two_ports_is_two_hosts(tmp_path: Path) -> None:
    settings = example_settings("one", "two")
    settings["hosts"]["two"] = {"address": "127.0.0.1", "sshPort": 2222, "sshUser": "alice"}
    site = Site.model_validate({**settings, "ssh": {"knownHosts": "keys", "connectTimeoutSeconds": 3}})
    assert reach_of("two", site, tmp_path) == Reach("two", "127.0.0.1", 2222, "alice", tmp_path / "keys", 3)


def test_a_site_without_ssh_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="one: hosts are not managed over SSH here\n  hint: add homeops:ssh"):
        reach_of("one", Site.model_validate(example_settings("one")), tmp_path)


def test_a_machine_without_ssh_says_so(sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="ssh is not installed on this machine"):
        run(sshd.reach(), "true")


def fingerprint(sshd: Sshd, key: str) -> str:
    """As ssh-keygen has it."""
    file = sshd.place / "fingerprint.pub"
    file.write_text(f"{key}\n")
    told = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], check=True, capture_output=True, text=True)
    return told.stdout.split()[1]


def test_what_is_to_be_typed_names_the_pulumi_stack(sshd: Sshd) -> None:
    reach = dataclasses.replace(sshd.reach(), stack="prod")
    sshd.known_hosts.unlink()
    with pytest.raises(HostError, match=r"\n  hint: homeops hosts trust one -s prod$"):
        run(reach, "true")
    sshd.stop()
    with pytest.raises(HostError, match=r"is homeops:hosts in Pulumi\.prod\.yaml right\?$"):
        run(reach, "true")
