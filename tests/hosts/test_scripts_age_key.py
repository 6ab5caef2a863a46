"""The age key's scripts on a machine: as root and through sudo, with age-keygen on the host and without."""

import subprocess
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from homeops.hosts.age_key import age_key, install_age_key
from homeops.hosts.shell import SUDO_REFUSED
from homeops.model.host import AgeKey
from tests.hosts.script_machine import Machine, machine

QUIRK = AgeKey(reason="Periphery decrypts secrets with it")
PATH = QUIRK.path
USERS = pytest.mark.parametrize("user", ["root", "deploy"])


class Keys:
    """Two keys of age."""

    def __init__(self, keygen: str) -> None:
        self.ours, self.other = (subprocess.check_output([keygen], text=True, stderr=subprocess.DEVNULL) for _ in "ab")
        self.recipient, self.other_recipient = (
            text.split("public key: ")[1].split()[0] for text in (self.ours, self.other)
        )


@pytest.fixture(scope="module")
def debian(tool: Callable[[str], list[str]]) -> Generator[Machine]:
    with machine("--tmpfs", "/small:size=8k", "--tmpfs", "/closed:ro") as made:
        made.put("/opt/age-keygen", Path(tool("age-keygen")[0]).resolve().read_bytes(), "755")
        yield made


@pytest.fixture(scope="module")
def keys(tool: Callable[[str], list[str]]) -> Keys:
    return Keys(tool("age-keygen")[0])


@pytest.fixture(params=["age-keygen", "no age-keygen"])
def host(debian: Machine, request: pytest.FixtureRequest) -> Machine:
    debian.sh("rm -rf /etc/sops /usr/local/bin/age-keygen")
    if request.param == "age-keygen":
        debian.sh("cp /opt/age-keygen /usr/local/bin/")
    return debian


@USERS
def test_a_key_is_installed_once_and_is_roots_alone(host: Machine, keys: Keys, user: str) -> None:
    required, install = age_key(QUIRK, keys.recipient), install_age_key(QUIRK, keys.recipient)
    assert host.drift(required, user)["key"] == "missing"
    assert "there is no age key" in host.run(required.apply, user).failure
    assert host.run(install, user, keys.ours).lines[-1] == f"age-key: {PATH} installed"
    assert host.drift(required, user) == {}
    assert host.run(required.probe, user).facts["recipient"] == keys.recipient
    assert host.run(install, user, keys.ours).lines == ["age-key: nothing to change"]
    assert host.run(required.apply, user).lines == ["age-key: nothing to change"]
    assert host.sh(f"cat {PATH}") == keys.ours.strip()
    assert host.sh("ls -A /etc/sops/age; stat -c %a /etc/sops") == "keys.txt\n755"


@USERS
def test_owner_and_mode_are_repaired_and_the_key_stays(host: Machine, keys: Keys, user: str) -> None:
    required = age_key(QUIRK, keys.recipient)
    host.sh("mkdir -p /etc/sops/age")
    host.put(PATH, keys.ours)
    host.sh("chown -R deploy:deploy /etc/sops/age")
    assert host.drift(required, user) == {
        "mode": "644",
        "owner": "deploy:deploy",
        "directory": "755 deploy:deploy",
    }
    assert host.settles(required, user) == [
        "age-key: /etc/sops/age is root's, mode 700",
        "age-key: /etc/sops/age/keys.txt is root's, mode 600",
    ]
    assert host.sh(f"cat {PATH}") == keys.ours.strip()


@USERS
def test_another_key_is_named_and_never_overwritten(host: Machine, keys: Keys, user: str) -> None:
    required, install = age_key(QUIRK, keys.recipient), install_age_key(QUIRK, keys.recipient)
    host.sh("mkdir -p /etc/sops/age")
    host.put(PATH, keys.other)
    assert host.drift(required, user)["key"] == "another"
    assert host.run(required.probe, user).facts["recipient"] == keys.other_recipient
    told = f"age-key: {PATH} is the key of {keys.other_recipient}, not of {keys.recipient}: it was left as it is"
    assert host.run(required.apply, user).failure == told
    assert host.run(install, user, keys.ours).failure == told
    assert host.sh(f"cat {PATH}; ls -A /etc/sops/age") == f"{keys.other}keys.txt"


def test_a_key_that_cannot_be_told_is_compared_with_the_given_one(debian: Machine, keys: Keys) -> None:
    bare = keys.ours.splitlines()[-1] + "\n"
    debian.sh("rm -rf /etc/sops /usr/local/bin/age-keygen; mkdir -p /etc/sops/age")
    debian.put(PATH, bare)
    required, install = age_key(QUIRK, keys.recipient), install_age_key(QUIRK, keys.recipient)
    facts = debian.run(required.probe).facts
    assert (facts["key"], facts["recipient"]) == ("present", "unknown")
    assert debian.run(install, stdin=keys.ours).failure == (
        f"age-key: {PATH} is another key than the given one: it was left as it is"
    )
    assert debian.run(install, stdin=bare).lines[-1] == f"age-key: {PATH} is root's, mode 600"


