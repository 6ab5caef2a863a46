"""The parts of the lab's machines that need no Docker."""

import hashlib
import io
import json
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.errors import LabError
from homeops.lab.machines.agent import ssh_agent
from homeops.lab.machines.apt import KEYRING, Mirror, debian_mirror
from homeops.lab.machines.archive import Entry, archive
from homeops.lab.machines.container import Container
from homeops.lab.machines.credentials import Credentials
from homeops.lab.machines.engine import NoEngine, find_engine
from homeops.lab.machines.image import Recipe
from homeops.lab.machines.machine import Wanted
from homeops.lab.machines.name_server import answer
from homeops.lab.machines.names import Names
from homeops.lab.machines.network import allot, check_own
from homeops.lab.machines.releases import offer_releases
from homeops.lab.machines.stand_ins import FAILS, Programs, needs, stand_in
from homeops.lab.machines.storage import DOCKER_HUB, STORAGE, Image, Layer, split_name, stored


def test_two_checkouts_share_no_name(tmp_path: Path) -> None:
    one, other = Names.of(tmp_path / "one"), Names.of(tmp_path / "other")
    assert one.machine("nvr").startswith("homeops-lab-")
    assert one.machine("nvr").startswith(f"{one.prefix}-")
    assert not other.machine("nvr").startswith(f"{one.prefix}-")
    assert Names.of(tmp_path / "one") == one


def test_without_a_docker_command_the_lab_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoEngine, match="docker: not installed"):
        find_engine({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "no engine answers: Cannot connect"),
        # An older command answers nothing and complains, but ends with 0.
        ("echo ' '; echo 'ERROR: cannot connect' >&2", "no engine answers: ERROR: cannot connect"),
        ("echo '2 windows'", "its containers are windows's"),
    ],
)
def test_an_engine_that_cannot_be_used_is_none(tmp_path: Path, script: str, said: str) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    with pytest.raises(NoEngine, match=said):
        find_engine({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "debian.sources",
            "Types: deb\n# old\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
            "Components: main\nSigned-By: /keys/debian.gpg\n",
            Mirror("http://mirror.example/debian", "bookworm", "/keys/debian.gpg"),
        ),
        (
            "debian.sources",
            "Enabled: no\nTypes: deb\nURIs: http://off.example\nSuites: bookworm\nComponents: main\n\n"
            "Types: deb deb-src\nURIs: http://on.example\nSuites: bookworm\nComponents: contrib main\n",
            Mirror("http://on.example", "bookworm", KEYRING),
        ),
        (
            "mirror.list",
            "# deb http://no.example bookworm main\ndeb-src http://src.example bookworm main\n"
            "deb [arch=amd64 signed-by=/keys/a.gpg] http://yes.example/debian bookworm main contrib\n",
            Mirror("http://yes.example/debian", "bookworm", "/keys/a.gpg"),
        ),
        (
            "other.list",
            "deb http://node.example nodistro main\ndeb http://back.example bookworm-backports main\n",
            None,
        ),
        ("short.list", "deb [trusted=yes\ndeb\n", None),
    ],
)
def test_the_mirror_is_the_one_of_apt(tmp_path: Path, file: str, text: str, expected: Mirror | None) -> None:
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    (tmp_path / "etc/apt/sources.list.d" / file).write_text(text)
    assert debian_mirror(tmp_path) == expected


def test_another_system_has_no_mirror_of_debian(tmp_path: Path) -> None:
    (tmp_path / "etc/apt").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text("ID=ubuntu\nVERSION_CODENAME=noble\n")
    (tmp_path / "etc/apt/sources.list").write_text("deb http://mirror.example noble main\n")
    assert debian_mirror(tmp_path) is None


def test_another_recipe_is_another_image() -> None:
    tags = {Recipe("bookworm", b"one").tag, Recipe("bookworm", b"two").tag, Recipe("trixie", b"one").tag}
    assert len(tags) == 3
    assert Recipe("bookworm", b"one").tag in tags


def test_an_archive_holds_files_links_and_directories_as_they_are() -> None:
    entries = [Entry("/b", b"text", 0o600, owner=7), Entry("/a", link="b"), Entry("/c", mode=0o1777)]
    assert archive(entries) == archive(reversed(entries))
    with tarfile.open(fileobj=io.BytesIO(archive(entries))) as tar:
        link, file, directory = tar.getmembers()
        assert (link.name, link.issym(), link.linkname) == ("a", True, "b")
        assert (file.name, file.mode, file.uid, file.size) == ("b", 0o600, 7, 4)
        assert (directory.isdir(), directory.mode) == (True, 0o1777)


@pytest.mark.parametrize(
    ("name", "host", "repository"),
    [
        ("mongo", DOCKER_HUB, "library/mongo"),
        ("grafana/alloy", DOCKER_HUB, "grafana/alloy"),
        ("docker.io/mongo", DOCKER_HUB, "library/mongo"),
        ("docker.io/a/b", DOCKER_HUB, "a/b"),
        ("ghcr.io/a/b/c", "ghcr.io", "a/b/c"),
        ("localhost/a", "localhost", "a"),
        ("registry.example:5000/a", "registry.example:5000", "a"),
    ],
)
def test_where_docker_looks_for_an_image(name: str, host: str, repository: str) -> None:
    assert split_name(name) == (host, repository)


