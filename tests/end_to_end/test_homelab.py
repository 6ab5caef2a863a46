"""The story of a homelab, from bare hosts to nothing, with everything as its owner has it but the images.

The tests are its chapters: each goes on where the one before ended.
"""

import re
import subprocess
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from homeops.secrets.dotenv import lines
from tests.end_to_end.homelab import Homelab, environ_of
from tests.end_to_end.leaks import leaked
from tests.host_image import docker_engine, host_image
from tests.lab.copies import Copy
from tests.recovery.fleet import Tool

pytestmark = pytest.mark.timeout(1200)

HOSTS = ("komodo", "nvr", "kasm", "omni", "server04", "seaweedfs")
TOKEN = 'it\'s $HOME "quoted" \\ `backed` ü #1 = '
LONG = "0123456789 $x 'ü" * 640
"""Some 10 kB."""


@pytest.fixture(scope="module")
def homelab(root: Path, tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> Generator[Homelab]:
    """Nothing yet."""
    engine = docker_engine()
    host_image()
    place = tmp_path_factory.mktemp("homelab")
    copy = Copy.make(root, place, Path(tool("pulumi")[0]).parent)
    # Files that git would add are as good as those that it knows.
    subprocess.run(["git", "init", "--quiet", str(copy.directory)], check=True)
    one = Homelab(replace(copy, environ=environ_of(copy, place)), engine, place)
    try:
        yield one
    finally:
        one.homeops("lab", "down")


def test_bare_hosts_become_a_fleet(homelab: Homelab) -> None:
    with homelab.watched():
        up = homelab.homeops("lab", "up", "--port", "0").check()
    assert re.search(r"^6 hosts, 13 stacks at .*: all as declared and up$", up.text, re.MULTILINE), up.text
    assert len(re.findall(r"^[\w-]+ +[\w-]+ +running ", up.text, re.MULTILINE)) == 13
    assert "Hosts are containers" in homelab.homeops("lab", "status").check().text
    again = homelab.run("pulumi", "preview", "--stack", "lab", "--refresh", "--expect-no-changes", "--diff")
    again.check()


def test_decrypted_secrets_are_in_the_containers(homelab: Homelab) -> None:
    found = 0
    for secret in homelab.secret_files():
        host, directory = secret.encrypted.relative_to(homelab.checkout / "docker" / "stacks").parts[:2]
        text = homelab.decrypted(secret)
        for on in HOSTS if host == "shared" else (host,):
            stack = {"core": "komodo-core", "alloy": f"{on}-alloy"}.get(directory, directory)
            containers = homelab.containers(on, stack)
            assert containers, (on, stack)
            if secret.format == "env":
                wanted = lines(text).items()
                assert any(wanted <= homelab.environment(on, name).items() for name in containers), (on, stack)
            else:
                mounted = homelab.on(on, "docker", "exec", containers[0], "cat", f"/etc/{stack}/{secret.plain.name}")
                assert mounted == text
            found += 1
    assert found == 14


def test_a_changed_secret_is_named_and_brought_into_its_container(homelab: Homelab) -> None:
    file = "docker/stacks/server04/vaultwarden/.sops.env"
    (secret,) = [secret for secret in homelab.secret_files() if secret.encrypted == homelab.checkout / file]
    values = {"ADMIN_TOKEN": TOKEN, "SMTP_PASSWORD": LONG, "SMTP_FROM": ""}
    before = lines(homelab.decrypted(secret))
    homelab.earlier |= {f"the earlier {key}": before[key] for key in values}
    for key, value in values.items():
        homelab.run("homeops", "secrets", "set", file, key, *([] if value else ["--empty"]), given=value).check()
    homelab.push("other secrets")
    verbose = ("--logtostderr", "--logflow", "-v=11")
    preview = homelab.run("pulumi", "preview", "--stack", "lab", *verbose).check()
    why = ", ".join(f"secret {file} {key}" for key in sorted(values))
    assert f'stack "vaultwarden" will be redeployed: {why}\n' in preview.text
    assert "1 of 13 stacks will be deployed: vaultwarden" in preview.text
    with homelab.watched():
        homelab.run("pulumi", "up", "--stack", "lab", "--yes", "--skip-preview", *verbose).check()
    (container,) = homelab.containers("server04", "vaultwarden")
    environment = homelab.environment("server04", container)
    assert {key: environment[key] for key in values} == values


def test_drift_on_hosts_is_shown_and_repaired(homelab: Homelab) -> None:
    homelab.on("nvr", "chmod", "644", "/etc/sops/age/keys.txt")
    homelab.on(
        "komodo", "sh", "-c", "systemctl disable --now mask-apparmor && rm /etc/systemd/system/mask-apparmor.service"
    )
    preview = homelab.run("pulumi", "preview", "--stack", "lab", "--refresh", "--diff").check()
    assert re.search(r'mode *: "644" => "600"', preview.text), preview.text[-5000:]
    assert "~ apparmor-mask" in preview.text
    homelab.run("pulumi", "up", "--stack", "lab", "--refresh", "--yes", "--skip-preview").check()
    assert homelab.on("nvr", "stat", "-c", "%a", "/etc/sops/age/keys.txt").strip() == "600"
    assert homelab.on("komodo", "systemctl", "is-enabled", "mask-apparmor").strip() == "enabled"
    homelab.run("pulumi", "preview", "--stack", "lab", "--refresh", "--expect-no-changes").check()


def test_a_dead_host_keeps_nobody_else_from_converging(homelab: Homelab) -> None:
    resources = len(homelab.state()["deployment"]["resources"])
    # The canary, which all others wait for.
    homelab.engine.run("kill", homelab.machine("nvr"))
    config = homelab.checkout / "docker/stacks/shared/alloy/config.alloy"
    config.write_text(f"{config.read_text()}\n// looked at again\n")
    homelab.push("a comment")
    up = homelab.run("homeops", "up", "-s", "lab", "--yes").check()
    assert "nvr: unreachable over SSH" in up.text
    assert len(set(re.findall(r'stack "(\w+-alloy)" on \w+: deployed', up.text))) == 5
    assert len(homelab.state()["deployment"]["resources"]) == resources
    homelab.start("nvr")
    back = homelab.run("homeops", "up", "-s", "lab", "--yes", "--refresh").check()
    assert set(re.findall(r'stack "(\w+-alloy)" on \w+: deployed', back.text)) == {"nvr-alloy"}
    assert homelab.containers("nvr", "nvr-alloy")
    homelab.run("pulumi", "preview", "--stack", "lab", "--refresh", "--expect-no-changes").check()


def test_nothing_secret_was_said_or_left_anywhere(homelab: Homelab) -> None:
    assert leaked(homelab, HOSTS) == []
    # Were there one, it would be found: here, and on a host.
    (homelab.place / "tmp" / "planted").write_text(f"x{TOKEN}x")
    homelab.on("nvr", "sh", "-c", "cp /etc/sops/age/keys.txt /opt/planted")
    planted = "docker/stacks/server04/vaultwarden/.sops.env ADMIN_TOKEN in tmp/planted"
    assert leaked(homelab, HOSTS) == [planted, "the age key in /opt/planted of nvr"]
    (homelab.place / "tmp" / "planted").unlink()
    homelab.on("nvr", "rm", "/opt/planted")


def test_destroying_stops_containers_and_keeps_volumes(homelab: Homelab) -> None:
    volumes = {host: homelab.on(host, "docker", "volume", "ls", "--quiet") for host in HOSTS}
    protected = homelab.protected("frigate", "vaultwarden", "seaweedfs")
    homelab.run("pulumi", "state", "unprotect", *protected, "--stack", "lab", "--yes").check()
    homelab.run("pulumi", "destroy", "--stack", "lab", "--yes", "--skip-preview", "--exclude-protected").check()
    left = {host: homelab.containers(host) for host in HOSTS}
    # Core itself is protected: it could not be asked for anything after its end.
    assert left == {host: [] for host in HOSTS} | {"komodo": ["komodo-core-core-1", "komodo-core-mongo-1"]}
    assert {host: homelab.on(host, "docker", "volume", "ls", "--quiet") for host in HOSTS} == volumes
