"""Decrypted files on a machine with a real Docker engine: gone with their stack, and root's alone until then."""

from collections.abc import Generator

import pytest

from homeops.hosts.decrypted_files import decrypted_files
from tests.hosts.script_machine import Machine, machine

NEEDED = decrypted_files(deploy_seconds=900)
STACKS = "/etc/komodo/stacks"


def files_of(stack: str) -> str:
    return f"{STACKS}/{stack}/docker/stacks/kasm/{stack}"


COMPOSE = "services: {it: {image: one, network_mode: none, command: [sh, -c, 'exec sleep 900']}}\n"


@pytest.fixture(scope="module")
def engine() -> Generator[Machine]:
    with machine(systemd=True) as made:
        made.sh("timeout 60 sh -c 'until docker version >/dev/null 2>&1; do sleep 0.2; done'")
        made.sh("mkdir -p /srv/image/bin; cd /srv/image/bin; cp /bin/busybox sh; cp sh sleep; "
                "tar -C /srv/image -c . | docker import - one")  # fmt: skip
        for stack, composed in (("runs", "up --detach"), ("stopped", "create")):
            deploy(made, stack, composed)
        yield made


def deploy(on: Machine, stack: str, composed: str) -> None:
    place = files_of(stack)
    on.sh(f"mkdir -p {place}")
    on.put(f"{place}/compose.yaml", COMPOSE)
    on.sh(f"cd {place}; docker compose {composed} 2>/dev/null")


@pytest.fixture
def host(engine: Machine) -> Machine:
    """Three stacks, decrypted an hour ago: of one a container runs, one's is stopped, one has none."""
    engine.sh("rm -rf /etc/komodo")
    for stack in ("runs", "stopped", "gone"):
        place = files_of(stack)
        engine.sh(f"mkdir -p {place}; cd {place}; umask 077; touch -d '1 hour ago' .env cert.json; "
                  "touch .sops.env cert.sops.json settings.json")  # fmt: skip
    return engine


def left(on: Machine, stack: str) -> list[str]:
    return on.sh(f"ls -A {files_of(stack)}").split()


ALL = [".env", ".sops.env", "cert.json", "cert.sops.json", "settings.json"]


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_what_was_decrypted_for_a_stack_that_is_gone_is_named_and_removed(host: Machine, user: str) -> None:
    assert host.drift(NEEDED, user) == {"leftover": "2 of gone"}
    assert sorted(host.settles(NEEDED, user)) == [
        f"decrypted-files: {files_of('gone')}/{name} removed: its stack has no container"
        for name in (".env", "cert.json")
    ]
    assert left(host, "gone") == [".sops.env", "cert.sops.json", "settings.json"]
    assert left(host, "runs") == left(host, "stopped") == ALL


def test_a_stack_that_was_taken_down_leaves_nothing_behind(host: Machine) -> None:
    assert host.run(NEEDED.apply).code == 0
    deploy(host, "down", "create")
    host.sh(f"cd {files_of('down')}; umask 077; touch .sops.yaml; touch -d '1 hour ago' .yaml")
    assert host.drift(NEEDED) == {}
    # What Komodo has Periphery do when it destroys or deletes a Stack.
    host.sh("docker compose -p down down 2>/dev/null")
    assert host.drift(NEEDED) == {"leftover": "1 of down"}
    assert host.settles(NEEDED) == [f"decrypted-files: {files_of('down')}/.yaml removed: its stack has no container"]


def test_a_deploy_that_is_still_pulling_keeps_what_was_decrypted_for_it(host: Machine) -> None:
    host.sh(f"touch {files_of('gone')}/.env; touch -d '16 minutes ago' {files_of('gone')}/cert.json")
    assert host.drift(NEEDED) == {"leftover": "1 of gone"}
    assert host.run(NEEDED.apply).code == 0
    assert ".env" in left(host, "gone")
    assert "cert.json" not in left(host, "gone")


def test_a_host_that_leaves_keeps_only_what_is_in_use(host: Machine) -> None:
    host.sh(f"touch {files_of('gone')}/.env; sleep 0.1")
    assert len(host.run(NEEDED.parting, "deploy").lines) == 2
    assert ".env" not in left(host, "gone")
    assert left(host, "runs") == left(host, "stopped") == ALL


def test_a_checkout_that_is_reached_by_another_way_is_in_use(host: Machine) -> None:
    host.sh("mv /etc/komodo /srv/komodo; ln -s /srv/komodo /etc/komodo")
    try:
        assert host.drift(NEEDED) == {"leftover": "2 of gone"}
    finally:
        host.sh("rm /etc/komodo; rm -r /srv/komodo")


def test_names_with_blanks_and_links_are_removed_as_they_are(host: Machine) -> None:
    place = f"{STACKS}/gone/a b*"
    host.sh(f"mkdir -p '{place}'; cd '{place}'; touch 'it is.sops.env' .sops.yaml; ln -s /etc/passwd .yaml; "
            "touch -d '1 hour ago' 'it is.env'; touch -h -d '1 hour ago' .yaml")  # fmt: skip
    assert len(host.settles(NEEDED)) == 4
    assert host.sh(f"ls -A '{place}'").splitlines() == [".sops.yaml", "it is.sops.env"]
    assert host.sh("test -s /etc/passwd && echo there") == "there"


@pytest.mark.parametrize("harm", ["chmod 640", "chown deploy"])
def test_a_file_that_others_can_read_is_named_and_closed(host: Machine, harm: str) -> None:
    host.sh(f"rm -r {STACKS}/gone; {harm} {files_of('runs')}/.env")
    assert host.drift(NEEDED) == {"open": "1 of runs"}
    assert host.settles(NEEDED) == [f"decrypted-files: {files_of('runs')}/.env is root's, mode 600"]


def test_nothing_is_removed_while_docker_does_not_answer(host: Machine) -> None:
    host.put("/usr/local/sbin/docker", "#!/bin/sh\nexit 1\n", "755")
    try:
        assert host.drift(NEEDED) == {"leftover": "unknown"}
        assert host.run(NEEDED.apply).failure == (
            "decrypted-files: Docker does not answer, so nobody knows which files are in use: systemctl status docker"
        )
        assert left(host, "gone") == ALL
    finally:
        host.sh("rm /usr/local/sbin/docker")


def test_a_host_without_a_checkout_has_nothing_to_remove(host: Machine) -> None:
    host.sh("rm -rf /etc/komodo")
    assert host.settles(NEEDED) == ["decrypted-files: nothing to change"]
