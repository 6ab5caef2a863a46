"""The public key of a host's Periphery, read on the host."""

import re
from shlex import quote

from homeops.errors import Problem
from homeops.hosts.periphery_shell import PRIVATE_KEY, PUBLIC_KEY
from homeops.hosts.reach import HostError, Reach
from homeops.hosts.shell import as_root
from homeops.hosts.ssh import run

DEADLINE = 30
"""Seconds for it on a host that answers."""

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s+(MCowBQYDK2VuAyEA[A-Za-z0-9+/]{43}=)\s+-----END PUBLIC KEY-----\s*")
"""X25519's, whose DER has the same beginning for every key (RFC 8410)."""


def public_key(reach: Reach, path: str = PUBLIC_KEY) -> str:
    """The key as Komodo has it: base64 of its DER, from the PEM at ``path``.

    Raises HostError as ``run`` does, and when there is no such key.
    """
    done = run(reach, as_root(f"cat -- {quote(path)}", reach.user), deadline=reach.timeout + DEADLINE)
    found = _PEM.fullmatch(done.stdout)
    if done.code == 0 and found:
        return found[1]
    said = (done.stderr.strip() or f"{path} has none").splitlines()[-1]
    hint = f"on the host, as root: openssl pkey -in {PRIVATE_KEY} -pubout -out {path}"
    raise HostError(Problem(reach.host, f"the public key of its Periphery cannot be read: {said}", hint))
