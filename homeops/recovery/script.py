"""The steps that bring the control plane up, and all of them as one script. Pure text: what is shown is what is run.

A step is bash on this machine. What has to happen on the host is in quotes: POSIX shell text that ``as_root`` runs.
"""

import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent, wrap

from homeops.compose.secret_files import plain_path
from homeops.hosts.requirements import HOOK
from homeops.model.host import AGE_KEY
from homeops.recovery.control_plane import ControlPlane

KEY, SECRET = "KOMODO_API_KEY", "KOMODO_API_SECRET"

_LOG_LINES = 15
_WIDTH = 110
_NOTHING = "</dev/null"
"""Keeps ssh from reading the rest of a script that comes through a pipe."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, what it is for, its shell text, and what to do when it fails.

    ``reaches``: whether it is the one that shows that ssh works.
    """

    title: str
    purpose: str
    shell: str
    hint: str
    reaches: bool = False


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is done: where secrets are decrypted, the host's age key, how many seconds Core gets to answer."""

    decrypt_here: bool = False
    age_key: str = AGE_KEY
    patience: int = 60


def steps(plane: ControlPlane, manner: Manner | None = None) -> tuple[Step, ...]:
    """What to do, in order."""
    manner = manner or Manner()
    return (
        *_host_steps(plane),
        *_file_steps(plane),
        *_secret_steps(plane, manner),
        *_compose_steps(plane),
        *_proof_steps(plane, manner),
    )


def prelude(plane: ControlPlane) -> str:
    """What each step needs before it: strict mode, and how the host is reached."""
    reach = plane.reach
    root = "" if reach.ssh_user == "root" else "sudo -n "
    pinned = f"-o UserKnownHostsFile={_q(plane.known_hosts)} " if plane.known_hosts else ""
    return f"""\
set -euo pipefail

on_host() {{
  ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -o ServerAliveInterval=15 \\
    {pinned}-p {reach.ssh_port} {_q(f"{reach.ssh_user}@{reach.ssh_host}")} "$1"
}}

# Runs the shell text $1 as root on the host; standard input goes along.
as_root() {{
  on_host "{root}sh -euc '$(printf '%s' "$1" | sed "s/'/'\\\\\\\\''/g")'"
}}
"""


def script(plane: ControlPlane, manner: Manner | None = None) -> str:
    """All of it, to read and to run by hand in the root of a checkout."""
    parts = [f"#!/usr/bin/env bash\n{_comment(_introduction(plane))}{_FOR_SHELLCHECK}\n{prelude(plane)}\n{_REPORT}"]
    for number, step in enumerate(steps(plane, manner), start=1):
        head = f"step {_q(step.title)} {_q(step.hint)}\n"
        parts.append(f"{_comment(f'{number}. {step.title}. {step.purpose}')}{head}{step.shell}")
    return "\n".join([*parts, "step='' # all of it is done\n"])


_FOR_SHELLCHECK = "# shellcheck disable=SC2016 # what is in quotes is for the host's shell\n"

_REPORT = """\
step='' hint=''
step() {
  step=$1 hint=$2
  printf '%s\\n' "$step"
}
trap '[ -z "$step" ] || printf "%s: failed\\n  hint: %s\\n" "$step" "$hint" >&2' EXIT
"""


def _introduction(plane: ControlPlane) -> str:
    return (
        f"Brings {plane.stack} up on {plane.host} ({plane.reach.address}) without Komodo. Run it in the root of the "
        "checkout, with bash; it stops at the first failure, and every step may be repeated. There is no secret in it. "
        "Named volumes are not touched."
    )


