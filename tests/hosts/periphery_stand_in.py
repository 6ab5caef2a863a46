"""A stand-in for Periphery's agent, and a machine for it: systemd, a Docker engine of its own, no network.

The stand-in is a shell script that answers ``/version`` over TLS with what openssl has.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from homeops.hosts.periphery import periphery
from homeops.hosts.requirement import Requirement
from homeops.model.host import Host
from homeops.model.site import Site
from tests.example_site import example_settings
from tests.hosts.script_machine import Machine, machine

HOST = "one"
PATIENCE = 6
"""Seconds that an agent gets which is not going to answer, and the old one after it; others get much more."""

CERTIFICATE = "/opt/stand-in"
LEFT_ALONE = "the running agent was left alone"


def stand_in(version: str, *, answers: bool = True) -> str:
    """An agent of that version, as a program. One that does not answer says so and sleeps."""
    serve = f"exec openssl s_server -4 -quiet -WWW -accept 8120 -cert {CERTIFICATE}/cert -key {CERTIFICATE}/key"
    return f"""\
#!/bin/sh
if [ "$1" = --version ]; then echo 'periphery {version}'; exit 0; fi
mkdir -p /tmp/stand-in
cd /tmp/stand-in
printf {version} >version
{serve if answers else "echo 'I do not feel like it'; exec sleep 1000"}
"""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_site(version: str, *, user: str = "root", **versions: str | None) -> Site:
    """A site whose Komodo has that version; more ``versions`` as in its settings."""
    settings = example_settings(HOST)
    settings["komodo"]["publicKey"] = "MCowBQYDK2VuAyEA"
    settings["network"]["dnsServer"] = "192.0.2.53"
    settings["versions"] |= {"komodo": version, **versions}
    settings["hosts"][HOST]["sshUser"] = user
    return Site.model_validate(settings)


def required(host: Host, site: Site, *, hopeless: bool = False, **more: Any) -> Requirement:
    """What is required of the host's Periphery; ``hopeless``: its agent is not going to answer."""
    return periphery(host, site, patience=PATIENCE if hopeless else 60, **more)


@contextmanager
def periphery_machine() -> Generator[Machine]:
    with machine(systemd=True) as made:
        made.sh(
            f"mkdir -p {CERTIFICATE}; cd {CERTIFICATE}; openssl req -x509 -newkey ec -pkeyopt "
            "ec_paramgen_curve:prime256v1 -nodes -keyout key -out cert -days 2 -subj /CN=periphery 2>/dev/null"
        )
        made.sh("timeout 40 sh -c 'until systemctl is-active --quiet docker.service; do sleep 0.2; done'")
        yield made
