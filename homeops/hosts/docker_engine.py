"""A Docker engine that is new enough and runs, with a compose plugin that is new enough."""

from shlex import quote

from homeops.hosts import compose_plugin
from homeops.hosts.compose_plugin import AGENT_IN_A_CONTAINER
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import DOWNLOAD, PACKAGE, apply_text, probe_text
from homeops.model.site import DOWNLOADS, Versions

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
at_least() { [ "$(printf '%s\\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }
new_enough() { at_least "$least" "$version"; }
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
    install_package docker.io
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


def docker_engine(
    versions: Versions, least_compose: str = AGENT_IN_A_CONTAINER, downloads: str = DOWNLOADS
) -> Requirement:
    """A running engine; Debian's own is installed where there is none, never upgraded. And a compose plugin.

    ``least_compose``: the oldest compose plugin that will do (homeops/hosts/compose_plugin.py).
    """
    look = f"least={quote(versions.docker)}\n{_LOOK}" + compose_plugin.look(least_compose)
    compose = compose_plugin.pins(versions, downloads) + DOWNLOAD + compose_plugin.APPLY
    return Requirement(
        name=NAME,
        reason="every stack of the host, and Periphery itself in most places, is a container",
        wanted={"version": f"{versions.docker} or newer", "running": "yes", "compose": f"{least_compose} or newer"},
        probe=probe_text(look + _PROBE + compose_plugin.PROBE),
        apply=apply_text(NAME, look + PACKAGE + _APPLY + compose),
    )
