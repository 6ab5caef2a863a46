"""A host of the lab: a container with systemd, sshd and a Docker engine of its own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from homeops.errors import LabError, Problem
from homeops.hosts.known_hosts import HostKey, host_pattern, with_keys
from homeops.lab.machines.archive import Entry
from homeops.lab.machines.container import Change, Container, have_container
from homeops.lab.machines.credentials import Credentials
from homeops.lab.machines.engine import Engine
from homeops.lab.machines.names import Names
from homeops.lab.machines.network import PERIPHERY, SSH, Places
from homeops.lab.machines.registry import trust
from homeops.model.host import PERIPHERY_PORT

MEMORY = "1g"
"""Bound of a host with all that its own Docker runs."""
READY_SECONDS = 120

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_SCRIPT = "/usr/local/sbin/homeops-lab-machine"
_KEYS = "/etc/homeops-lab/authorized_keys"
_AUTHORITY = "/usr/local/share/ca-certificates/homeops-lab.crt"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Containers of a host's own Docker count as the host's, so that its memory bounds theirs; only this driver of the two
# takes a parent that is relative to the engine's own group.
_DAEMON = """{
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "cgroup-parent": "docker"
}
"""
# The clock is that of this machine, which a host cannot set, and which nobody may keep: a CI's is often so.
_CLOCK = """#!/bin/sh
case $* in
  *NTPSynchronized*) echo yes ;;
  *) exec /usr/bin/timedatectl "$@" ;;
esac
"""
_UNIT = f"""[Unit]
Description=What a host of the lab has before anything else
Before=ssh.service containerd.service docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={_SCRIPT} {{user}}

[Install]
WantedBy=multi-user.target
"""
_PREPARE = f"""#!/bin/sh
set -eu
# Docker Hub's certificate, and git's, are looked up among those of the system.
grep -qxF "$(sed -n 2p {_AUTHORITY})" {_BUNDLE} || cat {_AUTHORITY} >> {_BUNDLE}
# Containers that make tunnels are given it.
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod -m 666 /dev/net/tun c 10 200
user=$1
if ! id "$user" > /dev/null 2>&1; then
  useradd --create-home --shell /bin/bash --groups docker "$user"
  printf '%s ALL=(ALL) NOPASSWD: ALL\\n' "$user" > "/etc/sudoers.d/$user"
  chmod 440 "/etc/sudoers.d/$user"
fi
home=$(getent passwd "$user" | cut -d: -f6)
install -d -m 700 -o "$user" -g "$user" "$home/.ssh"
install -m 600 -o "$user" -g "$user" {_KEYS} "$home/.ssh/authorized_keys"
"""
_READY = f"""n=0
until systemctl is-active --quiet ssh && systemctl is-active --quiet docker && docker info > /dev/null 2>&1; do
  n=$((n + 1))
  if [ $n -gt {READY_SECONDS * 2} ] || systemctl is-failed --quiet docker ssh; then
    systemctl --failed --plain --no-legend >&2
    journalctl --unit docker --unit ssh --no-pager --lines 5 --output cat >&2
    exit 1
  fi
  sleep 0.5
done
"""
# systemd runs with control groups that it may write; the version says how a container gets these. Docker's default
# filter refuses runc the session keyring of a container in a container; and /proc, which is mounted into the agent's
# container, has to be as writable as that of a real host.
_CGROUPS: Mapping[str, tuple[str, ...]] = {
    "1": (
        *("--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"),
        *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
        *("--security-opt", "systempaths=unconfined"),
        *("--device-cgroup-rule", "a *:* rwm", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw"),
    ),
    "2": ("--privileged", "--cgroupns", "private"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A host as the fleet has it: its name, and the user of its SSH, who is root or may use sudo without a password.

    ``by_hand`` is what somebody has put on the real one: paths of files, and of directories where a name has no dot.
    """

    name: str
    user: str
    by_hand: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not _NAME.fullmatch(self.user):
            raise LabError(Problem(self.name, f"a host of the lab cannot have this name or user {self.user}"))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a host of the lab is put into.

    ``elsewhere`` are names of the outside world, and where in the lab they are; ``registries`` those among them whose
    images are pulled; ``cgroup`` the engine's version of control groups.
    """

    names: Names
    image: str
    places: Places
    credentials: Credentials
    elsewhere: Mapping[str, str]
    registries: Sequence[str]
    cgroup: str


def under_systemd(cgroup: str) -> tuple[str, ...]:
    """The options of a container that systemd runs; ``cgroup`` is the engine's version of control groups."""
    return (
        *_CGROUPS["2" if cgroup == "2" else "1"],
        *("--cap-drop", "SYS_TIME", "--stop-signal", "SIGRTMIN+3", "--env", "container=docker"),
        *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777,size=512m"),  # noqa: S108
    )


