"""The one Core of a provider process: opened at the first request, shared by its threads.

The client is imported when it is first needed: the program's process imports the provider to name it, and sends
nothing.
"""

import gc
import json
import os
import select
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeops.errors import HomeopsError, KomodoUnreachable
from homeops.komodo.plain_errors import show_messages_only
from homeops.model.kinds import KINDS

if TYPE_CHECKING:
    from homeops.komodo.catalogue import Catalogue
    from homeops.komodo.client import Client

PROBE_CONNECT, PROBE_READ = 2.0, 3.0
"""How many seconds a preview waits for a Core before it goes on without."""

WAITING = 64
"""How many deploys can be under way or wait for their turn."""

_lock = threading.Lock()
_probe = threading.Lock()
_opening = threading.Lock()
_answered = threading.Event()


@dataclass(frozen=True, slots=True)
class Core:
    """The Core at hand: its client, and what it has."""

    client: "Client"
    catalogue: "Catalogue"


_settings: dict[str, str | None] = {}
_stack = ""
_declared: dict[tuple[str, str], Mapping[str, Any]] = {}
_core: Core | None = None
_silence: HomeopsError | None = None
_closed: KomodoUnreachable | None = None
_watching = False
_wide = False


def configure(get: Callable[[str], str | None]) -> None:
    """Take what the Pulumi settings say of Core; ``get`` reads a setting of the stack. Opens nothing."""
    komodo: Mapping[str, Any] = json.loads(get("homeops:komodo") or "{}")
    _settings["address"] = komodo.get("address")
    _settings["key"] = get("homeops:komodoKey")
    _settings["secret"] = get("homeops:komodoSecret")
    show_messages_only()
    # As in the program: a short life, and no large garbage to look for.
    gc.set_threshold(100_000, 50, 50)
    _end_with_the_run()


def of_stack(name: str) -> None:
    """Note the Pulumi stack of the run, for hints that name a command."""
    global _stack
    _stack = name


def pulumi_stack() -> str:
    """The Pulumi stack of the run; empty when nobody said it."""
    return _stack


def note_declared(kind: str, props: Mapping[str, Any]) -> None:
    """Note the inputs of an object that this run declares."""
    _declared[kind, str(props.get("name"))] = props


def declared() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """The inputs of the objects whose turn has come, by kind and name."""
    return _declared


def _end_with_the_run() -> None:
    """Let this process end when nobody reads what it prints: Pulumi was killed, and nobody would record what it does.

    What Komodo has begun, Komodo ends.
    """

    def watch() -> None:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        poll.poll()
        os._exit(1)

    global _watching
    with _lock:
        if _watching or not stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
            return
        _watching = True
    threading.Thread(target=watch, daemon=True).start()


def core() -> Core:
    """The Core at hand, once it has answered; raises KomodoError when no address or key is known, or it is silent.

    A Core that did not answer the first request of a run is not waited for again by every other resource.
    """
    global _closed
    found = _known_core()
    with _opening:
        if _closed is not None:
            raise _closed
        try:
            found.client.version()
        except KomodoUnreachable as error:
            _closed = error
            raise
    return found


def _known_core() -> Core:
    global _core
    with _lock:
        if _core is None:
            from homeops.komodo.catalogue import Catalogue

            client = _client()
            _core = Core(client, Catalogue(client))
        return _core


def _client() -> "Client":
    # httpx loads its own command line (rich, click, pygments) where it can: most of what importing it costs.
    sys.modules.setdefault("httpx._main", None)  # pyright: ignore[reportArgumentType] - so Python marks an absent module
    from homeops.komodo.client import Client
    from homeops.komodo.credentials import Given, find_access

    access = find_access(os.environ, Path.home(), Given(**_settings))
    return Client(access.address, access.credentials)


def reachable_core() -> Core:
    """The Core at hand if it answers within seconds; raises the same KomodoError each time when it did not."""
    global _silence
    with _probe:
        if _silence is not None:
            raise _silence
        if not _answered.is_set():
            try:
                _in_seconds(_known_core())
            except HomeopsError as error:
                _silence = error
                raise
            _answered.set()
        return _known_core()


def _in_seconds(found: Core) -> None:
    from homeops.komodo.client import Patience

    found.client.version(Patience(connect=PROBE_CONNECT, read=PROBE_READ, tries=1))


def give_up_asking(error: HomeopsError) -> None:
    """After a failed list: let the rest of the preview go on without asking again."""
    global _silence
    with _probe:
        _silence = error


def list_ahead() -> None:
    """Begin to list what every preview looks at, side by side: each request costs Core a bcrypt check.

    Whoever needs one of the lists later waits for it; a failure is met there again.
    """
    threading.Thread(target=_list_all, daemon=True).start()


def _list_all() -> None:
    try:
        found = reachable_core()
        with ThreadPoolExecutor(max_workers=6) as pool:
            list(pool.map(found.catalogue.documents, KINDS.values()))
    except HomeopsError as error:
        give_up_asking(error)


def widen() -> None:
    """Let more calls of Pulumi wait in this process at once: the SDK gives it four threads, fewer than there are hosts.

    Measured on the SDK that requirements.txt pins; where its server is made otherwise, nothing is found and nothing
    changes (pulumi/dynamic/__main__.py).
    """
    global _wide
    with _lock:
        if _wide:
            return
        _wide = True
    for found in gc.get_objects():
        if isinstance(found, ThreadPoolExecutor) and getattr(found, "_max_workers", WAITING) < WAITING:
            setattr(found, "_max_workers", WAITING)  # noqa: B010  # it is the executor's own


def tell(text: str) -> None:
    """A line for whoever watches: Pulumi shows what a provider prints."""
    print(text, flush=True)