def test_one_of_two_keys_in_the_file_is_enough(host: Machine, keys: Keys) -> None:
    host.sh("mkdir -p /etc/sops/age")
    host.put(PATH, keys.other + keys.ours)
    assert host.settles(age_key(QUIRK, keys.recipient))
    assert host.run(age_key(QUIRK, keys.recipient).probe).facts["recipient"] == keys.recipient


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "age-key: what was given as the key is no age key"),
        ("hello\n", "age-key: what was given as the key is no age key"),
        ("cut off", "age-key: what was given as the key is no age key"),
        ("other", "age-key: what was given is the key of {other}, not of {ours}"),
    ],
)
def test_what_is_no_key_of_ours_is_not_installed(host: Machine, keys: Keys, given: str, told: str) -> None:
    text = {"other": keys.other, "cut off": keys.ours[:-9]}.get(given, given)
    done = host.run(install_age_key(QUIRK, keys.recipient), "deploy", text)
    assert done.failure == told.format(other=keys.other_recipient, ours=keys.recipient)
    assert host.sh("ls -A /etc/sops/age") == ""


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (f"ln -s /etc/passwd {PATH}", "a symbolic link"),
        (f"echo hello >{PATH}", "not an age key"),
        (f"mkdir -p {PATH}/held", "not a file"),
    ],
)
def test_what_stands_in_the_keys_place_is_left_alone(host: Machine, keys: Keys, make: str, key: str) -> None:
    host.sh(f"mkdir -p /etc/sops/age; {make}")
    before = host.sh("stat -c '%a %U' /etc/passwd")
    required, install = age_key(QUIRK, keys.recipient), install_age_key(QUIRK, keys.recipient)
    assert host.drift(required)["key"] == key
    for done in (host.run(required.apply), host.run(install, stdin=keys.ours)):
        assert done.failure == f"age-key: {PATH} is {key}: it was left as it is"
    assert host.sh("stat -c '%a %U' /etc/passwd") == before


def test_the_directory_that_docker_made_for_a_missing_key_gives_way(host: Machine, keys: Keys) -> None:
    host.sh(f"mkdir -p {PATH}")
    required, install = age_key(QUIRK, keys.recipient), install_age_key(QUIRK, keys.recipient)
    assert host.drift(required)["key"] == "missing"
    assert host.run(install, stdin=keys.ours).lines[-1] == f"age-key: {PATH} installed"
    assert host.drift(required) == {}


@pytest.mark.parametrize(
    ("path", "comment", "told"),
    [
        ("/small/keys.txt", 20_000, "cannot write /small/keys.txt.new: cat: write error: No space left"),
        ("/closed/age/keys.txt", 0, "cannot make /closed/age: mkdir: cannot create directory '/closed/age': Read-only"),
    ],
)
def test_a_full_or_closed_disk_is_told_and_keeps_nothing_of_the_key(
    debian: Machine, keys: Keys, path: str, comment: int, told: str
) -> None:
    quirk = QUIRK.model_copy(update={"path": path})
    done = debian.run(install_age_key(quirk, keys.recipient), "deploy", f"{keys.ours}# {'x' * comment}\n")
    assert done.failure.startswith(f"age-key: {told}")
    assert debian.sh("ls -A /small /closed") == "/closed:\n\n/small:"


def test_the_key_is_in_no_text_and_on_no_command_line(debian: Machine, keys: Keys) -> None:
    debian.sh("rm -rf /etc/sops; rm -f /usr/local/bin/age-keygen")
    secret = keys.ours.splitlines()[-1]
    with subprocess.Popen(
        ["docker", "exec", "-i", debian.name, "sh", "-c", install_age_key(QUIRK, keys.recipient)],
        stdin=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin is not None
        running.stdin.write(keys.ours)
        running.stdin.flush()
        debian.sh("until pgrep -x cat >/dev/null; do sleep 0.1; done")
        seen = debian.sh("cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n'")
        modes = debian.sh("stat -c %a /etc/sops/age /etc/sops/age/*")
    assert running.returncode == 0
    assert "age-key" in seen
    assert secret not in seen
    assert modes == "700\n600"


def test_a_sudo_that_asks_for_a_password_is_told_apart(debian: Machine, keys: Keys) -> None:
    done = debian.run(age_key(QUIRK, keys.recipient).probe, "asked")
    assert (done.code, done.failure) == (SUDO_REFUSED, "homeops: sudo asks asked for a password")
