"""The fleets that are measured: the homelab's own, and synthetic ones of any size on ten hosts."""

import os

from homeops.model.fleet import Fleet
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.site import Site
from homeops.model.stack import Stack

SIZE = "HOMEOPS_BENCH_STACKS"
"""The environment variable that says how many stacks the synthetic fleet has."""

HOSTS = tuple(Host(f"host{number}", periphery=ContainerPeriphery(path="/root/compose.yaml")) for number in range(10))


def declare(site: Site) -> Fleet:
    """The synthetic fleet: every stack with a description, a tag, an environment and a directory that all share."""
    del site
    return Fleet(
        hosts=HOSTS,
        stacks=[
            Stack(
                f"stack{number}",
                host=HOSTS[number % len(HOSTS)],
                directory="shared/app",
                description=f"Stack {number}",
                tags=["synthetic"],
                env={"NUMBER": str(number)},
            )
            for number in range(int(os.environ[SIZE]))
        ],
    )
