"""Leaving a host out of a run: what Pulumi and the program are told, so that all of it stays as it is recorded."""

from collections.abc import Iterable, Mapping

from homeops.model.site import Site

LEFT_OUT = "HOMEOPS_LEFT_OUT"
"""The variable by which the program learns which hosts are left out, separated by blanks."""

_OF_A_HOST = (
    "pulumi-python:dynamic/hosts:*::{host}",
    "pulumi-python:dynamic/komodo:*::{host}",
    "command:remote:Command::{host} *",
    "pulumi:providers:*::{host} docker",
    "docker:index/remoteImage:RemoteImage::{host} *",
)
"""What stands below a host's component: type and name, as at the end of a URN.

Each has a wildcard: Pulumi refuses a URN without one when the state has no such resource.
"""


def flags(hosts: Iterable[str], stack: str, project: str = "homeops") -> list[str]:
    """Flags of ``pulumi up`` and ``preview`` that leave out hosts, and what depends on them: their stacks and deploys.

    Pulumi neither reads, changes nor forgets what it leaves out.
    """
    urns = [
        f"urn:pulumi:{stack}::{project}::homeops:hosts:Host${end.format(host=host)}"
        for host in hosts
        for end in _OF_A_HOST
    ]
    return [word for urn in urns for word in ("--exclude", urn)] + (["--exclude-dependents"] if urns else [])


def with_a_canary_that_is_there(site: Site, environ: Mapping[str, str]) -> Site:
    """The site with another canary, where its own is left out: the first host that is not.

    What waits for the Periphery of a host that is left out is left out as well, and every host waits for the canary's.
    """
    left_out = environ.get(LEFT_OUT, "").split()
    if site.ssh is None or site.ssh.canary not in left_out:
        return site
    another = next((name for name in site.hosts if name not in left_out), site.ssh.canary)
    return site.model_copy(update={"ssh": site.ssh.model_copy(update={"canary": another})})
