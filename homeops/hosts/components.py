"""What must be true of a host, as Pulumi resources: one observation, and a command for each requirement, in order.

The commands run over SSH with a pinned host key and the agent's keys; a host whose key is not recorded is never worked
on. Their scripts come through standard input: pulumi-command quotes the whole command when one fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pulumi
from pulumi_command import remote

from homeops.errors import Problem, SettingsError, nearest
from homeops.hosts.age_key import install_age_key
from homeops.hosts.condition import Subject
from homeops.hosts.known_agent import KnownAgent
from homeops.hosts.known_hosts import HostKey, host_pattern, keys_of, preferred, read_known_hosts
from homeops.hosts.periphery_shell import PUBLIC_KEY
from homeops.hosts.provider import Observation
from homeops.hosts.reach import HostError, Reach
from homeops.hosts.requirement import Requirement
from homeops.hosts.shell import as_root
from homeops.hosts.subject import Subjects
from homeops.model.fleet import Fleet
from homeops.model.site import Site

PERIPHERY = "periphery"
"""The requirement that is rolled out on one host first."""

_NO_KEY = "no-key-is-recorded"
"""In the place of a host's key: no key is this one, whereas an empty one would not be checked at all."""


def subjects_of(fleet: Fleet, site: Site, root: Path) -> dict[str, Subject]:
    """The hosts of a fleet by name, the canary first. Raises HomeopsError for all that cannot be managed."""
    ssh = site.ssh
    if ssh is None:
        return {}
    hosts = sorted(fleet.hosts, key=lambda host: host.name != ssh.canary)
    names = [host.name for host in hosts]
    if ssh.canary is not None and ssh.canary not in names:
        what = f'canary "{ssh.canary}" is no host{nearest(ssh.canary, names)}'
        raise SettingsError(Problem("homeops:ssh", what, f"one of {', '.join(names)}"))
    subjects, found, problems = Subjects(fleet, site, root), dict[str, Subject](), list[Problem]()
    for host in hosts:
        try:
            found[host.name] = subjects.of(host)
        except HostError as error:
            problems.extend(error.problems)
    if problems:
        raise HostError(*problems)
    return found


@dataclass(frozen=True, slots=True)
class Made:
    """What was registered of a host: the last of its chain, and its Periphery; ``agent``: the KnownAgent's inputs."""

    last: pulumi.Resource
    periphery: pulumi.Resource | None
    agent: dict[str, Any]

    def introduce(self, host: str, server: pulumi.Resource, parent: pulumi.Resource) -> KnownAgent | None:
        """Let Core know the host's Periphery, once it has its Server; None where no Periphery is required."""
        if self.periphery is None:
            return None
        return KnownAgent(host, self.agent, pulumi.ResourceOptions(parent=parent, depends_on=[server]))


def register_requirements(
    subject: Subject,
    root: Path,
    parent: pulumi.Resource | None = None,
    canary: pulumi.Resource | None = None,
    image: str = "",
) -> Made:
    """Register the observation of a host and the commands that make its requirements true, each after the one before.

    ``canary``: the Periphery of another host, which has to be right before this one's is touched. ``image``: what a
    host with Docker is to have at hand before its Periphery is touched; empty where that is of no use.
    """
    reach = subject.reach
    observation = Observation(reach.host, observed(subject, root), pulumi.ResourceOptions(parent=parent))
    last: pulumi.Resource = observation
    periphery: pulumi.Resource | None = None
    for requirement in subject.requirements:
        if not requirement.wanted:
            continue
        after = [last]
        if requirement.name == PERIPHERY:
            after += [canary] if canary is not None else []
            after += [_image(reach, image, root, parent, last)] if image else []
        last = _command(requirement, reach, observation, pulumi.ResourceOptions(parent=parent, depends_on=after))
        periphery = last if requirement.name == PERIPHERY else periphery
    return Made(last, periphery, {**_reached(reach, root), "keyFile": PUBLIC_KEY, "hostKey": _fingerprint(reach)})


