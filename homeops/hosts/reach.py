# Named for what happened, as the messages are.
# ruff: noqa: N818
"""How a host is reached over SSH, by the settings; and the errors of one that cannot be worked on. No I/O."""

from dataclasses import dataclass
from pathlib import Path

from homeops.errors import Problem, ToolError
from homeops.hosts.known_hosts import SSH_PORT
from homeops.model.site import Site


class HostError(ToolError):
    """Raised when a host cannot be worked on; one problem, which names host and step."""


class HostUnreachable(HostError):
    """Raised when a host gives no answer, or stopped to: it may be another time's work."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a host is reached. ``known_hosts``: the file with its key. ``timeout``: seconds to connect and greet.

    ``stack``: the Pulumi stack whose settings say so; empty when nobody said which.
    """

    host: str
    address: str
    port: int
    user: str
    known_hosts: Path
    timeout: int
    stack: str = ""

    @property
    def endpoint(self) -> str:
        """For people: ``root@192.0.2.7``, with the port where it is not 22."""
        return f"{self.user}@{self.address}" + (f" port {self.port}" if self.port != SSH_PORT else "")

    @property
    def hint(self) -> str:
        """What to look at when it gives no answer."""
        return f"is the host up? is homeops:hosts in Pulumi.{self.stack or '<stack>'}.yaml right?"

    def hosts_command(self, verb: str) -> str:
        """The command of ``homeops hosts`` for this host, as it is to be typed."""
        return f"homeops hosts {verb} {self.host}" + (f" -s {self.stack}" if self.stack else "")


def reach_of(host_name: str, site: Site, root: Path) -> Reach:
    """How a host of the site is reached; ``root`` is the checkout. No I/O.

    Raises HostError where hosts are not managed over SSH, the site has no such host, or another has the same address.
    """
    if site.ssh is None:
        hint = f"add homeops:ssh to Pulumi.{site.stack or '<stack>'}.yaml; an empty block will do: {{}}"
        raise HostError(Problem(host_name, "hosts are not managed over SSH here", hint))
    endpoints = {name: (facts.ssh_host, facts.ssh_port) for name, facts in site.hosts.items()}
    if host_name not in endpoints:
        hint = f"the settings have {', '.join(endpoints) or 'none'}"
        raise HostError(Problem(host_name, "the settings have no address for it", hint))
    address, port = endpoints[host_name]
    same = [name for name, (a, p) in endpoints.items() if (a.lower(), p) == (address.lower(), port)]
    if len(same) > 1:
        others = " and ".join(f'"{name}"' for name in same if name != host_name)
        what = f"has the same address for SSH as {others}: {address} port {port}"
        raise HostError(Problem(host_name, what, "give each its own address, sshAddress or sshPort in homeops:hosts"))
    facts = site.hosts[host_name]
    known_hosts = root / site.ssh.known_hosts
    timeout = site.ssh.connect_timeout_seconds
    return Reach(host_name, address, port, facts.ssh_user, known_hosts, timeout, site.stack)