def _host_steps(plane: ControlPlane) -> Iterator[Step]:
    reach = plane.reach
    port = "" if reach.ssh_port == 22 else f"-p {reach.ssh_port} "
    name = _q(reach.ssh_host if reach.ssh_port == 22 else f"[{reach.ssh_host}]:{reach.ssh_port}")
    stack = f" -s {plane.pulumi_stack}" if plane.pulumi_stack else ""
    renew = f"homeops hosts trust --replace {plane.host}{stack}" if plane.known_hosts else f"ssh-keygen -R {name}"
    yield Step(
        f"Reach {plane.host}",
        "The host's key has to be known already: a reinstalled host has a new one.",
        f"on_host true {_NOTHING}\n",
        f"ssh {port}{reach.ssh_user}@{reach.ssh_host} shows why; if the host was reinstalled: {renew}, "
        "connect by hand, and compare the fingerprint with what its console says",
        reaches=True,
    )
    if reach.ssh_user != "root":
        yield Step(
            "Become root",
            "Docker, the age key and Periphery's directory are root's.",
            f"as_root true {_NOTHING}\n",
            f"let {reach.ssh_user} use sudo without a password on {plane.host}, or use root in the settings' sshUser",
        )
    checks = """\
command -v docker >/dev/null || { echo "docker is not installed" >&2; exit 1; }
docker version >/dev/null
docker compose version >/dev/null
"""
    yield Step(
        "Look at Docker",
        "Its engine has to run, and it needs the compose plugin.",
        _as_root(checks),
        f"install Docker and its compose plugin on {plane.host}, or start it: systemctl start docker",
    )


def _file_steps(plane: ControlPlane) -> Iterator[Step]:
    unpack = f"umask 022\nmkdir -p {_q(plane.checkout)}\ncd {_q(plane.checkout)}\ntar -x -o -f -\n"
    files = "".join(f" \\\n  {_q(file)}" for file in plane.files)
    yield Step(
        "Bring the files",
        "The compose files, the configuration and the encrypted secrets of this checkout, to where Periphery keeps "
        "them, so that relative paths mean the same.",
        # Without it, tar on a Mac adds files of its own.
        f"COPYFILE_DISABLE=1 tar -c -f - --{files} |\n{_piped(unpack)}",
        "run it in the root of a checkout that has these files; what is there on the host may be replaced",
    )
    if plane.environment:
        yield Step(
            "Write the environment",
            "What Komodo would write for compose: the stack's variables, none of them secret.",
            f"printf '%s' {_q(plane.environment)} |\n{_piped(_put(plane.run, plane.env_file))}",
            f"see whether {plane.run} can be written on {plane.host}: df, ls -ld",
        )


def _secret_steps(plane: ControlPlane, manner: Manner) -> Iterator[Step]:
    if plane.secrets and manner.decrypt_here:
        names = [f"plain_{number}" for number, _ in enumerate(plane.secrets, start=1)]
        decrypt = (f"{name}=$({_decrypt(file)})\n" for name, file in zip(names, plane.secrets, strict=True))
        # Printed by the shell itself: a value is never on a command line.
        send = (
            f"printf '%s\\n' \"${name}\" |\n{_piped(_put(plane.checkout, str(plain_path(Path(file)))))}"
            for name, file in zip(names, plane.secrets, strict=True)
        )
        yield Step(
            "Decrypt the secrets here",
            "All of them first; then each goes through standard input into its file, which is root's alone.",
            "".join((*decrypt, *send)),
            "sops has to find the age key here: export SOPS_AGE_KEY_FILE=...",
        )
    elif plane.secrets:
        directory = posixpath.join(plane.checkout, posixpath.dirname(plane.secrets[0]))
        run = f'cd {_q(directory)}\nSOPS_AGE_KEY_FILE={_q(manner.age_key)} sh -c "$(cat)"\n'
        yield Step(
            "Decrypt the secrets",
            "On the host with its own age key, by the same hook that Komodo runs before a deploy.",
            _as_root(run, f"<{_q(str(HOOK))}"),
            f"put sops and the age key ({manner.age_key}) back on {plane.host}, or decrypt on this machine: "
            "homeops recover core --decrypt-here",
        )
    command, path = plane.hook[1], posixpath.join(plane.run, plane.hook[0])
    if command:
        yield Step(
            "Run the stack's hook",
            "What Komodo runs before a deploy.",
            _as_root(f"cd {_q(path)}\n{command}\n"),
            "the command is the stack's pre_deploy",
        )


