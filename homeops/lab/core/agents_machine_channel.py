"""What Core says to the Periphery of a machine: requests of the stand-in program (homeops.lab.periphery)."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Self

import httpx

from homeops.lab.core.agents import AgentFailure, AgentGone
from homeops.lab.core.checkouts import Outcome
from homeops.lab.periphery.server import CORE_KEY

CONNECT_SECONDS = 2.0
LOOK_SECONDS = 10.0
"""How long an answer may take that needs no work."""
WORK_SECONDS = 1800.0
"""How long a command may run: one that pulls images or waits for health."""


def _any_certificate() -> ssl.SSLContext:
    """A certificate that nobody signed will do, as Komodo's default ``insecure_tls`` has it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass
class Channel:
    """The way to one Periphery: its address (``https://HOST:8120``) and the public key that Core shows there.

    ``connection`` changes whenever an answer was lost.
    """

    address: str
    core_key: Callable[[], str]
    connection: int = 0
    _client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._client = httpx.Client(verify=_any_certificate(), trust_env=False)

    def ask(self, request: str, *, seconds: float = LOOK_SECONDS, **params: Any) -> Any:
        """The answer to one request of an execution; AgentFailure when it is refused, AgentGone when there is none."""
        try:
            return self.look(request, seconds=seconds, **params)
        except AgentGone:
            self.connection += 1
            raise

    def look(self, request: str, *, seconds: float = LOOK_SECONDS, **params: Any) -> Any:
        """The answer to one request that nothing depends on: it may be made again."""
        try:
            answer = self._client.post(
                self.address,
                json={"type": request, "params": params},
                headers={CORE_KEY: self.core_key()},
                timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            )
            document = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as reason:
            raise AgentGone from reason
        if not answer.is_success:
            raise AgentFailure(str(document["error"]))
        return document

    def run(self, script: str, directory: str) -> Outcome:
        """Run a shell command there."""
        done = self.ask("Run", seconds=WORK_SECONDS, script=script, directory=directory)
        return Outcome(done["exit"], done["stdout"], done["stderr"])


@dataclass(frozen=True, slots=True)
class MachinePlace:
    """A file or directory of the machine behind a channel."""

    channel: Channel
    path: PurePosixPath

    def __str__(self) -> str:
        return str(self.path)

    def __truediv__(self, part: str) -> Self:
        return type(self)(self.channel, self.path / part)

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.name

    @property
    def parent(self) -> Self:
        """The directory that it is in."""
        return type(self)(self.channel, self.path.parent)

    def exists(self) -> bool:
        """Whether a file or directory is there."""
        return self._kind() is not None

    def is_dir(self) -> bool:
        """Whether a directory is there."""
        return self._kind() == "directory"

    def is_file(self) -> bool:
        """Whether a file is there."""
        return self._kind() == "file"

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make the directory and those above it; one that is there is kept."""
        if not parents and not self.parent.exists():
            raise FileNotFoundError(str(self.parent))
        if not exist_ok and self.exists():
            raise FileExistsError(str(self))
        self.channel.ask("Make", path=str(self))

    def read_text(self) -> str:
        """What the file holds."""
        return str(self.channel.ask("Read", path=str(self))["text"])

    def write_text(self, data: str) -> int:
        """Write the file."""
        return int(self.channel.ask("Write", path=str(self), text=data)["written"])

    def rename(self, target: Self) -> Self:
        """Give it another name."""
        self.channel.ask("Rename", path=str(self), to=str(target))
        return target

    def _kind(self) -> str | None:
        return self.channel.ask("Look", path=str(self))["kind"]
