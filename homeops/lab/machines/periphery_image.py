"""The image that a Periphery in a container runs from, as the lab's registry offers it.

It stands in for what ``docker/periphery`` builds. Periphery in it is the lab's own; sops, age, the hook that decrypts,
git, openssl, docker and its compose plugin are the real ones.
"""

from collections.abc import Mapping
from pathlib import Path

from homeops.hosts.requirements import HOOK
from homeops.lab.machines.archive import Entry, archive, digest
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.fleet import Machines
from homeops.lab.machines.kept_layers import kept_layer
from homeops.lab.machines.picked_layers import PYTHON, picked_layer, python_layer
from homeops.lab.machines.releases import own_program
from homeops.lab.machines.stand_ins import LABEL
from homeops.lab.machines.storage import Image, Layer
from homeops.lab.periphery.release import release
from homeops.model.conventions import DECRYPT

PROGRAM = "/usr/local/bin/periphery"

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_COMMANDS = """
awk basename cat chmod chown cp cut date dirname du expr false find grep gzip head hostname id install ln ls mkdir
mktemp mv od printf pwd readlink realpath rm rmdir sed seq sha256sum sleep sort stat tail tar tee test timeout touch tr
true uname uniq wc whoami xargs
"""
_TOOLS = (
    *(f"/usr/bin/{name}" for name in _COMMANDS.split()),
    *("/usr/bin/git", "/usr/lib/git-core/git", "/usr/lib/git-core/git-remote-https", "/usr/share/git-core/templates"),
    *("/usr/bin/openssl", "/usr/lib/ssl/openssl.cnf", "/usr/bin/docker", "/usr/local/lib/docker/cli-plugins"),
)


def periphery_image(
    engine: Engine, host_image: str, root: Path, environ: Mapping[str, str], name: str, tag: str, version: str
) -> Image:
    """The image under the name and tag that hosts pull; its Periphery says that it is ``version``.

    ``host_image`` is the name of the hosts' image; hook, sops and age are those of the checkout at ``root``. It trusts
    that checkout's lab and no other server. Raises LabError when something of it cannot be had.
    """
    return Image(
        name,
        tag,
        layers=(
            python_layer(engine, host_image),
            picked_layer(engine, host_image, _TOOLS, PYTHON),
            _secrets_layer(engine, root, environ),
            Layer.of(_own_files(Machines(root, environ, engine).authority, root, version)),
        ),
        entrypoint=(PROGRAM,),
        labels={LABEL: f"{name}:{tag}"},
    )


def _secrets_layer(engine: Engine, root: Path, environ: Mapping[str, str]) -> Layer:
    programs = {name: own_program(name, root, environ).read_bytes() for name in ("sops", "age", "age-keygen")}
    entries = [Entry(f"/usr/local/bin/{name}", content, 0o755) for name, content in programs.items()]
    return kept_layer(engine, digest(*programs, *programs.values()), lambda: archive(entries))


def _own_files(authority: Path, root: Path, version: str) -> bytes:
    return archive(
        [
            Entry(PROGRAM, release(version), 0o755),
            Entry(f"/usr/local/bin/{DECRYPT}", (root / HOOK).read_bytes(), 0o755),
            # The Git server's is the only certificate that it meets.
            Entry(_CERTIFICATES, authority.read_bytes()),
            Entry("/root", mode=0o700),
            Entry("/tmp", mode=0o1777),  # noqa: S108
        ]
    )
