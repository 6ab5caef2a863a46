"""What ``[[NAME]]`` stands for in environments and commands."""

from homeops.model.resources import Variable
from homeops.model.site import Site


def variables(site: Site) -> tuple[Variable, ...]:
    """All variables; none is secret, secrets are in each stack's ``.sops.env``."""
    return (
        Variable("KOMODO_VERSION", description="Version of Core", value=site.versions.komodo),
        Variable("TZ", description="Time zone of all containers", value=site.timezone),
    )
