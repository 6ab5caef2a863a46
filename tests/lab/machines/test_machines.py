"""Two machines, a registry and a Git server for real; needs a Docker engine."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Generator
from dataclasses import dataclass

import pytest

from homeops.errors import LabError
from homeops.hosts.docker_engine import docker_engine
from homeops.hosts.native_sops import native_sops
from homeops.hosts.observation import drift, observe
from homeops.hosts.reach import Reach
from homeops.hosts.requirements import HOOK
from homeops.hosts.shell import as_root
from homeops.hosts.ssh import run
from homeops.hosts.time_sync import time_sync
from homeops.lab.core.repositories import Repositories
from homeops.lab.machines.agent import ssh_agent
from homeops.lab.machines.archive import archive
from homeops.lab.machines.container import RECIPE
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines, Plan, Up
from homeops.lab.machines.machine import Wanted
from homeops.lab.machines.registry import programs, publish
from homeops.lab.machines.releases import offer_releases
from homeops.lab.machines.stand_ins import needs, stand_in, told
from homeops.model.host import NativeSops
from homeops.model.site import HostFacts, SshFacts, Versions
from tests.conftest import ROOT
from tests.example_site import example_settings
from tests.lab.heard import Heard

# The first one on a machine makes the image, from packages.
pytestmark = pytest.mark.timeout(900)

VARIABLES = {"KOMODO_VERSION": "2.3.2"}
TRAEFIK = "traefik"
WITH_CHECK = "--health-cmd 'wget --quiet --spider http://127.0.0.1/ping' --health-interval 1s"


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    machines: Machines
    plan: Plan
    up: Up

    def ssh(self, host: str, command: str, *, user: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command on a host, as its user unless another one is named."""
        facts = self.up.overlay(self.machines.root)["hosts"][host]
        options = ["-F", "none", "-i", str(self.up.operator), "-p", str(facts["sshPort"])]
        for option in (
            "BatchMode=yes",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={self.up.known_hosts}",
            "ConnectTimeout=10",
        ):
            options += ["-o", option]
        target = f"{user or facts['sshUser']}@{facts['sshAddress']}"
        return subprocess.run(
            ["ssh", *options, target, command], capture_output=True, text=True, check=False, timeout=120
        )

    def said(self, host: str, command: str) -> str:
        """What a command on a host printed; it must work."""
        done = self.ssh(host, command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def lab(engine: Engine, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Generator[Lab]:
    root = tmp_path_factory.mktemp("machines")
    shutil.copytree(ROOT / "docker" / "stacks", root / "docker" / "stacks")
    machines = Machines(root, environ, engine)
    repositories = Repositories(root / "git")
    repositories.push("someone/homeops", {"README.md": "the lab's\n"}, "first")
    hosts = (Wanted("nvr", "root"), Wanted("server04", "mohitsharma44"))
    plan = Plan(hosts, root / "git", "git.example", VARIABLES)
    try:
        yield Lab(machines, plan, machines.up(plan, Heard()))
    finally:
        machines.down(Heard())


def test_the_users_of_the_hosts_log_in_and_are_root_or_become_it(lab: Lab) -> None:
    assert lab.said("nvr", "id -un; hostname") == "root\nnvr"
    assert lab.said("server04", "id -un; sudo -n id -un; hostname") == "mohitsharma44\nroot\nserver04"
    assert "docker" in lab.said("server04", "id -nG").split()
    assert "Permission denied" in lab.ssh("server04", "true", user="root").stderr


def test_systemd_runs_them_with_nothing_failed(lab: Lab) -> None:
    for host in ("nvr", "server04"):
        assert lab.said(host, "systemctl is-system-running --wait; systemctl --failed --no-legend") == "running"


def test_a_real_image_name_pulls_its_stand_in_and_runs_in_the_hosts_own_docker(lab: Lab) -> None:
    (tag,) = [need.tag for need in needs(ROOT, VARIABLES) if need.name == TRAEFIK]
    image = f"{TRAEFIK}:{tag}"
    lab.said("server04", f"docker pull --quiet {image}")
    stands_for = lab.said("server04", f"docker inspect --format '{{{{json .Config.Labels}}}}' {image}")
    assert stands_for == f'{{"homeops.lab.stand-in-for":"{image}"}}'
    lab.said("server04", f"docker run --detach --name web --env SECRET='a $b' {WITH_CHECK} {image} --ping")
    assert lab.said("server04", "docker exec web env | grep SECRET") == "SECRET=a $b"
    assert f"stand-in for {image}: started with --ping" in lab.said("server04", "docker logs web")
    healthy = "for n in $(seq 40); do docker inspect --format '{{.State.Health.Status}}' web | grep -qx %s && exit 0"
    lab.said("server04", f"{healthy % 'healthy'}; sleep 0.5; done; exit 1")

    engine, names = lab.machines.engine, lab.machines.names
    engine.run("cp", "-", f"{names.machine('server04')}:/root", data=archive(told("health")))
    lab.said("server04", "sudo docker cp /root/stand-in/fails web:/stand-in/fails")
    lab.said("server04", f"{healthy % 'unhealthy'}; sleep 0.5; done; exit 1")
    assert engine.run("ps", "--quiet", "--filter", "name=^web$") == ""


def test_an_image_that_is_published_as_failing_fails_from_the_next_pull_on(lab: Lab) -> None:
    engine, names = lab.machines.engine, lab.machines.names
    image = lab.machines.have_image(Heard())
    (need,) = [need for need in needs(ROOT, VARIABLES) if need.name == "ghcr.io/siderolabs/omni"]
    name = f"{need.name}:{need.tag}"
    lab.said("nvr", f"docker pull --quiet {name}")
    lab.said("nvr", f"docker run --detach --rm --name works {name} && docker rm --force works")
    publish(engine, names, [stand_in(need, programs(engine, image), "start")])
    lab.said("nvr", f"docker pull --quiet {name}")
    failed = lab.ssh("nvr", f"docker run --rm {name}")
    assert failed.returncode == 1
    assert "told to fail at its start" in failed.stderr
    assert "manifest unknown" in lab.ssh("nvr", "docker pull ghcr.io/siderolabs/omni:none").stderr


def test_compose_runs_on_a_host_within_the_hosts_own_memory(lab: Lab) -> None:
    text = "services: {a: {image: 'mongo:8.0.32', restart: unless-stopped}}"
    lab.said("nvr", f'mkdir -p /root/one && cd /root/one && echo "{text}" > compose.yaml && docker compose up -d')
    group = lab.said("nvr", "cat /proc/$(docker inspect --format '{{.State.Pid}}' one-a-1)/cgroup")
    if lab.machines.engine.cgroup == "1":
        container = lab.machines.engine.run("inspect", "--format", "{{.Id}}", lab.machines.names.machine("nvr"))
        assert f":memory:/docker/{container.strip()}/" in group
        limit = f"/sys/fs/cgroup/memory/docker/{container.strip()}/memory.limit_in_bytes"
        assert int(lab.said("nvr", f"cat {limit}")) == 1 << 30
    lab.said("nvr", "cd /root/one && docker compose down")


def test_a_container_that_makes_tunnels_is_given_the_device(lab: Lab) -> None:
    run = "docker run --rm --device /dev/net/tun --entrypoint ls mongo:8.0.32 /dev/net"
    assert lab.said("nvr", run) == "tun"


def test_a_host_clones_from_the_provider_what_was_pushed_last(lab: Lab) -> None:
    lab.said("nvr", "git clone --quiet https://git.example/someone/homeops /root/clone")
    assert lab.said("nvr", "cat /root/clone/README.md") == "the lab's"
    pushed = Repositories(lab.plan.repositories).push("someone/homeops", {"README.md": "newer\n"}, "second")
    assert lab.said("nvr", "cd /root/clone && git pull --quiet && git rev-parse HEAD") == pushed
    missing = lab.ssh("nvr", "git clone https://git.example/someone/other /root/other")
    assert "repository 'https://git.example/someone/other/' not found" in missing.stderr


def test_a_host_downloads_what_the_lab_has_and_nothing_above_it(lab: Lab) -> None:
    file = lab.machines.downloads / "someone/tool/releases/download/v1/tool"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\0program" * 100_000)
    url = "https://git.example/someone/tool/releases/download/v1/tool"
    lab.said("nvr", f"curl --fail --silent --show-error --output /root/tool {url}")
    assert lab.said("nvr", "sha256sum /root/tool").split()[0] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert lab.ssh("nvr", f"curl --fail --silent {url}.sig").returncode == 22
    assert lab.ssh("nvr", "curl --fail --silent --path-as-is https://git.example/../git.key").returncode == 22


def test_the_names_of_the_lab_are_known_in_containers_of_a_host_and_no_others_anywhere(lab: Lab) -> None:
    places = lab.up.places
    for name, address in (("ghcr.io", places.registry), ("quay.io", places.registry), ("git.example", places.git)):
        assert lab.said("nvr", f"getent hosts {name} | cut -d' ' -f1") == address
    assert lab.ssh("nvr", "getent hosts outside.example").returncode != 0
    run = f"docker run --rm --dns {places.dns} --entrypoint nslookup mongo:8.0.32"
    assert f"Address: {places.git}" in lab.said("nvr", f"{run} git.example | tail -n +3")
    assert "NXDOMAIN" in lab.ssh("nvr", f"{run} outside.example 2>&1").stdout


def test_the_requirements_of_real_hosts_are_looked_at_and_made_true_here(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = offer_releases(ROOT, os.environ, lab.machines.downloads, "2.3.2")
    versions = Versions.model_validate(example_settings()["versions"] | pins)
    native = native_sops(NativeSops(reason="a test"), versions, (ROOT / HOOK).read_text())
    wanted = (docker_engine(versions), time_sync(), native)
    hosts = {
        name: HostFacts.model_validate(facts) for name, facts in lab.up.overlay(lab.machines.root)["hosts"].items()
    }
    with ssh_agent(lab.up.operator, os.environ) as environ:
        monkeypatch.setenv("SSH_AUTH_SOCK", environ["SSH_AUTH_SOCK"])
        for name, facts in hosts.items():
            reach = Reach(name, facts.ssh_address or "", facts.ssh_port, facts.ssh_user, lab.up.known_hosts, 10)
            before = observe(reach, wanted)
            assert [item.name for item in wanted if drift(item, before[item.name])] == ["native-sops"]
            done = run(reach, as_root(native.apply, facts.ssh_user))
            assert done.code == 0, done.stderr
            after = observe(reach, wanted)
            assert not any(drift(item, after[item.name]) for item in wanted)
            assert after["time-sync"] == {"kept": "yes", "clock": "in sync"}


def test_up_again_changes_nothing_and_puts_right_what_is_not(lab: Lab) -> None:
    engine, names, heard = lab.machines.engine, lab.machines.names, Heard()
    containers = engine.names("container", names.prefix)

    def started() -> str:
        return engine.run("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", *containers)

    before = started()
    again = lab.machines.up(lab.plan, heard)
    assert started() == before
    assert set(again.changes.values()) == {"unchanged"}
    assert again.overlay(lab.machines.root) == lab.up.overlay(lab.machines.root)

    engine.run("rm", "--force", names.git)
    engine.run("kill", names.machine("nvr"))
    # As an up leaves it that was ended before it put the files in.
    recipe = engine.run("inspect", "--format", f'{{{{index .Config.Labels "{RECIPE}"}}}}', names.dns).strip()
    engine.run("rm", "--force", names.dns)
    image = lab.machines.have_image(heard)
    engine.run("create", "--name", names.dns, "--label", f"{RECIPE}={recipe}", image, "true")
    mended = lab.machines.up(lab.plan, heard)
    assert mended.changes == {
        "registry": "unchanged",
        "dns": "made anew",
        "git": "made",
        "nvr": "started",
        "server04": "unchanged",
    }
    assert lab.said("nvr", "docker images --quiet mongo | wc -l") == "1"


def test_a_host_that_cannot_be_made_is_named_and_does_not_stop_the_others(lab: Lab) -> None:
    engine, names = lab.machines.engine, lab.machines.names
    engine.run("rm", "--force", names.machine("server04"), names.git)
    with socket.create_server(("127.0.0.1", lab.up.places.ports["server04"]["ssh"])):
        with pytest.raises(LabError, match=r"^server04: docker start homeops-lab-") as caught:
            lab.machines.up(lab.plan, Heard())
        assert len(caught.value.problems) == 1
        assert engine.run("ps", "--quiet", "--filter", f"name={names.git}")
    assert lab.machines.up(lab.plan, Heard()).changes["server04"] == "made anew"


def test_the_settings_of_the_hosts_are_settings(lab: Lab) -> None:
    overlay = lab.up.overlay(lab.machines.root)
    hosts = {name: HostFacts.model_validate(facts) for name, facts in overlay["hosts"].items()}
    assert [(name, facts.ssh_user) for name, facts in hosts.items()] == [
        ("nvr", "root"),
        ("server04", "mohitsharma44"),
    ]
    assert len({facts.address for facts in hosts.values()}) == 2
    assert (lab.machines.root / SshFacts.model_validate(overlay["ssh"]).known_hosts) == lab.up.known_hosts
    assert lab.up.periphery("nvr") == f"https://127.0.0.1:{lab.up.places.ports['nvr']['periphery']}"


def test_down_leaves_nothing_but_the_image(lab: Lab) -> None:
    engine, names = lab.machines.engine, lab.machines.names
    image = lab.machines.have_image(Heard())
    assert all(engine.names(kind, names.prefix) for kind in ("container", "network", "volume"))
    lab.machines.down(Heard())
    assert not any(engine.names(kind, names.prefix) for kind in ("container", "network", "volume"))
    assert engine.run("image", "ls", "--quiet", image)
    assert not lab.machines.directory.exists()
    heard = Heard()
    lab.machines.down(heard)
    assert heard.lines == []