def observed(subject: Subject, root: Path) -> dict[str, Any]:
    """The inputs of a host's observation. Pure."""
    reach, requirements = subject.reach, subject.requirements
    props: dict[str, Any] = {
        **_reached(reach, root),
        "facts": {item.name: item.wanted for item in requirements if item.wanted},
        "expected": {item.name: item.reported for item in requirements if item.reported},
        "probes": {item.name: item.probe for item in requirements},
        "scripts": {item.name: sha256(item.apply.encode()).hexdigest()[:12] for item in requirements if item.wanted},
    }
    if parting := {item.name: item.parting for item in requirements if item.parting}:
        props["parting"] = parting
    if subject.install_key is not None:
        script = install_age_key(subject.install_key, subject.recipient)
        install = {"requirement": subject.install_key.name, "recipient": subject.recipient, "script": script}
        props["install"] = install
    return props


def _reached(reach: Reach, root: Path) -> dict[str, Any]:
    return {
        "address": reach.address,
        "port": reach.port,
        "user": reach.user,
        "knownHosts": _relative(reach.known_hosts, root),
        "timeout": reach.timeout,
        "stack": reach.stack,
    }


def _command(
    requirement: Requirement, reach: Reach, observation: Observation, opts: pulumi.ResourceOptions
) -> remote.Command:
    run = as_root('exec sh -c "$(cat)"', reach.user)
    undo = as_root(requirement.undo, reach.user) if requirement.undo else None
    return remote.Command(
        f"{reach.host} {requirement.name}",
        connection=_connection(reach),
        create=run,
        update=run,
        delete=undo,
        stdin=observation.repairs.apply(_counted(requirement)),
        logging=remote.Logging.NONE,
        add_previous_output_in_env=False,
        # What an earlier version recorded stays: that it goes would be another trigger.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["triggers"])),
    )


def _counted(requirement: Requirement) -> Callable[[Mapping[str, int]], str]:
    """The script under the number of the repair, so that another repair is a change.

    Not ``triggers``: with these, pulumi-command 1.2.1 replaces a command that has an ``update``, too, against its own
    documentation, and what ``delete`` takes back is then taken back after it was repaired.
    """

    def count(repairs: Mapping[str, int]) -> str:
        return f"# repair {int(repairs[requirement.name])}\n{requirement.apply}"

    return count


def _connection(reach: Reach) -> remote.ConnectionArgs:
    return remote.ConnectionArgs(
        host=reach.address,
        port=reach.port,
        user=reach.user,
        host_key=str(_host_key(reach) or _NO_KEY),
        dial_error_limit=1,
        per_dial_timeout=reach.timeout,
    )


def _host_key(reach: Reach) -> HostKey | None:
    return preferred(keys_of(read_known_hosts(reach.known_hosts), host_pattern(reach.address, reach.port)))


def _fingerprint(reach: Reach) -> str:
    key = _host_key(reach)
    return key.fingerprint if key else ""


def _image(
    reach: Reach, name: str, root: Path, parent: pulumi.Resource | None, after: pulumi.Resource
) -> pulumi.Resource:
    """The image on the host, pulled by its own engine and left there when nothing refers to it any more."""
    # Loading it takes a tenth of a second, and most fleets need none of it.
    import pulumi_docker

    options = {
        "BatchMode": "yes",
        "ConnectTimeout": str(reach.timeout),
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": _relative(reach.known_hosts, root),
        "GlobalKnownHostsFile": "/dev/null",
    }
    engine = pulumi_docker.Provider(
        f"{reach.host} docker",
        host=f"ssh://{reach.user}@{reach.address}:{reach.port}",
        ssh_opts=[word for option, value in options.items() for word in ("-o", f"{option}={value}")],
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return pulumi_docker.RemoteImage(
        f"{reach.host} periphery image",
        name=name,
        keep_locally=True,
        opts=pulumi.ResourceOptions(parent=parent, provider=engine, depends_on=[after]),
    )


def _relative(path: Path, root: Path) -> str:
    """A file as seen from the checkout, so that a state does not name a checkout's place."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