def test_a_stored_image_is_whole() -> None:
    image = Image("mongo", "8", (Layer.of(b"one"), Layer.of(b"two")), ("/main",), {"A": "1"}, {"of": "mongo"})
    files = {entry.path.removeprefix(f"{STORAGE}/docker/registry/v2/"): entry.content for entry in stored([image])}
    link = files["repositories/library/mongo/_manifests/tags/8/current/link"]
    assert link == image.digest.encode()

    def blob(digest: str) -> bytes:
        key = digest.removeprefix("sha256:")
        content = files[f"blobs/sha256/{key[:2]}/{key}/data"]
        assert content is not None
        return content

    manifest = json.loads(blob(image.digest))
    for part in [manifest["config"], *manifest["layers"]]:
        assert len(blob(part["digest"])) == part["size"]
        key = part["digest"].removeprefix("sha256:")
        assert files[f"repositories/library/mongo/_layers/sha256/{key}/link"] == part["digest"].encode()
    configuration = json.loads(blob(manifest["config"]["digest"]))
    assert configuration["config"]["Entrypoint"] == ["/main"]
    assert "A=1" in configuration["config"]["Env"]
    assert len(configuration["rootfs"]["diff_ids"]) == len(manifest["layers"]) == 2


def test_every_image_of_the_fleet_has_a_stand_in_with_what_its_compose_file_calls(root: Path) -> None:
    found = {need.name: need for need in needs(root, {"KOMODO_VERSION": "2.3.2"})}
    assert found["ghcr.io/moghtech/komodo-core"].tag == "2.3.2"
    assert found["mongo"].starts == {"docker-entrypoint.sh"}
    assert found["mongo"].checks == {"mongosh"}
    assert found["vaultwarden/server"].checks == {"/healthcheck.sh"}
    image = stand_in(found["mongo"], Programs(b"busybox", b"shell"))
    links: dict[str, str] = {}
    for layer in image.layers:
        with tarfile.open(fileobj=io.BytesIO(layer.packed)) as tar:
            links |= {f"/{member.name}": member.linkname for member in tar if member.issym()}
    assert links["/usr/local/bin/docker-entrypoint.sh"] == "/stand-in/main"
    assert links["/usr/local/bin/mongosh"] == "/stand-in/check"
    assert links["/bin/env"] == "busybox"
    assert stand_in(found["mongo"], Programs(b"busybox", b"shell"), "start").environ[FAILS] == "start"


def test_an_image_whose_name_uses_an_unknown_variable_is_named(tmp_path: Path) -> None:
    stack = tmp_path / "docker/stacks/nvr/one"
    stack.mkdir(parents=True)
    (stack / "compose.yaml").write_text(
        "services:\n  a: {image: 'one:${TAG:-7}'}\n  b: {image: 'two:${OTHER:?no}'}\n  c: {build: .}\n"
    )
    with pytest.raises(LabError, match=r"docker/stacks/nvr/one/compose.yaml: b: its image needs OTHER"):
        needs(tmp_path, {})
    assert {(need.name, need.tag) for need in needs(tmp_path, {"OTHER": "8"})} == {("one", "7"), ("two", "8")}


@pytest.mark.parametrize(
    ("told", "main", "check"), [("", None, 0), ("start", 1, 0), ("health", None, 1), ("other", None, 0)]
)
def test_a_stand_in_fails_as_it_is_told(tmp_path: Path, told: str, main: int | None, check: int) -> None:
    image = stand_in(
        next(iter(needs(Path(__file__).resolve().parents[3], {"KOMODO_VERSION": "1"}))), Programs(b"", b"")
    )
    for layer in image.layers:
        with tarfile.open(fileobj=io.BytesIO(layer.packed)) as tar:
            for member in tar:
                if member.name in ("stand-in/main", "stand-in/check"):
                    assert member.mode & stat.S_IXUSR
                    tar.extract(member, tmp_path, filter="data")
    environ = {"PATH": "/usr/bin:/bin", FAILS: told}
    assert subprocess.run([tmp_path / "stand-in/check"], env=environ, check=False).returncode == check
    command = [tmp_path / "stand-in/main"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("stand-in for an image: started")
        if main is None:
            process.terminate()
        assert process.wait(5) == (main or 0)


def test_a_host_keeps_its_ports_when_others_come() -> None:
    first = allot(["a"], {}, 5, lambda _: True)
    both = allot(["b", "a"], first, 5, lambda _: True)
    assert both["a"] == first["a"]
    assert len({port for ports in both.values() for port in ports.values()}) == 4


def test_no_port_that_is_in_use_is_allotted() -> None:
    ports = allot(["a"], {}, 0, lambda port: port % 2 == 0)["a"]
    assert all(port % 2 == 0 for port in ports.values())
    with pytest.raises(LabError, match="no free port for a"):
        allot(["a"], {}, 0, lambda _: False)


@pytest.mark.parametrize(("name", "user"), [("a b", "root"), ("nvr", "x; reboot"), ("../up", "root"), ("nvr", "")])
def test_names_that_a_script_could_trip_over_are_refused(name: str, user: str) -> None:
    with pytest.raises(LabError, match="cannot have this name or user"):
        Wanted(name, user)


def test_a_container_with_other_files_is_another_one() -> None:
    one = Container("x", "image", ("--ip", "1"), ("run",), (Entry("/a", b"1"),))
    assert one.recipe == Container("y", "image", ("--ip", "1"), ("run",), (Entry("/a", b"1"),)).recipe
    assert one.recipe != Container("x", "image", ("--ip", "1"), ("run",), (Entry("/a", b"2"),)).recipe
    assert one.recipe != Container("x", "image", ("--ip",), ("1", "run"), (Entry("/a", b"1"),)).recipe


def test_keys_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "keys")
    operator, (certificate, key) = credentials.operator, credentials.server(["b.example", "a.example"])
    before = operator.read_bytes(), certificate.read_bytes(), credentials.authority.read_bytes()
    again = Credentials(tmp_path / "keys")
    assert again.server(["a.example", "b.example", "b.example"]) == (certificate, key)
    assert (again.operator.read_bytes(), certificate.read_bytes(), again.authority.read_bytes()) == before
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    verified = ["openssl", "verify", "-CAfile", credentials.authority, "-verify_hostname", "a.example", certificate]
    assert subprocess.run(verified, capture_output=True, check=False).returncode == 0
    assert again.server(["c.example"])[0] != certificate


