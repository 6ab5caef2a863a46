"""Periphery in a container, on a machine with a Docker engine, compose and a registry of its own."""

from collections.abc import Generator

import pytest

from homeops.hosts.requirement import Requirement
from homeops.model.host import ContainerPeriphery, DockerDns, Host
from tests.hosts.periphery_stand_in import (
    CERTIFICATE,
    HOST,
    LEFT_ALONE,
    a_site,
    periphery_machine,
    required,
    stand_in,
)
from tests.hosts.script_machine import Machine

FOLDER = "/home/deploy/komodo-periphery"
FILE = f"{FOLDER}/compose.yaml"
REPOSITORY = "mohitsharma44/komodo-periphery-sops"
REGISTRY = "127.0.0.1:5000"
DNS = DockerDns(reason="Docker's own DNS does not forward here")

_REGISTRY_SETTINGS = f"""\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: /srv/registry}}}}
http: {{addr: "{REGISTRY}"}}
"""


@pytest.fixture(scope="module")
def empty() -> Generator[Machine]:
    with periphery_machine() as machine:
        machine.sh("mkdir -p /srv/registry /etc/sops/age; echo key >/etc/sops/age/keys.txt")
        machine.put("/srv/registry.yaml", _REGISTRY_SETTINGS)
        machine.sh("systemd-run --quiet docker-registry serve /srv/registry.yaml")
        machine.sh(f"until curl -s -o /dev/null {REGISTRY}; do sleep 0.1; done")
        # What is pulled from Docker's registry comes from here instead.
        machine.put("/etc/docker/daemon.json", f'{{"registry-mirrors": ["http://{REGISTRY}"]}}')
        machine.sh("systemctl reload docker")
        _image_root(machine)
        yield machine


def _image_root(machine: Machine) -> None:
    """What all images are made of: a shell and openssl."""
    machine.sh(f"""\
mkdir -p /srv/root/bin /srv/root/tmp /srv/root/usr/local/bin /srv/root{CERTIFICATE}
cp {CERTIFICATE}/* /srv/root{CERTIFICATE}
cp -L /bin/dash /srv/root/bin/sh
for program in openssl mkdir sleep; do cp -L "$(command -v $program)" /srv/root/bin; done
for library in $(ldd /srv/root/bin/* | grep -o '/[^ ]*\\.so[^ ]*' | sort -u); do
    mkdir -p "/srv/root$(dirname $library)"; cp -L $library "/srv/root$library"
done""")


def pushed(machine: Machine, text: str, tag: str = "1") -> str:
    """The digest of an image with this agent, which only the registry has."""
    machine.put("/srv/root/usr/local/bin/periphery", text, "755")
    name = f"{REGISTRY}/{REPOSITORY}:{tag}"
    machine.sh(
        f"""tar -C /srv/root -c . | docker import --change 'CMD ["periphery"]' - {name}; docker push --quiet {name}"""
    )
    digest = machine.sh(f"docker image inspect --format '{{{{index .RepoDigests 0}}}}' {name}").partition("@")[2]
    machine.sh(f"docker rmi {name}")
    return digest


def host(*quirks: DockerDns) -> Host:
    return Host(HOST, periphery=ContainerPeriphery(path="~/komodo-periphery/compose.yaml"), quirks=list(quirks))


def wants(version: str, digest: str | None, *quirks: DockerDns, tag: str = "1", hopeless: bool = False) -> Requirement:
    site = a_site(version, user="deploy", peripheryImageDigest=digest, peripheryImageTag=tag)
    return required(host(*quirks), site, hopeless=hopeless)


@pytest.fixture(scope="module")
def first(empty: Machine) -> Requirement:
    return wants("1.0.0", pushed(empty, stand_in("1.0.0")))


@pytest.fixture
def machine(empty: Machine, first: Requirement) -> Machine:
    """The machine with version 1.0.0 running."""
    done = empty.run(first.apply, "deploy")
    assert done.code == 0, done.error
    assert empty.drift(first) == {}
    return empty


