"""How a simulated Core is reached: by a client in this process, or by commands that have it in their environment."""

from homeops.komodo.client import Client, Patience
from homeops.komodo.credentials import Credentials
from homeops.lab.core.core import Core
from homeops.lab.http import CoreServer, CoreTransport

ADDRESS = "http://core.example:9120"


def client_of(core: Core, patience: Patience | None = None) -> Client:
    """With the key of Core's admin."""
    credentials = Credentials(core.settings.admin_key, core.settings.admin_secret)
    return Client(ADDRESS, credentials, transport=CoreTransport(core), patience=patience)


def environ_of(server: CoreServer) -> dict[str, str]:
    """What tells homeops of a Core that answers at a port, with the same key."""
    settings = server.core.settings
    return {
        "KOMODO_ADDRESS": server.address,
        "KOMODO_API_KEY": settings.admin_key,
        "KOMODO_API_SECRET": settings.admin_secret,
    }
