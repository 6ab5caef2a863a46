"""The thirteen stacks: seven applications, and the same Alloy on every host.

A stack's files are in ``docker/stacks/<host>/<name>`` unless ``directory`` says otherwise.
"""

from homeops.fleet.hosts import HOSTS, kasm, komodo, nvr, omni, seaweedfs, server04
from homeops.model.host import Host
from homeops.model.stack import Protection, Stack


def facts(*names: str) -> dict[str, str]:
    """Environment from Komodo's variables of the same names (variables.py)."""
    return {name: f"[[{name}]]" for name in names}


komodo_core = Stack(
    "komodo-core",
    host=komodo,
    directory="komodo/core",
    description="Komodo Core and its database; deploys itself",
    tags=["control-plane", "komodo"],
    env=facts("KOMODO_VERSION", "KOMODO_HOST", "TIMEZONE"),
    control_plane=True,
    protect=Protection(reason="Core's database: every resource, update and variable"),
)

frigate = Stack(
    "frigate",
    host=nvr,
    description="Network video recorder",
    tags=["media", "nvr"],
    env=facts("TIMEZONE"),
    protect=Protection(reason="recordings"),
)

newt = Stack(
    "newt",
    host=kasm,
    description="Tunnel agent",
    tags=["remote-access", "kasm"],
    never_batch="the tunnel may carry the very connection over which the batch is watched",
)

omni_stack = Stack(
    "omni",
    host=omni,
    description="Sidero Omni: management of Talos Kubernetes clusters",
    tags=["kubernetes", "omni"],
    env=facts("OMNI_DOMAIN", "OMNI_ADDRESS"),
    # Its secrets are a mounted file, and compose sees no change in that.
    extra_args=["--force-recreate"],
)

traefik = Stack(
    "traefik",
    host=server04,
    description="Reverse proxy",
    tags=["network", "server04"],
    env=facts("DOMAIN", "ACME_EMAIL", "DNS_SERVER", "FRIGATE_URL"),
)

vaultwarden = Stack(
    "vaultwarden",
    host=server04,
    description="Password manager",
    tags=["security", "server04"],
    env=facts("DOMAIN", "DNS_SERVER", "TIMEZONE"),
    after=[traefik],
    protect=Protection(reason="the vault"),
)

seaweedfs_stack = Stack(
    "seaweedfs",
    host=seaweedfs,
    description="S3 object storage",
    tags=["storage", "seaweedfs"],
    protect=Protection(reason="all objects"),
)


def alloy(host: Host) -> Stack:
    """Host metrics, container metrics and container logs of one host, pushed to the observability cluster."""
    return Stack(
        f"{host.name}-alloy",
        host=host,
        directory="shared/alloy",
        description=f"Monitoring of {host.name}",
        tags=["monitoring", host.name],
        env={"HOSTNAME": host.name},
    )


ALLOYS = tuple(alloy(host) for host in HOSTS)

APPLICATIONS = (komodo_core, frigate, newt, omni_stack, traefik, vaultwarden, seaweedfs_stack)

STACKS = (*APPLICATIONS, *ALLOYS)