def container(machine: Machine, format_: str = "{{.Id}} {{.State.StartedAt}}") -> str:
    ids = machine.sh("docker ps --all --quiet --no-trunc")
    return machine.sh(f"docker inspect --format '{format_}' {ids}")


def facts(machine: Machine, requirement: Requirement) -> dict[str, str]:
    return machine.run(requirement.probe, "deploy").facts


def left_alone(machine: Machine, first: Requirement, wanted: Requirement) -> str:
    before = container(machine)
    said = machine.run(wanted.apply, "deploy").failure
    assert LEFT_ALONE in said
    assert container(machine) == before
    assert machine.drift(first) == {}
    assert machine.sh(f"ls -A {FOLDER} | grep new || true") == ""
    return said


def test_a_bare_host_gets_the_agent(empty: Machine, first: Requirement) -> None:
    empty.sh(f"docker ps --all --quiet | xargs --no-run-if-empty docker rm --force; rm -rf {FOLDER}")
    found = facts(empty, first)
    assert set(found.values()) == {"missing", "no"}
    assert f"periphery: {first.wanted['image']} runs and answers" in empty.settles(first, "deploy")
    assert facts(empty, first)["answered_version"] == "1.0.0"
    assert empty.sh(f"stat -c '%a %U' {FOLDER} {FILE}") == "755 deploy\n644 root"
    assert container(empty, "{{.HostConfig.RestartPolicy.Name}}") == "unless-stopped"
    mounts = container(empty, "{{range .HostConfig.Binds}}{{.}} {{end}}").split()
    assert {mount.removesuffix(":rw") for mount in mounts} == {
        "/var/run/docker.sock:/var/run/docker.sock",
        "/etc/komodo:/etc/komodo",
        "/proc:/proc",
        "/etc/sops/age:/etc/sops/age:ro",
    }
    environment = container(empty, "{{range .Config.Env}}{{println .}}{{end}}").split()
    assert {"PERIPHERY_CORE_PUBLIC_KEYS=MCowBQYDK2VuAyEA", "SOPS_AGE_KEY_FILE=/etc/sops/age/keys.txt"} <= set(
        environment
    )


def test_what_is_right_is_not_restarted(machine: Machine, first: Requirement) -> None:
    before = container(machine)
    assert machine.run(first.apply, "deploy").lines == ["periphery: nothing to change"]
    assert container(machine) == before


def test_a_new_version_takes_the_place_of_the_old_one(machine: Machine, first: Requirement) -> None:
    wanted = wants("2.0.0", pushed(machine, stand_in("2.0.0")))
    assert machine.drift(wanted).keys() == {"file", "image", "settings"}
    machine.settles(wanted, "deploy")
    assert facts(machine, wanted)["answered_version"] == "2.0.0"
    assert first.wanted["image"] in machine.sh(f"cat {FILE}.previous")


def test_a_pull_that_fails_leaves_the_agent_alone(machine: Machine, first: Requirement) -> None:
    said = left_alone(machine, first, wants("2.0.0", f"sha256:{'e' * 64}"))
    assert said.startswith(f"periphery: cannot pull docker.io/{REPOSITORY}@sha256:eee")


def test_without_an_age_key_the_agent_is_left_alone(machine: Machine, first: Requirement) -> None:
    wanted = wants("1.0.0", first.wanted["image"].partition("@")[2], DNS)
    machine.sh("mv /etc/sops/age/keys.txt /root")
    said = left_alone(machine, first, wanted)
    machine.sh("mv /root/keys.txt /etc/sops/age")
    assert said.startswith("periphery: there is no age key at /etc/sops/age/keys.txt")


@pytest.mark.parametrize(
    ("away", "told"),
    [
        ("/usr/bin/docker", "Docker is not installed on this host. Install it: apt-get install docker.io"),
        ("/usr/local/lib/docker/cli-plugins/docker-compose", "Docker's compose plugin is not on this host"),
    ],
)
def test_without_docker_the_agent_is_left_alone(machine: Machine, first: Requirement, away: str, told: str) -> None:
    wanted = wants("1.0.0", first.wanted["image"].partition("@")[2], DNS)
    machine.sh(f"mv {away} /root/away")
    try:
        said = machine.run(wanted.apply, "deploy").failure
    finally:
        machine.sh(f"mv /root/away {away}")
    assert said.startswith(f"periphery: {told}")
    assert machine.drift(first) == {}


