"""The one Core of a provider process: opened at the first request, shared by its threads."""

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from homeops.errors import HomeopsError
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client, Patience
from homeops.komodo.credentials import Access, Given, find_access
from homeops.komodo.operations import Core
from homeops.komodo.plain_errors import show_messages_only
from homeops.model.kinds import Kind

PROBE = Patience(connect=2, read=3, tries=1)
"""How long a preview waits for a Core before it goes on without."""

_lock = threading.Lock()
_probe = threading.Lock()
_answered = threading.Event()
_given = Given()
_core: Core | None = None
_silence: HomeopsError | None = None


def configure(get: Callable[[str], str | None]) -> None:
    """Take what the Pulumi settings say of Core; ``get`` reads a setting of the stack. Opens nothing."""
    global _given
    komodo: Mapping[str, Any] = json.loads(get("homeops:komodo") or "{}")
    _given = Given(address=komodo.get("address"), key=get("homeops:komodoKey"), secret=get("homeops:komodoSecret"))
    show_messages_only()


def core() -> Core:
    """The Core at hand; raises KomodoError when no address or key is known."""
    global _core
    with _lock:
        if _core is None:
            access = _access()
            client = Client(access.address, access.credentials)
            _core = Core(client, Catalogue(client))
        return _core


def _access() -> Access:
    return find_access(os.environ, Path.home(), _given)


def reachable_core() -> Core:
    """The Core at hand if it answers within seconds; raises the same KomodoError each time when it did not."""
    global _silence
    with _probe:
        if _silence is not None:
            raise _silence
        if not _answered.is_set():
            try:
                access = _access()
                with Client(access.address, access.credentials, patience=PROBE) as probe:
                    probe.version()
            except HomeopsError as error:
                _silence = error
                raise
            _answered.set()
        return core()


def give_up_asking(error: HomeopsError) -> None:
    """After a failed list: let the rest of the preview go on without asking again."""
    global _silence
    with _probe:
        _silence = error


def list_ahead(found: Core, kinds: Iterable[Kind]) -> None:
    """List several kinds at once: each request costs Core a bcrypt check, and they run side by side there."""
    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(found.catalogue.documents, kinds))


def tell(text: str) -> None:
    """A line for whoever watches: Pulumi shows what a provider prints."""
    print(text, flush=True)
