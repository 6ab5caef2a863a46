"""Errors of a provider as people should see them: the message, without the traceback that Pulumi's host adds.

Pulumi's host of dynamic providers answers every exception with ``traceback.format_exc()``
(sdk/python/lib/pulumi/dynamic/ __main__.py). In that process, and only there, an expected error is replaced by its
message; a defect keeps its traceback.
"""

import sys
import traceback
from types import SimpleNamespace

from homeops.errors import HomeopsError

_HOST = "pulumi.dynamic.__main__"


def show_messages_only() -> None:
    """Let the host show the message of a HomeopsError alone. Does nothing in other processes."""
    host = sys.modules["__main__"]
    spec = getattr(host, "__spec__", None)
    if spec is not None and spec.name == _HOST:
        host.__dict__["traceback"] = SimpleNamespace(format_exc=_message)


def _message() -> str:
    error = sys.exc_info()[1]
    return str(error) if isinstance(error, HomeopsError) else traceback.format_exc()
