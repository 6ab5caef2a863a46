"""Keys of which nobody looks at more than the public one."""

import base64
import secrets


def any_public_key() -> str:
    """One that looks like Komodo's (base64 of X25519's 44 bytes of DER); no private key belongs to it."""
    return base64.b64encode(secrets.token_bytes(44)).decode()
