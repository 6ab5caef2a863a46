"""The base of every provider of ours: what it needs of Core, it has from the session of its process."""

from pulumi.dynamic import ConfigureRequest, ResourceProvider

from homeops.komodo import session


class SessionProvider(ResourceProvider):
    """Holds nothing, so nothing of it is secret in a state."""

    serialize_as_secret_always: bool = False

    def configure(self, req: ConfigureRequest) -> None:
        """Note where Core is; the key is looked up where this runs."""
        session.configure(req.config.get)
