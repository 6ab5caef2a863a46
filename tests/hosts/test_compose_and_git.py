"""Docker's compose plugin and git on a machine: from a package that is new enough, else the pinned download."""

from collections.abc import Generator
from hashlib import sha256

import pytest

from homeops.hosts.compose_plugin import AGENT_ON_THE_HOST, PLUGIN
from homeops.hosts.docker_engine import docker_engine
from homeops.hosts.git_program import git_program
from homeops.hosts.requirement import Requirement
from tests.example_site import example_versions
from tests.hosts.script_machine import Machine, machine

SERVED = "file:///srv"
RELEASE = "/srv/docker/compose/releases/download/v2.40.3/docker-compose-linux-x86_64"


def plugin(version: str) -> str:
    """A plugin that Docker's program takes for one, and that knows its version."""
    metadata = '{"SchemaVersion": "0.1.0", "Vendor": "a test", "ShortDescription": "Docker Compose"}'
    return f"#!/bin/sh\nif [ \"$1\" = docker-cli-plugin-metadata ]; then echo '{metadata}'; else echo {version}; fi\n"


DOWNLOADED = plugin("2.40.3")
PINS = {"compose": "2.40.3", "compose_sha256": sha256(DOWNLOADED.encode()).hexdigest()}


def required(**pins: str) -> Requirement:
    return docker_engine(example_versions(**pins), AGENT_ON_THE_HOST, SERVED)


@pytest.fixture(scope="module")
def debian() -> Generator[Machine]:
    with machine() as made:
        # An engine that runs, as far as the script can see; plugins are found by Docker's own program.
        docker = '#!/bin/sh\n[ "$1" != version ] || { echo 26.1.5; exit; }\nexec /usr/bin/docker "$@"\n'
        made.put("/usr/local/sbin/docker", docker, "755")
        made.sh(f"mkdir -p {RELEASE.rpartition('/')[0]}")
        made.put(RELEASE, DOWNLOADED)
        yield made


@pytest.fixture
def bare(debian: Machine) -> Machine:
    """Without a plugin, and with an apt-get that finds nothing."""
    debian.sh(f"rm -f {PLUGIN}* /usr/libexec/docker/cli-plugins/docker-compose")
    packages(debian)
    return debian


def packages(on: Machine, **candidates: str) -> None:
    """Have the distribution offer packages, by name (``_`` for ``-``) and version; each brings its plugin."""
    offers = "".join(f'{name.replace("_", "-")}) echo "  Candidate: {it}" ;; ' for name, it in candidates.items())
    on.put("/usr/local/sbin/apt-cache", f"#!/bin/sh\ncase $2 in {offers} esac\n", "755")
    on.sh("mkdir -p /usr/libexec/docker/cli-plugins /srv/packages")
    for name, version in candidates.items():
        on.put(f"/srv/packages/{name.replace('_', '-')}", plugin(version), "755")
    install = 'for it in "$@"; do :; done; cp /srv/packages/$it /usr/libexec/docker/cli-plugins/docker-compose'
    on.put("/usr/local/sbin/apt-get", f'#!/bin/sh\ncase $* in *" install "*) {install} ;; esac\n', "755")


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_the_pinned_plugin_is_put_where_the_distribution_has_none_that_is_new_enough(bare: Machine, user: str) -> None:
    packages(bare, docker_compose="2.26.1-4")
    assert bare.drift(required(**PINS), user) == {"compose": "missing"}
    assert bare.settles(required(**PINS), user) == [f"docker: {PLUGIN} is compose 2.40.3"]
    assert bare.sh(f"stat -c '%a %U:%G' {PLUGIN}; ls {PLUGIN}*").splitlines() == ["755 root:root", PLUGIN]


@pytest.mark.parametrize(
    ("offered", "package"),
    [
        ({"docker_compose": "1.29.2-3", "docker_compose_plugin": "5:2.39.1-1~debian"}, "docker-compose-plugin"),
        ({"docker_compose": "2.26.1-4", "docker_compose_v2": "2.40.0+ds1"}, "docker-compose-v2"),
    ],
)
def test_a_package_that_is_new_enough_comes_before_a_download(
    bare: Machine, offered: dict[str, str], package: str
) -> None:
    packages(bare, **offered)
    version = offered[package.replace("-", "_")]
    assert bare.settles(required(**PINS)) == [f"docker: {package} is compose {version}"]
    assert bare.sh(f"ls {PLUGIN} 2>&1 || true").endswith("No such file or directory")


def test_a_plugin_that_is_too_old_is_named_and_replaced(bare: Machine) -> None:
    bare.put(PLUGIN, plugin("v2.17.3"), "755")
    assert bare.drift(required(**PINS)) == {"compose": "2.17.3"}
    assert bare.settles(required(**PINS)) == [f"docker: {PLUGIN} is compose 2.40.3"]


def test_where_periphery_is_a_container_any_second_compose_will_do(bare: Machine) -> None:
    bare.put(PLUGIN, plugin("v2.17.3"), "755")
    assert bare.settles(docker_engine(example_versions())) == ["docker: nothing to change"]


@pytest.mark.parametrize(
    ("pins", "told"),
    [
        (
            {},
            "Docker's compose plugin is missing, and no package has 2.35 or newer. "
            "Set homeops:versions.compose and composeSha256",
        ),
        (
            {**PINS, "compose_sha256": "1" * 64},
            f"file://{RELEASE} has the checksum {PINS['compose_sha256']} and not {'1' * 64}: nothing was installed",
        ),
    ],
    ids=["no pin", "checksum"],
)
def test_a_plugin_that_cannot_be_had_is_told_and_nothing_is_installed(
    bare: Machine, pins: dict[str, str], told: str
) -> None:
    assert bare.run(required(**pins).apply, "deploy").failure == f"docker: {told}"
    assert bare.sh(f"ls -A {PLUGIN.rpartition('/')[0]}") == ""


def test_an_older_plugin_that_docker_finds_first_is_told(bare: Machine) -> None:
    bare.sh("mkdir -p /root/.docker/cli-plugins")
    bare.put("/root/.docker/cli-plugins/docker-compose", plugin("2.1.1"), "755")
    try:
        assert bare.run(required(**PINS).apply).failure == (
            f"docker: {PLUGIN} is installed, and the compose plugin that docker finds is 2.1.1: "
            "look at ~/.docker/cli-plugins"
        )
    finally:
        bare.sh("rm -r /root/.docker/cli-plugins")


@pytest.fixture
def gitless(debian: Machine) -> Generator[Machine]:
    debian.sh("mv /usr/bin/git /usr/bin/git.away; rm -f /usr/local/sbin/apt-get")
    yield debian
    debian.sh("mv /usr/bin/git.away /usr/bin/git; rm -f /usr/local/sbin/git")


def test_git_is_installed_where_there_is_none(gitless: Machine) -> None:
    put_back = "ln -sf /usr/bin/git.away /usr/local/sbin/git"
    gitless.put("/usr/local/sbin/apt-get", f'#!/bin/sh\ncase $* in *"install git") {put_back} ;; esac\n', "755")
    assert gitless.drift(git_program(), "deploy") == {"program": "missing"}
    assert gitless.settles(git_program(), "deploy") == ["git: git installed"]


def test_git_that_cannot_be_installed_is_told(gitless: Machine) -> None:
    gitless.put("/usr/local/sbin/apt-get", "#!/bin/sh\necho 'E: Unable to locate package git' >&2\nexit 100\n", "755")
    assert gitless.run(git_program().apply).failure == (
        "git: cannot read the lists of packages: E: Unable to locate package git"
    )
