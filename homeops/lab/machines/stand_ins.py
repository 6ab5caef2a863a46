"""Stand-ins for the images that compose files name: they start, stay, answer health checks, and fail when told to.

A stand-in is BusyBox, a shell, and scripts under the names that a compose file calls: what the container starts with,
and what its health check asks. Told to fail, by the image's variable ``HOMEOPS_STAND_IN_FAILS`` or by the container's
file ``/stand-in/fails``, with a word that is a Fate, it does.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from homeops.compose.directories import read_directories, stack_directories
from homeops.compose.image import parse_image
from homeops.compose.interpolation import interpolations
from homeops.errors import LabError, Problem
from homeops.lab.core.compose_project import ComposeFailure, filled
from homeops.lab.machines.archive import Entry, archive
from homeops.lab.machines.storage import Image, Layer

Fate = Literal["", "start", "health"]
"""``start``: the container ends at once with 1. ``health``: it runs, and its health checks fail."""

FAILS = "HOMEOPS_STAND_IN_FAILS"
FAILS_FILE = "/stand-in/fails"
LABEL = "homeops.lab.stand-in-for"

_MAIN = "/stand-in/main"
_CHECK = "/stand-in/check"
_ALWAYS_CHECKS = ("curl", "wget", "nc", "bash")
_SHELLS = ("sh", "/bin/sh", "ash")
_EXEC = re.compile(r"\bexec\s+([\w./-]+)")

_FAILS_SCRIPT = f"""#!/bin/sh
told=${{{FAILS}:-}}
[ -f {FAILS_FILE} ] && read -r told < {FAILS_FILE}
"""
_MAIN_SCRIPT = f"""{_FAILS_SCRIPT}
trap 'exit 0' TERM INT
echo "stand-in for ${{HOMEOPS_STAND_IN_FOR:-an image}}: started with $*"
if [ "$told" = start ]; then
  echo "stand-in for ${{HOMEOPS_STAND_IN_FOR:-an image}}: told to fail at its start" >&2
  exit 1
fi
# A second at most passes until a signal is heeded, and no process outlives this one for longer.
while :; do
  sleep 1
done
"""
_CHECK_SCRIPT = f"""{_FAILS_SCRIPT}
if [ "$told" = health ]; then
  echo "stand-in: told to fail its health check" >&2
  exit 1
fi
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """What stand-ins are made of: programs that need no library.

    BusyBox's own shell is not among them: it takes BusyBox's wget for any other of that name.
    """

    busybox: bytes = field(repr=False)
    shell: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Need:
    """What a compose file needs of an image: programs to start with, and programs that check its health."""

    name: str
    tag: str
    starts: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()


def needs(root: Path, variables: Mapping[str, str]) -> list[Need]:
    """Every image of every compose file under docker/stacks; ``variables`` are those that image names use.

    Raises LabError when an image's name uses a variable that is not among them.
    """
    found: dict[tuple[str, str], Need] = {}
    stacks = read_directories(root, stack_directories(root))
    for path in [root / directory / name for directory, files in stacks.items() for name in files.compose]:
        document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        services: dict[str, dict[str, Any]] = document.get("services") or {}
        for name, service in services.items():
            if "image" not in service:
                continue
            where = f"{path.relative_to(root)}: {name}"
            image = parse_image(_filled(service["image"], variables, where))
            key = image.repository, image.tag or "latest"
            before = found.get(key, Need(*key))
            starts, checks = before.starts | _started(service), before.checks | _checked(service)
            found[key] = Need(*key, starts=starts, checks=checks)
    return list(found.values())


def stand_in(need: Need, programs: Programs, fate: Fate = "") -> Image:
    """The stand-in for an image."""
    return Image(
        need.name,
        need.tag,
        layers=(_base(programs), Layer.of(_calls(need))),
        entrypoint=(_MAIN,),
        environ={"HOMEOPS_STAND_IN_FOR": f"{need.name}:{need.tag}"} | ({FAILS: fate} if fate else {}),
        labels={LABEL: f"{need.name}:{need.tag}"},
    )


@lru_cache(maxsize=1)
def _base(programs: Programs) -> Layer:
    """The layer that all stand-ins share: the shell, and BusyBox under the names of its programs."""
    links = [Entry(f"/bin/{name}", link="busybox") for name in _APPLETS]
    users = [
        Entry("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
        Entry("/etc/group", b"root:x:0:\nnogroup:x:65534:\n"),
    ]
    places = [Entry("/tmp", mode=0o1777), Entry("/root", mode=0o700), Entry("/var", mode=0o755)]  # noqa: S108
    binaries = [Entry("/bin/busybox", programs.busybox, 0o755), Entry("/bin/sh", programs.shell, 0o755)]
    return Layer.of(archive([*binaries, *links, *users, *places]))


def _calls(need: Need) -> bytes:
    calls = {_place(name): _CHECK for name in (*_ALWAYS_CHECKS, *need.checks)}
    calls |= {_place(name): _MAIN for name in need.starts}
    return archive(
        [
            # Anyone in the container may say that it fails.
            Entry("/stand-in", mode=0o1777),
            Entry(_MAIN, _MAIN_SCRIPT.encode(), 0o755),
            Entry(_CHECK, _CHECK_SCRIPT.encode(), 0o755),
            *(Entry(path, link=target) for path, target in calls.items()),
        ]
    )


def _place(program: str) -> str:
    return program if program.startswith("/") else f"/usr/local/bin/{program}"


def _started(service: dict[str, Any]) -> frozenset[str]:
    entrypoint: list[str] | str = service.get("entrypoint") or []
    words = entrypoint.split() if isinstance(entrypoint, str) else entrypoint
    if words[:1] and words[0] in _SHELLS:
        return frozenset(name for text in words[1:] for name in _EXEC.findall(text))
    return frozenset(words[:1])


def _checked(service: dict[str, Any]) -> frozenset[str]:
    health: dict[str, Any] = service.get("healthcheck") or {}
    test: list[str] | str = health.get("test") or ""
    if isinstance(test, list) and test[:1] == ["CMD"] and test[1] not in _SHELLS:
        return frozenset([test[1]])
    # A shell's text finds its programs among those that are always there.
    return frozenset()


def _filled(text: str, variables: Mapping[str, str], where: str) -> str:
    try:
        unknown = [used.name for used in interpolations(text, 0) if used.name not in variables and not used.optional]
        if not unknown:
            return filled(text, variables)
    except (ValueError, ComposeFailure) as error:
        raise LabError(Problem(where, str(error).strip())) from error
    raise LabError(Problem(where, f"its image needs {unknown[0]}, which the lab does not know"))


def told(fate: Fate) -> Iterable[Entry]:
    """The files that make a container's stand-in fail from now on."""
    return [Entry(FAILS_FILE, f"{fate}\n".encode())]


_APPLETS = re.findall(
    r"\w+",
    """
    basename cat chmod chown cp cut date dirname du echo env expr false find grep head hostname id kill ln
    ls mkdir mv nslookup od ping printf ps pwd readlink rm sed seq sha256sum sleep sort stat sync
    tail tee test touch tr true uname uniq wc which whoami xargs yes
""",
)
