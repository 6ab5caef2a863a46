"""Scripts on a machine without systemd: sops and age, Docker, the clock, the disk."""

import io
import tarfile
from collections.abc import Generator
from hashlib import sha256

import pytest

from homeops.hosts.disk_space import disk_space
from homeops.hosts.docker_engine import docker_engine
from homeops.hosts.native_sops import native_sops
from homeops.hosts.periphery import periphery
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text
from homeops.hosts.time_sync import time_sync
from homeops.model.host import Host, NativeSops, SystemdPeriphery
from homeops.model.site import Versions
from tests.conftest import ROOT
from tests.example_site import example_site, example_versions
from tests.hosts.script_machine import Machine, machine

QUIRK = NativeSops(reason="Periphery runs the hook on the host itself")
HOOK = (ROOT / "docker/periphery/scripts/sops-decrypt.sh").read_text()
USERS = pytest.mark.parametrize("user", ["root", "deploy"])
SERVED = "http://127.0.0.1:8000"
SOPS = b"#!/bin/sh\necho 'sops 3.9.4 (latest)'\n"


def _age(version: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("age/age", "age/age-keygen", "age/LICENSE"):
            program = f"#!/bin/sh\necho v{version}\n".encode()
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid = len(program), 0o755, 1234
            archive.addfile(member, io.BytesIO(program))
    return packed.getvalue()


AGE = _age("1.2.1")
PINS = {
    "sops": "3.9.4",
    "sops_sha256": sha256(SOPS).hexdigest(),
    "age": "1.2.1",
    "age_sha256": sha256(AGE).hexdigest(),
}


def _native(downloads: str = SERVED, **pins: str) -> Requirement:
    versions = Versions.model_validate({"komodo": "2.3.2", "periphery_image_tag": "2.3.2", **PINS, **pins})
    return native_sops(QUIRK, versions, HOOK, downloads)


@pytest.fixture(scope="module")
def debian() -> Generator[Machine]:
    with machine() as made:
        made.sh("mkdir -p /srv/getsops/sops/releases/download/v3.9.4 /srv/FiloSottile/age/releases/download/v1.2.1")
        made.sh("mkdir -p /srv/FiloSottile/age/releases/download/v9.9.9")
        made.put("/srv/getsops/sops/releases/download/v3.9.4/sops-v3.9.4.linux.amd64", SOPS)
        made.put("/srv/FiloSottile/age/releases/download/v1.2.1/age-v1.2.1-linux-amd64.tar.gz", AGE)
        made.put("/srv/FiloSottile/age/releases/download/v9.9.9/age-v9.9.9-linux-amd64.tar.gz", AGE)
        made.sh("cd /srv; python3 -m http.server --bind 127.0.0.1 8000 >/run/served 2>&1 &")
        made.sh("until curl -sf http://127.0.0.1:8000/ >/run/index; do sleep 0.1; done")
        yield made


@pytest.fixture
def bare(debian: Machine) -> Machine:
    debian.sh("rm -rf /usr/local/bin; mkdir /usr/local/bin")
    return debian


@USERS
def test_sops_and_age_are_installed_with_the_hook(bare: Machine, user: str) -> None:
    assert bare.drift(_native(), user) == {
        "sops": "missing",
        "age": "missing",
        "age-keygen": "missing",
        "hook": "missing",
    }
    assert bare.settles(_native(), user) == [
        "native-sops: sops 3.9.4 installed",
        "native-sops: age 1.2.1 installed",
        "native-sops: age-keygen 1.2.1 installed",
        "native-sops: /usr/local/bin/sops-decrypt.sh written",
    ]
    modes = bare.sh("cd /usr/local/bin; stat -c '%n %a %U:%G' $(ls -A)").splitlines()
    assert modes == [f"{name} 755 root:root" for name in ("age", "age-keygen", "sops", "sops-decrypt.sh")]
    assert bare.sh("cat /usr/local/bin/sops-decrypt.sh") == HOOK.strip()


SOPS_REPAIRED = ["sops 3.9.4 installed"]
AGE_REPAIRED = ["age 1.2.1 installed", "age-keygen 1.2.1 installed"]
HOOK_REPAIRED = ["/usr/local/bin/sops-decrypt.sh written"]


@pytest.mark.parametrize(
    ("harm", "drift", "repairs"),
    [
        ("printf '#!/bin/sh\necho sops 3.8.0' >sops", {"sops": "3.8.0"}, SOPS_REPAIRED),
        ("echo broken >sops", {"sops": "broken"}, SOPS_REPAIRED),
        ("rm age", {"age": "missing"}, AGE_REPAIRED),
        ("rm age-keygen", {"age-keygen": "missing"}, AGE_REPAIRED),
        ("echo '# more' >>sops-decrypt.sh", {"hook": "changed"}, HOOK_REPAIRED),
        (
            "chmod 600 sops-decrypt.sh",
            {"hook": "mode 600, root:root"},
            ["/usr/local/bin/sops-decrypt.sh is root's, mode 755"],
        ),
    ],
)
def test_what_was_changed_is_named_and_that_alone_is_repaired(
    debian: Machine, harm: str, drift: dict[str, str], repairs: list[str]
) -> None:
    assert debian.run(_native().apply).code == 0
    debian.sh(f"cd /usr/local/bin; {harm}")
    assert debian.drift(_native()) == drift
    assert debian.settles(_native()) == [f"native-sops: {repair}" for repair in repairs]


@pytest.mark.parametrize(
    ("pins", "told"),
    [
        (
            {"sops_sha256": "0" * 64},
            f"{SERVED}/getsops/sops/releases/download/v3.9.4/sops-v3.9.4.linux.amd64 has the checksum "
            f"{PINS['sops_sha256']} and not {'0' * 64}: nothing was installed",
        ),
        (
            {"sops": "3.9.5"},
            f"cannot download {SERVED}/getsops/sops/releases/download/v3.9.5/sops-v3.9.5.linux.amd64: "
            "curl: (22) The requested URL returned error: 404",
        ),
        ({"age": "9.9.9"}, "what was downloaded as age 9.9.9 says that it is 1.2.1: it was not installed"),
    ],
    ids=["checksum", "no such release", "another program"],
)
def test_what_runs_stays_when_the_new_one_is_not_right(debian: Machine, pins: dict[str, str], told: str) -> None:
    assert debian.run(_native().apply).code == 0
    if "sops_sha256" in pins:
        # A checksum matters only to what is downloaded.
        debian.sh("echo broken >/usr/local/bin/sops")
    everything = "ls -A /usr/local/bin; sha256sum /usr/local/bin/*"
    before = debian.sh(everything)
    assert debian.run(_native(**pins).apply, "deploy").failure == f"native-sops: {told}"
    assert debian.sh(everything) == before


def test_a_server_that_does_not_answer_is_told(bare: Machine) -> None:
    told = bare.run(_native("http://127.0.0.1:1").apply).failure
    assert told.startswith("native-sops: cannot download http://127.0.0.1:1/getsops/")
    assert "Failed to connect" in told or "Couldn't connect" in told


def test_it_is_downloaded_with_wget_where_there_is_no_curl_and_told_where_there_is_neither(bare: Machine) -> None:
    bare.sh("mv /usr/bin/curl /usr/bin/curl.away")
    try:
        assert bare.run(_native().apply).failure == (
            "native-sops: there is neither curl nor wget to download with: apt-get install curl"
        )
        wget = '#!/bin/sh\nfor it in "$@"; do case $it in --output-document=*) to=${it#*=} ;; esac; done\n'
        bare.put("/usr/local/sbin/wget", wget + 'exec /usr/bin/curl.away -sSf -o "$to" "$it"\n', "755")
        assert len(bare.settles(_native())) == 4
    finally:
        bare.sh("mv /usr/bin/curl.away /usr/bin/curl; rm -f /usr/local/sbin/wget")


def test_another_processor_is_told(bare: Machine) -> None:
    bare.put("/usr/local/sbin/uname", "#!/bin/sh\necho aarch64\n", "755")
    try:
        assert bare.run(_native().apply).failure == (
            "native-sops: the pinned checksums are for x86_64, and this host is aarch64"
        )
    finally:
        bare.sh("rm /usr/local/sbin/uname")


def test_sops_and_age_are_taken_back(debian: Machine) -> None:
    assert debian.run(_native().apply).code == 0
    assert len(debian.run(_native().undo).lines) == 4
    assert debian.sh("ls -A /usr/local/bin") == ""
    assert debian.run(_native().undo).lines == ["native-sops: nothing to change"]


@pytest.mark.parametrize(("options", "told"), [("size=8k", "No space left on device"), ("ro", "Read-only file system")])
def test_a_full_or_closed_disk_is_told_and_keeps_what_was_there(options: str, told: str) -> None:
    with machine("--tmpfs", f"/usr/local/bin:{options}") as small:
        if options != "ro":
            small.sh("echo mine >/usr/local/bin/sops")
        before = small.sh("cd /usr/local/bin; tail -n +1 * 2>/dev/null || true")
        written = small.run(apply_text("test", f"put /usr/local/bin/sops 755 {'x' * 9000}\n"), "deploy")
        assert written.failure.startswith("test: cannot write /usr/local/bin/sops: ")
        assert written.failure.endswith(told)
        small.put("/run/big", "x" * 9000)
        small.sh("mkdir -p /srv/getsops/sops/releases/download/v3.9.4")
        small.sh("mv /run/big /srv/getsops/sops/releases/download/v3.9.4/sops-v3.9.4.linux.amd64")
        assert small.run(_native("file:///srv").apply, "deploy").failure.startswith("native-sops: cannot ")
        assert small.sh("cd /usr/local/bin; tail -n +1 * 2>/dev/null || true") == before
        assert "new" not in small.sh("ls -A /usr/local/bin")


@pytest.fixture
def engineless(debian: Machine) -> Generator[Machine]:
    programs = "docker dockerd systemctl apt-get"
    debian.sh(f"for it in {programs}; do at=$(command -v $it) && mv $at $at.away; done; true")
    yield debian
    debian.sh("cd /; for it in $(ls /usr/bin/*.away /usr/sbin/*.away /bin/*.away 2>/dev/null || true); do "
              "[ ! -e $it ] || mv $it ${it%.away}; done; rm -rf /usr/local/sbin/*")  # fmt: skip


def test_a_machine_that_can_install_no_engine_says_what_to_do(engineless: Machine) -> None:
    required = docker_engine(example_versions())
    assert engineless.drift(required) == {"version": "missing", "running": "no", "compose": "missing"}
    assert engineless.run(required.apply).failure == (
        "docker: there is no Docker engine, and no apt-get to install one with: install Docker 20.10 or newer by hand"
    )
    engineless.put("/usr/local/sbin/apt-get", "#!/bin/sh\necho 'E: no such luck' >&2\nexit 100\n", "755")
    assert engineless.run(required.apply, "deploy").failure == (
        "docker: cannot read the lists of packages: E: no such luck"
    )


def test_an_engine_is_installed_where_there_is_none(engineless: Machine) -> None:
    engineless.put(
        "/usr/local/sbin/apt-get",
        '#!/bin/sh\n[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 1\n'
        'case $* in *"install docker.io") ;; *) exit 0 ;; esac\n'
        "printf '#!/bin/sh\\necho 26.1.5\\n' >/usr/local/sbin/docker; chmod 755 /usr/local/sbin/docker\n",
        "755",
    )
    assert engineless.settles(docker_engine(example_versions()), "deploy") == ["docker: docker.io 26.1.5 installed"]


@pytest.mark.parametrize(
    ("version", "least", "enough"),
    [
        ("20.10.24+dfsg1", "20.10", True),
        ("20.10.24", "20.10.24", True),
        ("9.0.1", "20.10", False),
        ("20.9.9", "20.10", False),
        ("28.0.0-rc.1", "20.10", True),
    ],
)
def test_an_engine_that_is_too_old_is_named_and_not_upgraded(
    engineless: Machine, version: str, least: str, enough: bool
) -> None:
    engineless.put("/usr/local/sbin/docker", f"#!/bin/sh\necho {version}\n", "755")
    required = docker_engine(example_versions(docker=least))
    assert engineless.drift(required).get("version") == (None if enough else version)
    done = engineless.run(required.apply)
    if enough:
        assert done.lines == ["docker: nothing to change"]
    else:
        assert done.failure == (
            f"docker: Docker {version} is older than {least}: upgrade it by hand, because that restarts every container"
        )


def test_without_systemd_a_stopped_engine_and_an_unkept_clock_are_told(debian: Machine) -> None:
    assert debian.drift(docker_engine(example_versions())) == {"running": "no"}
    assert debian.run(docker_engine(example_versions()).apply, "deploy").failure == (
        "docker: the engine does not run, and neither does systemd, which would start it"
    )
    debian.put("/usr/local/sbin/systemd-detect-virt", "#!/bin/sh\nexit 1\n", "755")
    assert debian.drift(time_sync()) == {"kept": "no"}
    assert debian.run(time_sync().apply).failure == (
        "time-sync: nothing keeps the clock right, and systemd, which would start it, does not run"
    )
    debian.sh("rm /usr/local/sbin/systemd-detect-virt")


def test_a_service_is_asked_of_no_machine_without_systemd(debian: Machine) -> None:
    host = Host("komodo", periphery=SystemdPeriphery(path="/etc/komodo/periphery.config.toml"))
    assert debian.run(periphery(host, example_site("komodo"), binaries=SERVED).apply, "deploy").failure == (
        "periphery: systemd does not run on this host. Declare its Periphery as a container"
    )


def test_in_a_container_the_clock_is_the_machines_around_it(debian: Machine) -> None:
    debian.put("/usr/local/sbin/systemd-detect-virt", '#!/bin/sh\n[ "$1" = --container ]\n', "755")
    assert debian.settles(time_sync(), "deploy") == ["time-sync: nothing to change"]
    assert debian.run(time_sync().probe).facts == {"kept": "yes", "clock": "unknown"}
    debian.sh("rm /usr/local/sbin/systemd-detect-virt")


@USERS
def test_free_space_is_reported_against_the_floor(debian: Machine, user: str) -> None:
    assert debian.run(disk_space(0).probe, user).facts == {"free": "at least 0 GiB"}
    told = debian.run(disk_space(10**6).probe, user).facts["free"]
    assert told.startswith("less than ")
    assert told.endswith(" GiB on /var/lib/docker") or told.endswith(" GiB on /")
    assert debian.settles(disk_space(10**6), user) == ["disk-space: nothing to change"]