def test_without_space_for_the_file_the_agent_is_left_alone(machine: Machine, first: Requirement) -> None:
    wanted = wants("1.0.0", first.wanted["image"].partition("@")[2], DNS)
    machine.sh(f"cp {FILE} /srv; mount -t tmpfs -o size=4k tmpfs {FOLDER}; cp /srv/compose.yaml {FILE}")
    try:
        said = machine.run(wanted.apply, "deploy")
    finally:
        machine.sh(f"umount {FOLDER}")
    assert said.code == 1
    assert f"cannot write {FOLDER}/.homeops-new.yaml; {LEFT_ALONE}" in said.error
    assert machine.drift(first) == {}


def test_an_agent_that_does_not_answer_gives_its_place_back(machine: Machine, first: Requirement) -> None:
    said = machine.run(
        wants("2.0.0", pushed(machine, stand_in("2.0.0", answers=False)), hopeless=True).apply, "deploy"
    ).failure
    assert (
        "does not answer within 6 s (its last word: I do not feel like it); the previous compose file is back" in said
    )
    assert "and its agent answers" in said
    assert machine.drift(first) == {}


def test_an_agent_that_does_not_start_gives_its_place_back(machine: Machine, first: Requirement) -> None:
    said = machine.run(wants("2.0.0", pushed(machine, "#!/no/such/shell\n"), hopeless=True).apply, "deploy").failure
    assert "the previous compose file is back and its agent answers" in said
    assert machine.drift(first) == {}


def test_a_tag_that_has_come_to_mean_a_bad_image_means_the_old_one_again(machine: Machine) -> None:
    pushed(machine, stand_in("1.5.0"), tag="latest")
    tagged = wants("1.5.0", None, tag="latest")
    machine.settles(tagged, "deploy")
    pushed(machine, stand_in("2.0.0", answers=False), tag="latest")
    machine.sh("docker rmi --force $(docker images --quiet --filter dangling=true) 2>/dev/null || true")
    said = machine.run(wants("1.5.0", None, DNS, tag="latest", hopeless=True).apply, "deploy").failure
    assert "the previous compose file is back and its agent answers" in said
    assert facts(machine, tagged)["answered_version"] == "1.5.0"
    assert machine.drift(tagged) == {}


def test_a_dns_server_is_there_when_declared_and_gone_when_not(machine: Machine, first: Requirement) -> None:
    with_dns = wants("1.0.0", first.wanted["image"].partition("@")[2], DNS)
    assert machine.drift(with_dns)["dns"] == "none"
    machine.settles(with_dns, "deploy")
    assert facts(machine, with_dns)["dns"] == "192.0.2.53"
    assert machine.drift(first)["dns"] == "192.0.2.53"
    machine.settles(first, "deploy")


def test_a_dns_server_that_was_taken_out_by_hand_comes_back(machine: Machine, first: Requirement) -> None:
    with_dns = wants("1.0.0", first.wanted["image"].partition("@")[2], DNS)
    machine.settles(with_dns, "deploy")
    machine.sh(f"sed -i /dns:/d {FILE}; docker compose --file {FILE} up --detach --quiet-pull 2>&1")
    assert machine.drift(with_dns).keys() == {"file", "dns"}
    machine.settles(with_dns, "deploy")


def test_a_stopped_agent_is_started(machine: Machine, first: Requirement) -> None:
    machine.sh("docker stop --time 1 $(docker ps --quiet)")
    assert machine.drift(first) == {"state": "exited", "answers": "no"}
    machine.settles(first, "deploy")


def test_an_agent_under_another_name_of_service_is_taken_over(machine: Machine, first: Requirement) -> None:
    machine.sh(f"docker compose --file {FILE} down 2>&1; sed -i 's/^  periphery:/  agent:/' {FILE}")
    machine.sh(f"docker compose --file {FILE} up --detach 2>&1")
    machine.settles(first, "deploy")
