"""The image of the hosts where it cannot be made from packages: ``docker build`` from Docker's official Debian."""

import io
import re
import tarfile
from pathlib import Path

import pytest

from homeops.errors import LabError
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.image import PACKAGES, have_image
from tests.lab.heard import Heard

# It has no image yet; what is built is kept beside it, and its file "refuses" lets it fail.
DOCKER = """\
#!/bin/sh
cd "${0%/*}"
[ "$1" = build ] || exit 1
[ ! -e refuses ] || { cat refuses >&2; exit 1; }
echo "$*" >built
cat >context.tar
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine for a checkout in the same place. No debootstrap is on PATH."""
    program(tmp_path / ".tools/bin/docker-compose", "the plugin")
    return Engine(str(program(tmp_path / "docker", DOCKER)), "2", {"PATH": "/usr/bin:/bin"})


def test_it_is_built_from_the_official_one_with_all_packages_and_files(engine: Engine, tmp_path: Path) -> None:
    heard = Heard()
    tag = have_image(engine, tmp_path, {"PATH": str(tmp_path)}, heard)
    assert (tmp_path / "built").read_text() == f"build --tag {tag} -\n"
    assert heard.lines == [f"Image: {tag} made"]
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "context.tar").read_bytes())) as tar:
        files = {member.name: stream.read() for member in tar if (stream := tar.extractfile(member))}
        modes = {member.name: member.mode for member in tar}
    text = files.pop("Dockerfile").decode()
    base = re.match(r"FROM debian:(\w+)-slim\n", text)
    assert base
    assert tag.partition(":")[2].startswith(f"{base[1]}-")
    assert all(re.search(rf"[ ]{re.escape(package)}\s", text) for package in PACKAGES)
    assert "COPY root/ /\n" in text
    assert "RUN sh /finish " in text
    assert files.keys() == {"root/finish", "root/usr/local/lib/docker/cli-plugins/docker-compose"}
    assert modes["root/usr/local/lib/docker/cli-plugins/docker-compose"] == 0o755


def test_without_a_registry_it_is_said_what_else_would_do(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "refuses").write_text("failed to resolve docker.io/library/debian\n")
    with pytest.raises(LabError, match=r"cannot be built\n(.*\n)*.*failed to resolve(.*\n)+  hint: .*debootstrap"):
        have_image(engine, tmp_path, {"PATH": str(tmp_path)}, Heard())
