"""A Docker engine that is new enough and runs."""

from shlex import quote

from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import apply_text, probe_text

NAME = "docker"

# The engine that runs is asked; one that does not run says its version from its own program. An engine that hangs is
# one that does not run.
_LOOK = """\
served() { timeout 5 docker version --format '{{.Server.Version}}' 2>/dev/null || true; }
installed() { dockerd --version 2>/dev/null | sed -n 's/^Docker version \\([^, ]*\\).*/\\1/p'; }
look() {
    running=$(served)
    version=${running:-$(installed)}
}
new_enough() { [ "$(printf '%s\\n' "$least" "$version" | sort -V | head -n 1)" = "$least" ]; }
look
"""

_PROBE = """\
if [ -z "$version" ]; then
    fact version missing
elif new_enough; then
    fact version "$least or newer"
else
    fact version "$version"
fi
if [ -n "$running" ]; then fact running yes; else fact running no; fi
"""

_APPLY = """\
if [ -z "$version" ]; then
    command -v apt-get >/dev/null ||
        fail "there is no Docker engine, and no apt-get to install one with: install Docker $least or newer by hand"
    export DEBIAN_FRONTEND=noninteractive
    attempt 'read the lists of packages' apt-get -q update
    attempt 'install docker.io' apt-get -q -y --no-install-recommends install docker.io
    look
    [ -n "$version" ] || fail 'docker.io is installed, and there is no Docker engine'
    say "docker.io $version installed"
fi
new_enough || fail "Docker $version is older than $least: upgrade it by hand, because that restarts every container"
if [ -z "$running" ]; then
    [ -d /run/systemd/system ] || fail 'the engine does not run, and neither does systemd, which would start it'
    attempt 'start docker.service (see: journalctl -u docker)' systemctl enable --now docker.service
    look
    [ -n "$running" ] || fail 'docker.service is started and the engine does not answer (see: journalctl -u docker)'
    say 'docker.service started'
fi
"""


def docker_engine(least: str) -> Requirement:
    """A running engine of at least this version; Debian's own is installed where there is none, never upgraded."""
    look = f"least={quote(least)}\n{_LOOK}"
    return Requirement(
        name=NAME,
        reason="every stack of the host, and Periphery itself in most places, is a container",
        wanted={"version": f"{least} or newer", "running": "yes"},
        probe=probe_text(look + _PROBE),
        apply=apply_text(NAME, look + _APPLY),
    )