def machine(host: Wanted, around: Surroundings) -> Container:
    """The container of a host."""
    names, places, credentials = around.names, around.places, around.credentials
    ports = places.ports[host.name]
    unit = _UNIT.format(user=host.user)
    return Container(
        names.machine(host.name),
        around.image,
        (
            *("--hostname", host.name, "--network", names.network, "--network-alias", host.name),
            *("--ip", places.address(host.name), "--publish", f"127.0.0.1:{ports[SSH]}:22"),
            *("--publish", f"127.0.0.1:{ports[PERIPHERY]}:{PERIPHERY_PORT}"),
            # Names that the lab does not know are not asked of anybody.
            *("--dns", places.dns),
            *(word for name in sorted(around.elsewhere) for word in ("--add-host", f"{name}:{around.elsewhere[name]}")),
            *("--memory", MEMORY, "--memory-swap", MEMORY, "--pids-limit", "4096"),
            *under_systemd(around.cgroup),
            *("--volume", f"{names.volume(host.name)}:/var/lib/docker"),
        ),
        ("/sbin/init",),
        (
            Entry(_SCRIPT, _PREPARE.encode(), 0o755),
            Entry("/usr/local/sbin/timedatectl", _CLOCK.encode(), 0o755),
            Entry("/etc/systemd/system/homeops-lab-machine.service", unit.encode()),
            Entry(
                "/etc/systemd/system/multi-user.target.wants/homeops-lab-machine.service",
                link="/etc/systemd/system/homeops-lab-machine.service",
            ),
            *_ssh(host, credentials),
            Entry("/etc/docker/daemon.json", _DAEMON.encode()),
            Entry(_AUTHORITY, credentials.authority.read_bytes()),
            *trust(around.registries, credentials.authority),
            *map(_by_hand, host.by_hand),
        ),
    )


def have_machine(engine: Engine, host: Wanted, wanted: Container) -> Change:
    """Make and start a host, and wait until its sshd and its Docker work."""
    change = have_container(engine, wanted)
    done = engine.attempt("exec", wanted.name, "sh", "-c", _READY, seconds=READY_SECONDS * 2)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise LabError(Problem(host.name, f"its container does not come up\n{words}", f"docker logs {wanted.name}"))
    return change


def known_hosts(hosts: Sequence[str], places: Places, credentials: Credentials) -> str:
    """The lines by which an SSH client knows the hosts, at their ports of 127.0.0.1."""
    text = ""
    for host in hosts:
        kind, value = _public(credentials.host_key(host)).split()[:2]
        text = with_keys(text, host_pattern("127.0.0.1", places.ports[host][SSH]), [HostKey(kind, value)])
    return text


def _by_hand(path: str) -> Entry:
    if "." in PurePosixPath(path).name:
        return Entry(path, b"a stand-in of the lab\n", 0o600)
    return Entry(path, mode=0o755)


def _ssh(host: Wanted, credentials: Credentials) -> list[Entry]:
    key = credentials.host_key(host.name)
    root = "prohibit-password" if host.user == "root" else "no"
    return [
        Entry("/etc/ssh/ssh_host_ed25519_key", key.read_bytes(), 0o600),
        Entry("/etc/ssh/ssh_host_ed25519_key.pub", _public(key).encode()),
        Entry("/etc/ssh/sshd_config.d/lab.conf", f"PermitRootLogin {root}\nPasswordAuthentication no\n".encode()),
        Entry(_KEYS, _public(credentials.operator).encode()),
    ]


def _public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text(encoding="utf-8")