def _compose_steps(plane: ControlPlane) -> Iterator[Step]:
    yield Step(
        "Check the compose files",
        "Nothing is started from files that compose does not understand.",
        _as_root(f"{_compose(plane)}compose config --quiet\n"),
        "mend the compose file or the environment here, then again: homeops recover core",
    )
    if plane.pull:
        pull = 'compose pull --quiet || echo "not pulled: going on with the images that are on the host"\n'
        yield Step(
            "Pull the images",
            "Without a registry, images that are on the host will do.",
            _as_root(_compose(plane) + pull),
            f"run it again; what {plane.host} says stands above",
        )
    wait = () if plane.one_shot else ("--wait", "--wait-timeout", str(plane.deadline))
    up = " ".join(("compose up -d", *map(_q, (*wait, *plane.arguments))))
    start = f"""\
{_compose(plane)}{up} || {{
  compose ps --all
  compose logs --no-color --tail {_LOG_LINES}
  exit 1
}}
"""
    yield Step(
        f"Start {plane.project}",
        f"Containers that are as they should be are left alone; health checks get {plane.deadline} seconds.",
        _as_root(start),
        f"the last lines of its logs stand above; then on {plane.host}: docker compose -p {_q(plane.project)} logs",
    )


def _proof_steps(plane: ControlPlane, manner: Manner) -> Iterator[Step]:
    retry = f"--retry {max(1, manner.patience // 2)} --retry-delay 2 --retry-connrefused"
    curl = f"curl --silent --show-error --fail --max-time 10 {retry}"
    ask = f"""\
version=$({curl} {_q(f"{plane.core}/version")})
[ "$version" = {_q(plane.version)} ] || {{
  printf 'Core is %s, not %s\\n' "$version" {_q(plane.version)} >&2
  exit 1
}}
printf 'Core %s\\n' "$version"
"""
    yield Step(
        "Ask Core for its version",
        "At the address that is declared for it.",
        ask,
        f"see what answers at {plane.core}: another Core, a proxy, a name that leads elsewhere",
    )
    header = f'printf \'X-Api-Key: %s\\nX-Api-Secret: %s\\n\' "${KEY}" "${SECRET}"'
    read = f"{_q(f'{plane.core}/read/GetVersion')} --header @- --header 'Content-Type: application/json' --data '{{}}'"
    login = f"""\
if [ -n "${{{KEY}-}}" ] && [ -n "${{{SECRET}-}}" ]; then
  {header} |
    {curl} \\
      --output /dev/null {read}
  echo "the key is accepted"
else
  echo "not tried: no {KEY} and {SECRET}"
fi
"""
    yield Step(
        "Read with the API key",
        "A key that is accepted means that the database is the one that knows it.",
        login,
        "Core runs, but does not know this key: if its database is new, restore a backup (docs/recovery.md)",
    )


def _compose(plane: ControlPlane) -> str:
    files = [word for file in plane.compose for word in ("-f", file)]
    environments = (*plane.env_files, *([plane.env_file] if plane.environment else ()))
    options = [word for file in environments for word in ("--env-file", file)]
    command = " ".join(map(_q, ("docker", "compose", "-p", plane.project, *files, *options)))
    return f'cd {_q(plane.run)}\ncompose() {{ {command} "$@"; }}\n'


def _put(directory: str, file: str) -> str:
    """Shell text that makes a file, for root alone, of standard input in one step."""
    path = posixpath.join(directory, file)
    fresh = _q(f"{path}.new")
    return f"umask 077\nmkdir -p {_q(posixpath.dirname(path))}\ncat >{fresh}\nmv -f {fresh} {_q(path)}\n"


def _decrypt(file: str) -> str:
    kind = {"env": "dotenv"}.get(file.rpartition(".")[2], file.rpartition(".")[2])
    return f"sops --config /dev/null decrypt --input-type {kind} --output-type {kind} {_q(file)}"


def _as_root(text: str, source: str = _NOTHING) -> str:
    return f"as_root {_q(chr(10) + indent(text, '  '))} {source}\n"


def _piped(text: str) -> str:
    """The same after a pipe."""
    return f"  as_root {_q(chr(10) + indent(text, '    ') + '  ')}\n"


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in wrap(text, _WIDTH))


_q = shlex.quote
