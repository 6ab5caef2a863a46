"""Core knows the agent of a host by its key, so that it lets no other in under that name; as a resource.

Inputs: how the host is reached, as an observation's; ``keyFile``, where its agent has its public key; ``hostKey``, the
fingerprint of the SSH key by which the host itself is known here.

The key is read over SSH in the moment in which Core is told, and kept nowhere: Core has agents make new ones, on a
schedule by default, and who is told an old one locks its agent out. Core is told where it knows none: a new Server, a
new Core, a key that somebody took away. Another one is replaced only when the host's SSH key was, which a person does
for a host that was installed anew (homeops hosts trust --replace).

The class names are frozen: Pulumi's state refers to them.
"""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from homeops.hosts.provider import REACHED, recorded_reach
from homeops.komodo import session
from homeops.komodo.session_provider import SessionProvider

Props = dict[str, Any]

INPUTS = (*REACHED, "keyFile", "hostKey")


class KnownAgentProvider(SessionProvider):
    """Tells Core a key where it knows none; ``known``: whether it knows one."""

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Only what leads to telling Core is a change, and never another key by itself."""
        changed = any(_olds.get(name) != _news.get(name) for name in ("host", "hostKey"))
        return DiffResult(changes=changed or not _olds.get("known"))

    def create(self, props: Props) -> CreateResult:
        """Tell Core, unless it knows one already."""
        return CreateResult(str(props["host"]), _introduced(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Tell Core, unless it knows one already and the host is the one that it was."""
        installed_anew = bool(_olds.get("hostKey")) and _olds.get("hostKey") != _news.get("hostKey")
        return UpdateResult(_introduced(_news, installed_anew=installed_anew))

    def read(self, id_: str, props: Props) -> ReadResult:
        """Whether Core knows a key; the host is not asked."""
        from homeops.komodo import agents

        known = bool(agents.key_of(session.core(), str(props["host"])))
        inputs = {name: props[name] for name in INPUTS if name in props}
        return ReadResult(id_, {**inputs, "known": known}, inputs=inputs)

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing: Core goes on to let nobody else in."""


class KnownAgent(Resource, module="hosts", name="KnownAgent"):
    """The agent of a host, as Core knows it."""

    known: pulumi.Output[bool]

    def __init__(self, host: str, props: Props, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register it; ``props`` are the inputs but ``host``."""
        quiet = pulumi.ResourceOptions(hide_diffs=["__provider"])
        given = {**props, "host": host, "known": None}
        super().__init__(KnownAgentProvider(), host, given, pulumi.ResourceOptions.merge(opts, quiet))


def _introduced(props: Props, *, installed_anew: bool = False) -> Props:
    from homeops.hosts.agent_key import public_key
    from homeops.komodo import agents

    core, host = session.core(), str(props["host"])
    key = public_key(recorded_reach(props), str(props["keyFile"]))
    known = agents.key_of(core, host)
    if not known:
        agents.expect_key(core, host, key)
    elif known != key and installed_anew:
        agents.expect_key(core, host, key)
        session.tell(f"{host}: its SSH key is another than before, and so is its agent's: Komodo knows the new one now")
    elif known != key:
        session.tell(agents.other_key(host, key, known))
    return {**{name: props[name] for name in INPUTS if name in props}, "known": True}
