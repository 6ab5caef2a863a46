"""What is observed on a host, as a resource: all probes over one connection, when Pulumi refreshes.

Inputs: ``host``, ``address``, ``port``, ``user``, ``knownHosts`` (relative to the checkout), ``timeout``, ``stack``; by
requirement ``facts`` {fact: value} as wanted, ``expected`` {fact: value} of what is only reported, ``probes``, and
``scripts``, a digest of what would be applied; ``install``: what puts the operator's age key on a host that has none;
``parting``: by requirement what is done on a host that leaves the fleet, as far as it answers.

A refresh puts what was found in the place of ``facts``. So drift is a difference between inputs, and ``repairs``,
counted by requirement where that difference is seen, is known in a preview already: it is an input of the commands that
repair. The facts are recorded as wanted before those have run: one that fails keeps its old number in the state, and
is due again.

A host that gives no answer when it is refreshed is told of and stays as it was recorded; the run goes on. When
something is to be done on it, that is an error here, once, and what depends on this resource is skipped.

The class names are frozen: Pulumi's state refers to them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from homeops.komodo import session
from homeops.komodo.session_provider import SessionProvider

Props = dict[str, Any]

REACHED = ("host", "address", "port", "user", "knownHosts", "timeout", "stack")
"""The inputs that say how a host is reached."""

INPUTS = (
    *REACHED,
    *("facts", "expected", "repairs", "probes", "scripts", "install", "parting"),
)
"""All of them count as a change: what a refresh has to go by is what was recorded last."""


class ObservationProvider(SessionProvider):
    """Looks at hosts, gives an age key to one that has none, and takes leave of those that go."""

    def check(self, _olds: Any, news: Props) -> CheckResult:
        """Count the repairs that are due."""
        return CheckResult({**news, "repairs": due_repairs(_olds or {}, news)}, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """What was found against what is wanted, without looking again."""
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in INPUTS))

    def create(self, props: Props) -> CreateResult:
        """Look, so that a host that cannot be worked on fails here and not once a command."""
        return CreateResult(str(props["host"]), _looked_before_work(props))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Look, before commands repair."""
        return UpdateResult(_looked_before_work(_news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """As it is found; as it was recorded where the host gives no answer."""
        from homeops.hosts.reach import HostError

        session.widen()
        try:
            found = _found(props)
        except HostError as error:
            session.tell(f"warning: {error}\n  not looked at; it stays as it was recorded, and other hosts go on")
            return ReadResult(id_, props)
        live = {**props, "facts": _part(found, props["facts"]), "reported": _part(found, props["expected"])}
        _tell_reported(props, live["reported"])
        return ReadResult(id_, live, inputs={name: live[name] for name in INPUTS if name in live})

    def delete(self, _id: str, _props: Props) -> None:
        """Take leave: everything else of the host is deleted by then. One that does not answer goes all the same."""
        from homeops.hosts.reach import HostError
        from homeops.hosts.script import run_script

        session.widen()
        parting: Mapping[str, str] = _props.get("parting") or {}
        for name, script in parting.items():
            try:
                session.tell(f"{_props['host']}: {run_script(recorded_reach(_props), name, script)}")
            except HostError as error:
                session.tell(f"warning: {error}\n  {name}: what is left there stays")


class Observation(Resource, module="hosts", name="Observation"):
    """What a host was last seen like. ``repairs``: how often each requirement had to be made true again."""

    facts: pulumi.Output[dict[str, dict[str, str]]]
    reported: pulumi.Output[dict[str, dict[str, str]]]
    repairs: pulumi.Output[dict[str, int]]

    def __init__(self, host: str, props: Props, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register it; ``props`` are the inputs but ``repairs``."""
        quiet = pulumi.ResourceOptions(hide_diffs=["__provider", "probes", "parting"])
        given = {**props, "host": host, "repairs": None, "reported": None}
        super().__init__(ObservationProvider(), host, given, pulumi.ResourceOptions.merge(opts, quiet))


def due_repairs(olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, int]:
    """How often each requirement was repaired, once more where it was found otherwise than it is wanted."""
    found: Mapping[str, Any] = olds.get("facts") or {}
    before: Mapping[str, Any] = olds.get("repairs") or {}
    return {
        name: int(before.get(name, 0)) + (name in found and found[name] != wanted)
        for name, wanted in news["facts"].items()
    }


def _looked_before_work(props: Props) -> Props:
    """The outputs; raises HostError when nothing can be done on the host."""
    from homeops.errors import Problem
    from homeops.hosts.reach import HostError

    session.widen()
    found = _found(props)
    if not os.environ.get("SSH_AUTH_SOCK"):
        what = "no ssh-agent runs here, and Pulumi's commands take their keys from nowhere else"
        raise HostError(Problem(str(props["host"]), what, 'eval "$(ssh-agent)" && ssh-add'))
    _install_key(props, found)
    kept = {name: props[name] for name in INPUTS if name in props}
    _tell_reported(props, _part(found, props["expected"]))
    return {**kept, "reported": _part(found, props["expected"])}


def _found(props: Props) -> dict[str, dict[str, str]]:
    from homeops.hosts.observation import observe
    from homeops.hosts.requirement import Requirement

    facts, expected = props["facts"], props["expected"]
    looked_for = [
        Requirement(name, "", facts.get(name, {}), probe, "", reported=expected.get(name, {}))
        for name, probe in props["probes"].items()
    ]
    return observe(recorded_reach(props), looked_for)


def recorded_reach(props: Props) -> Any:
    """How a host is reached, from inputs as those above."""
    from homeops.hosts.reach import Reach

    return Reach(
        host=str(props["host"]),
        address=str(props["address"]),
        port=int(props["port"]),
        user=str(props["user"]),
        known_hosts=Path.cwd() / props["knownHosts"],
        timeout=int(props["timeout"]),
        stack=str(props.get("stack", "")),
    )


def _install_key(props: Props, found: Mapping[str, Mapping[str, str]]) -> None:
    """Put the operator's age key where none is and it is allowed. It is in no input: a state must not have it."""
    install: dict[str, str] = props.get("install") or {}
    if not install or found.get(install["requirement"], {}).get("key") != "missing":
        return
    from homeops.hosts.repair import install_key
    from homeops.secrets.operators_keys import operators_key

    def key() -> str:
        return operators_key(install["recipient"], os.environ, Path.home())

    said = install_key(recorded_reach(props), install["requirement"], install["script"], key)
    session.tell(f"{props['host']}: {said}")


def _part(found: Mapping[str, Mapping[str, str]], like: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Of what was found, the facts that stand in ``like``."""
    return {name: {fact: found[name][fact] for fact in facts} for name, facts in like.items()}


def _tell_reported(props: Props, found: Mapping[str, Mapping[str, str]]) -> None:
    expected: Mapping[str, Mapping[str, str]] = props["expected"]
    for name, facts in expected.items():
        for fact, value in facts.items():
            if (is_now := found.get(name, {}).get(fact, value)) != value:
                session.tell(f"warning: {props['host']}: {name}: {fact} is {is_now}, expected {value}")
