"""Core is told the key of a host's agent where it knows none, and never an old one or somebody else's."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homeops.errors import KomodoError
from homeops.hosts import agent_key
from homeops.hosts.known_agent import KnownAgentProvider
from homeops.hosts.reach import HostError
from homeops.komodo import agents, session
from homeops.komodo.catalogue import Catalogue
from homeops.komodo.client import Client
from homeops.komodo.credentials import Credentials
from homeops.lab.core.core import Core
from homeops.lab.http import CoreTransport
from homeops.model.kinds import SERVER
from tests.hosts.public_keys import pem, public_key
from tests.komodo.openapi import Checked
from tests.sshd import Sshd

PROVIDER = KnownAgentProvider()


class Bench:
    """A Core with a Server "one", and its host, whose agent has a key."""

    def __init__(self, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sshd, self.core = sshd, Core()
        self.told: list[str] = []
        self.wire = Checked(CoreTransport(self.core))
        access = Credentials(self.core.settings.admin_key, self.core.settings.admin_secret)
        self.client = Client("http://core.example:9120", access, transport=self.wire)
        monkeypatch.setattr(session, "core", lambda: self.session)
        monkeypatch.setattr(session, "tell", self.told.append)
        sshd.sudo()
        self.client.write("CreateServer", {"name": "one", "config": {}})
        self.anew()
        self.has(public_key())

    def anew(self) -> None:
        """As another run of Pulumi."""
        self.session = session.Core(self.client, Catalogue(self.client))

    def has(self, key: str) -> str:
        """Let the agent have this key."""
        self.file.write_text(pem(key))
        return key

    @property
    def file(self) -> Path:
        return self.sshd.place / "periphery.pub"

    @property
    def known(self) -> str:
        """The key by which Core knows the agent."""
        (server,) = self.client.list_all(SERVER)
        return server["info"]["public_key"]

    def write(self, **info: str) -> None:
        """As somebody else, or Core itself, would."""
        (server,) = self.core.state.resources["Server"].values()
        server["info"] |= info

    def props(self, host_key: str = "SHA256:first") -> dict[str, Any]:
        reach = self.sshd.reach()
        return {
            "host": reach.host,
            "address": reach.address,
            "port": float(reach.port),
            "user": reach.user,
            "knownHosts": str(reach.known_hosts),
            "timeout": 5.0,
            "keyFile": str(self.file),
            "hostKey": host_key,
        }


@pytest.fixture
def bench(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(sshd, monkeypatch)
    yield made
    made.client.close()


def test_a_server_without_a_key_gets_that_of_the_hosts_agent(bench: Bench) -> None:
    key = bench.has(public_key())
    made = PROVIDER.create(bench.props())
    assert (made.id, made.outs) == ("one", {**bench.props(), "known": True})
    assert bench.known == key
    assert agents.key_of(bench.session, "one") == key
    assert bench.told == []
    assert key not in str(made.outs), "a key that is kept is an old one some day"


def test_another_key_that_core_knows_is_told_and_kept(bench: Bench) -> None:
    old, new = public_key(), bench.has(public_key())
    bench.write(public_key=old)
    assert PROVIDER.create(bench.props()).outs is not None
    assert bench.known == old
    assert bench.told == [agents.other_key("one", new, old)]


def test_the_key_of_a_host_that_was_installed_anew_takes_the_place_of_the_old_one(bench: Bench) -> None:
    old, new = public_key(), bench.has(public_key())
    bench.write(public_key=old)
    olds, news = {**bench.props(), "known": True}, bench.props("SHA256:second")
    assert PROVIDER.diff("one", olds, news).changes
    PROVIDER.update("one", olds, news)
    assert bench.known == new
    assert bench.told == [
        "one: its SSH key is another than before, and so is its agent's: Komodo knows the new one now"
    ]


def test_a_key_that_core_had_made_anew_is_no_difference(bench: Bench) -> None:
    olds = {**bench.props(), "known": True}
    bench.write(public_key=bench.has(public_key()))
    read = PROVIDER.read("one", olds)
    assert (read.outs, read.inputs) == (olds, bench.props())
    assert not PROVIDER.diff("one", read.outs or {}, bench.props()).changes


@pytest.mark.parametrize("lost", ["the key", "the server"])
def test_core_is_told_again_what_it_lost_and_the_key_of_today(bench: Bench, lost: str) -> None:
    PROVIDER.create(bench.props())
    new = bench.has(public_key())
    if lost == "the key":
        bench.write(public_key="")
    else:
        bench.client.write("DeleteServer", {"id": bench.session.catalogue.id_of("Server", "one")})
    bench.anew()
    read = PROVIDER.read("one", {**bench.props(), "known": True})
    assert read.outs == {**bench.props(), "known": False}
    assert PROVIDER.diff("one", read.outs or {}, bench.props()).changes
    if lost == "the server":
        with pytest.raises(KomodoError, match='server "one": Komodo has none of that name'):
            PROVIDER.update("one", read.outs or {}, bench.props())
        bench.client.write("CreateServer", {"name": "one", "config": {}})
        bench.anew()
    PROVIDER.update("one", read.outs or {}, bench.props())
    assert bench.known == new


WRONG: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda file: file.write_text(""),
    "no key": lambda file: file.write_text("hello\n"),
    "another kind of key": lambda file: file.write_text(pem(base64.b64encode(b"0" * 44).decode())),
    "a private key": lambda file: file.write_text(pem(public_key()).replace("PUBLIC", "PRIVATE")),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_public_key_is_told_to_nobody(bench: Bench, wrong: str) -> None:
    WRONG[wrong](bench.file)
    with pytest.raises(HostError, match=r"^one: the public key of its Periphery cannot be read: .*periphery\.pub"):
        PROVIDER.create(bench.props())
    assert bench.known == ""


def test_a_key_is_read_by_root_and_as_komodo_has_it(sshd: Sshd) -> None:
    sshd.sudo()
    file = sshd.place / "it's a key.pub"
    key = public_key()
    file.write_text(pem(key))
    assert agent_key.public_key(sshd.reach(), str(file)) == key


def test_an_agent_that_core_refuses_is_told_until_core_knows_its_key(bench: Bench) -> None:
    old, new = public_key(), public_key()
    assert list(agents.told(bench.session)) == []
    bench.write(attempted_public_key=new)
    (line,) = agents.told(bench.session)
    assert line.startswith(f'warning: server "one": Komodo refuses its agent, whose key is {new}: it knows none\n')
    bench.write(public_key=old)
    bench.anew()
    (line,) = agents.told(bench.session)
    assert "it knows another\n  hint: if one was installed anew: homeops hosts trust one --replace" in line
    agents.expect_key(bench.session, "one", new)
    assert list(agents.told(bench.session)) == []