def _question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0" + bytes([0, kind, 0, 1])


@pytest.mark.parametrize(
    ("name", "kind", "code", "found"),
    [
        ("ghcr.io", 1, 0, b"\x0a\x01\x02\x03"),
        ("GHCR.io", 1, 0, b"\x0a\x01\x02\x03"),
        ("ghcr.io", 28, 0, b""),
        ("a.ghcr.io", 1, 3, b""),
        ("example.org", 1, 3, b""),
    ],
)
def test_the_name_server_knows_its_names_and_no_others(name: str, kind: int, code: int, found: bytes) -> None:
    question = _question(name, kind)
    reply = answer(question, {"ghcr.io": "10.1.2.3"})
    assert reply[:2] == question[:2]
    assert reply[3] & 0xF == code
    assert reply[12 : len(question)] == question[12:]
    assert int.from_bytes(reply[6:8], "big") == bool(found)
    assert reply[len(question) :][12:] == found


@given(st.binary(max_size=80))
def test_whatever_the_name_server_is_sent_it_answers(sent: bytes) -> None:
    assert answer(sent, {})[:2] == sent[:2].ljust(2, b"\0")
    assert len(answer(_question("ghcr.io")[: len(sent)], {})) >= 12


def test_the_settings_ask_for_the_releases_that_are_offered(tmp_path: Path) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    for name, said in (("sops", "sops 3.9.4 (latest)"), ("age", "v1.2.1"), ("age-keygen", "v1.2.1")):
        (place / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (place / name).chmod(0o755)
    environ, downloads = {"PATH": str(place)}, tmp_path / "downloads"
    settings = offer_releases(tmp_path, environ, downloads, "2.3.2")
    assert (settings["sops"], settings["age"]) == ("3.9.4", "1.2.1")
    assert offer_releases(tmp_path, environ, downloads, "2.3.2") == settings
    sops = downloads / "getsops/sops/releases/download/v3.9.4/sops-v3.9.4.linux.amd64"
    age = downloads / "FiloSottile/age/releases/download/v1.2.1/age-v1.2.1-linux-amd64.tar.gz"
    assert hashlib.sha256(sops.read_bytes()).hexdigest() == settings["sopsSha256"]
    assert hashlib.sha256(age.read_bytes()).hexdigest() == settings["ageSha256"]
    with tarfile.open(age) as tar:
        assert {member.name: member.mode for member in tar} == {"age/age": 0o755, "age/age-keygen": 0o755}
    with pytest.raises(LabError, match="sops: not found"):
        offer_releases(tmp_path, {"PATH": ""}, downloads, "2.3.2")


def test_the_agent_holds_one_key_and_ends_with_its_block(tmp_path: Path) -> None:
    operator = Credentials(tmp_path).operator
    environ = {"PATH": "/usr/bin:/bin", "SSH_AUTH_SOCK": "/somebody/elses", "SSH_AGENT_PID": "1"}
    with ssh_agent(operator, environ) as inside:
        held = subprocess.run(["ssh-add", "-L"], env=inside, capture_output=True, text=True, check=True).stdout
        assert held == operator.with_name(f"{operator.name}.pub").read_text()
    assert not Path(inside["SSH_AUTH_SOCK"]).parent.exists()
    with pytest.raises(LabError, match="ssh-add: "), ssh_agent(tmp_path / "none", environ):
        pass


def test_a_machine_that_containers_cannot_reach_is_said_so() -> None:
    check_own("127.0.0.1")
    with pytest.raises(LabError, match=r"at 203\.0\.113\.7, which is not its own (.|\n)*--simulated"):
        check_own("203.0.113.7")
