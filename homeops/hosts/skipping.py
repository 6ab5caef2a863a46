"""Leaving a host out of a run: what Pulumi is told so that everything of it stays as it is recorded. Pure."""

from collections.abc import Iterable

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
