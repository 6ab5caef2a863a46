"""The process behind a rehearsal: a simulated Core on a port of this machine, until told to end.

Where hosts are machines, their Peripheries are asked over the network; else they are simulated, too.
"""

import json
import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from urllib.parse import urlsplit

from homeops.lab.core.agents import Agents
from homeops.lab.core.agents_machine import MachineAgents
from homeops.lab.core.core import Core
from homeops.lab.core.heartbeat import Heartbeat
from homeops.lab.core.settings import Settings
from homeops.lab.home import LabHome, Running, write_private
from homeops.lab.hosts import LoopbackAgents
from homeops.lab.http import LOOPBACK, CoreServer
from homeops.lab.memory import recall, remember
from homeops.settings import load_settings

STACK = "lab"
"""The Pulumi stack of the rehearsal."""

PORT = 9120
"""Komodo's own; another one is taken where it is in use."""

BEAT_SECONDS = 1.0
"""How often schedules are looked at, and what is remembered is written."""


def serve(home: LabHome, port: int = PORT) -> None:
    """Be the lab's Core: this call ends with SIGTERM or SIGINT. Raises LabError when one runs already."""
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    home.make()
    with home.as_core():
        core = _core(home)
        server = _server(core, home, _port(home, port))
        core.settings = replace(core.settings, host=server.address)
        memory, heart = Memory(home, core), Heartbeat(core)
        with server:
            home.note(Running(os.getpid(), server.address))
            # A lab whose directory somebody removed has ended, too.
            while not ending.wait(BEAT_SECONDS) and home.directory.exists():
                heart.beat()
                memory.save()
        if home.directory.exists():
            memory.save(always=True)


class Memory:
    """Writes what the lab remembers, after requests and for as long as something is still changing."""

    def __init__(self, home: LabHome, core: Core) -> None:
        self._home = home
        self._core = core
        self._seen = (-1, -1)
        self._written = ""

    def save(self, *, always: bool = False) -> None:
        """Write it if it changed."""
        seen = (self._core.requests.total(), len(self._core.state.updates))
        if seen == self._seen and not always:
            return
        text = json.dumps(remember(self._core))
        if text == self._written:
            # Nothing changed since the last look, so the next look waits for a request or a schedule.
            self._seen = seen
            return
        write_private(self._home.memory, text)
        self._written = text


def _core(home: LabHome) -> Core:
    key = home.key()
    settings = Settings(admin_key=key.key, admin_secret=key.secret, admin_password=key.password)
    core = Core(settings)
    core.agents = _agents(home, core)
    with suppress(FileNotFoundError):
        recall(core, json.loads(home.memory.read_text(encoding="utf-8")))
    return core


def _agents(home: LabHome, core: Core) -> Agents:
    if home.gateway is not None:
        return MachineAgents(core.clock, directory=home.files, core_key=lambda: core.public_key)
    agents = LoopbackAgents(core.clock, directory=home.files)
    # What a deploy in the rehearsal takes from the repository is this working tree, pushed or not.
    agents.repositories.serve(load_settings(STACK, home.root).repository.name, home.root)
    return agents


def _port(home: LabHome, wanted: int) -> int:
    """The port of last time, so that addresses stay true over a restart; else the one that is wanted."""
    last = home.last()
    return (urlsplit(last.address).port if last else None) or wanted


def _server(core: Core, home: LabHome, port: int) -> CoreServer:
    host = home.gateway or LOOPBACK
    try:
        return CoreServer(core, port, host)
    except OSError:
        return CoreServer(core, 0, host)
