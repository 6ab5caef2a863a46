"""What ``[[NAME]]`` stands for in the environments of stacks: facts of the site, none of them secret."""

from homeops.model.resources import Variable
from homeops.model.site import Site

FRIGATE_PORT = 8971


def variables(site: Site) -> tuple[Variable, ...]:
    """All variables; secrets are in each stack's ``.sops.env``."""
    return (
        Variable("KOMODO_VERSION", description="Version of Core", value=site.versions.komodo),
        Variable("KOMODO_HOST", description="Where people open Komodo", value=site.komodo.url),
        Variable("TIMEZONE", description="Time zone of containers", value=site.timezone),
        Variable("DOMAIN", description="Domain of what is served", value=site.network.domain),
        Variable("DNS_SERVER", description="DNS server of the network", value=site.network.dns_server),
        Variable("ACME_EMAIL", description="Who the certificate authority writes to", value=site.network.acme_email),
        Variable("OMNI_DOMAIN", description="Where Omni is served", value=f"omni.{site.network.domain}"),
        Variable("OMNI_ADDRESS", description="Where Omni's WireGuard answers", value=_address(site, "omni")),
        Variable(
            "FRIGATE_URL",
            description="Where the proxy finds Frigate",
            value=f"https://{_address(site, 'nvr')}:{FRIGATE_PORT}",
        ),
    )


def _address(site: Site, host: str) -> str:
    # A host without an address is a problem of the fleet, told with all the others.
    return site.hosts[host].address if host in site.hosts else ""
