"""Public keys as agents have them."""

import base64
import secrets


def public_key() -> str:
    """One of X25519, as Komodo has it: base64 of its DER."""
    return base64.b64encode(bytes.fromhex("302a300506032b656e032100") + secrets.token_bytes(32)).decode()


def pem(key: str) -> str:
    """As it lies on a host."""
    return f"-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n"
