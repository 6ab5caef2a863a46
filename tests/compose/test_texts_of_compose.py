"""The small languages inside compose files: variables, images, ports, volumes, names of secret files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.compose.image import ImageReference, parse_image
from homeops.compose.interpolation import interpolations, without_interpolations
from homeops.compose.secret_files import SecretFile, encrypted_path, plain_path, secret_files
from homeops.compose.short_syntax import Port, Volume, parse_port, parse_volume


# What docker compose v5 made of the same texts.
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$A ${B}", ["A", "B"]),
        ("$$A $${B}", []),
        ("$$$A", ["A"]),
        ("^\\d+$ $5 $(id) a$", []),
        ("${A-${B:-c}}", ["A", "B"]),
        ("${A:?x ${B} y}", ["A", "B"]),
        ("${_a1}$b_2-c", ["_a1", "b_2"]),
    ],
)
def test_variables_are_those_that_compose_fills_in(text: str, names: list[str]) -> None:
    assert [variable.name for variable in interpolations(text, 1)] == names


@pytest.mark.parametrize("text", ["${-x}", "${A B}", "${A", "${A.B}", "${A:-b", "${}", "${A:b}", "${A:-${B}"])
def test_braces_that_compose_refuses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no such form|not closed"):
        list(interpolations(text, 1))


@pytest.mark.parametrize(
    ("text", "required", "optional"),
    [
        ("$A", False, False),
        ("${A}", False, False),
        ("${A?}", True, False),
        ("${A:?x}", True, False),
        ("${A-}", False, True),
        ("${A:-x}", False, True),
        ("${A+x}", False, True),
        ("${A:+x}", False, True),
    ],
)
def test_what_a_missing_variable_means(text: str, required: bool, optional: bool) -> None:
    (variable,) = interpolations(text, 1)
    assert (variable.required, variable.optional) == (required, optional)


@given(st.lists(st.sampled_from([".", ":", "$$", "$A", "${A}", "${A:-b:c}", "${A:?${B}}", "/"])))
def test_what_is_left_without_variables_has_none(parts: list[str]) -> None:
    text = without_interpolations("".join(parts))
    assert text == "".join({"$$": "$"}.get(part, "X" if part.startswith("$") else part) for part in parts)


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest", "pinned"),
    [
        ("mongo", "mongo", "", "", False),
        ("mongo:latest", "mongo", "latest", "", False),
        ("mongo:8.0.32", "mongo", "8.0.32", "", True),
        ("registry:5000/team/app", "registry:5000/team/app", "", "", False),
        ("registry:5000/team/app:1", "registry:5000/team/app", "1", "", True),
        ("app:latest@sha256:abc", "app", "latest", "sha256:abc", True),
        ("ghcr.io/a/b:${VERSION:?set VERSION: now}", "ghcr.io/a/b", "X", "", True),
        ("${REGISTRY:-ghcr.io:443}/b", "X/b", "", "", False),
        ("", "", "", "", False),
    ],
)
def test_images_are_split_and_judged(text: str, repository: str, tag: str, digest: str, pinned: bool) -> None:
    image = parse_image(text)
    assert image == ImageReference(repository, tag, digest)
    assert image.pinned is pinned


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("80", Port("", "", "80", "tcp", 1)),
        ("8080:80", Port("", "8080", "80", "tcp", 1)),
        ("3000-3005:3000-3005/udp", Port("", "3000-3005", "3000-3005", "udp", 1)),
        ("127.0.0.1:8080:80", Port("127.0.0.1", "8080", "80", "tcp", 1)),
        ("127.0.0.1::80", Port("127.0.0.1", "", "80", "tcp", 1)),
        ("[::1]:8080:80", Port("::1", "8080", "80", "tcp", 1)),
        ("${PORT:-8080}:80", Port("", "${PORT:-8080}", "80", "tcp", 1)),
    ],
)
def test_ports_are_split(text: str, port: Port) -> None:
    assert parse_port(text, 1) == port


@pytest.mark.parametrize(
    ("text", "volume"),
    [
        ("/data", Volume("volume", "", "/data", False, 1)),
        ("data:/data", Volume("volume", "data", "/data", False, 1)),
        ("./a:/b:ro", Volume("bind", "./a", "/b", True, 1)),
        ("../a:/b:rw,z", Volume("bind", "../a", "/b", False, 1)),
        ("~/a:/b:z,ro", Volume("bind", "~/a", "/b", True, 1)),
        ("/run/docker.sock:/sock", Volume("bind", "/run/docker.sock", "/sock", False, 1)),
        ("${DATA:-/srv}:/b", Volume("bind", "${DATA:-/srv}", "/b", False, 1)),
    ],
)
def test_volumes_are_split(text: str, volume: Volume) -> None:
    assert parse_volume(text, 1) == volume


def test_secret_files_of_a_directory_alone_are_found_in_order(tmp_path: Path) -> None:
    for name in (
        "x.sops.json",
        ".sops.env",
        "db.sops.env",
        "s.sops.yaml",
        ".env",
        "compose.yaml",
        "a.sops.txt",
        "sops.env",
    ):
        (tmp_path / name).touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / ".sops.env").touch()
    assert secret_files(tmp_path) == (
        SecretFile(tmp_path / ".sops.env", tmp_path / ".env", "env"),
        SecretFile(tmp_path / "db.sops.env", tmp_path / "db.env", "env"),
        SecretFile(tmp_path / "s.sops.yaml", tmp_path / "s.yaml", "yaml"),
        SecretFile(tmp_path / "x.sops.json", tmp_path / "x.json", "json"),
    )


@given(st.sampled_from(["", "db", "a.b", "sops", "x.sops"]), st.sampled_from(["env", "json", "yaml"]))
def test_each_secret_file_has_one_plain_file_and_back(name: str, kind: str) -> None:
    encrypted = Path("dir") / f"{name}.sops.{kind}"
    assert plain_path(encrypted).name == f"{name}.{kind}"
    assert encrypted_path(plain_path(encrypted)) == encrypted
