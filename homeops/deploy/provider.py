"""The Deploy of a stack: its containers, brought up to the declaration and watched until they are healthy.

Inputs: ``stack``, ``server`` (``formerServer``: the name it had, when it was renamed), ``fingerprint`` {part: digest},
``rollout`` (homeops/model/rollout.py), ``checkout``, ``pulumiStack``. A deploy is due when the fingerprint or the
server differs. A failed one is not recorded, so the next preview still shows it as due.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import (
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)

from homeops.deploy.due import due
from homeops.komodo import session
from homeops.komodo.session_provider import SessionProvider
from homeops.model.kinds import STACK

Props = dict[str, Any]

RECORDED = ("update", "stackId", "state", "seconds", "deployedAt", "commit", "images", "services", "config")
"""What a deploy leaves in the state, beside its inputs."""


class DeployProvider(SessionProvider):
    """Deploys on create and on update; deleting it leaves the containers to the Stack's own delete."""

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Due when a part of the fingerprint differs, or the stack runs elsewhere; another name alone is no reason."""
        found = due(_olds, _news)
        if found:
            session.tell(f'stack "{_news["stack"]}" will be redeployed: {", ".join(found.words())}')
        if _has_env(_olds) and not _has_env(_news):
            session.tell(
                f'warning: stack "{_news["stack"]}" has no environment any more, and Komodo then leaves its old env '
                f"file on {_news['server']} and in use\n  hint: keep one variable, or remove the file there by hand"
            )
        return DiffResult(changes=bool(found) or _olds.get("server") != _news["server"])

    def create(self, props: Props) -> CreateResult:
        """Deploy."""
        return CreateResult(str(props["stack"]), props | _deploy(None, props))

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Deploy again; where only the host got another name, note that."""
        if not due(_olds, _news):
            return UpdateResult(_olds | {key: _news[key] for key in INPUTS if key in _news})
        return UpdateResult(_news | _deploy(_olds, _news))

    def read(self, id_: str, props: Props) -> ReadResult:
        """As recorded; gone with its stack or its containers; where Komodo deployed other files since, those.

        They were not seen healthy (somebody else deployed them, or a run of ours that failed afterwards), so they are
        due whatever is declared.
        """
        stack = props.get("stackId")
        if not stack:
            return ReadResult(id_, props)
        documents = session.core().catalogue.documents(STACK)
        if stack not in documents:
            return ReadResult(None, {})  # pyright: ignore[reportArgumentType] - this is how a resource is reported gone
        from homeops.deploy.source import live_fingerprint

        known: Mapping[str, str] = props["fingerprint"]
        found = live_fingerprint(documents[stack]["info"], known)
        seen = {
            part: value if known.get(part) == value else f"{value}, not seen healthy" for part, value in found.items()
        }
        live = props | {"fingerprint": seen}
        return ReadResult(id_, live, inputs={key: live[key] for key in INPUTS if key in live})

    def delete(self, _id: str, _props: Props) -> None:
        """Nothing: the Stack's delete takes its containers down."""


INPUTS = ("stack", "server", "formerServer", "fingerprint", "rollout", "checkout", "pulumiStack")


class Deploy(Resource, module="komodo", name="Deploy"):
    """The containers of a stack.

    ``update``: id of Komodo's Update. ``stackId``: of the stack that was deployed. ``state``: the stack's state after
    it. ``seconds``: how long it took. ``deployedAt``: when it ended, seconds since 1970 by this machine's clock.
    ``commit``, ``images`` and ``services``: what runs. ``config``: what Komodo was configured with then.
    """

    update: pulumi.Output[str]
    state: pulumi.Output[str]
    seconds: pulumi.Output[float]
    commit: pulumi.Output[str]
    images: pulumi.Output[dict[str, str]]
    deployedAt: pulumi.Output[float]  # noqa: N815  # the name in the state

    def __init__(
        self,
        stack: str,
        server: str,
        fingerprint: Mapping[str, str],
        rollout: Mapping[str, Any],
        *,
        checkout: str = "",
        former_server: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register it; ``rollout`` is a homeops.model.rollout.Rollout as JSON."""
        props: Props = {"stack": stack, "server": server, "fingerprint": dict(fingerprint), "rollout": dict(rollout)}
        props["pulumiStack"] = pulumi.get_stack()
        if checkout:
            props["checkout"] = checkout
        if former_server:
            props["formerServer"] = former_server
        props |= dict.fromkeys(RECORDED)
        quiet = pulumi.ResourceOptions(hide_diffs=["__provider"])
        super().__init__(DeployProvider(), stack, props, pulumi.ResourceOptions.merge(opts, quiet))


def _has_env(props: Mapping[str, Any]) -> bool:
    return any(part.startswith("env ") for part in props.get("fingerprint") or ())


def _deploy(olds: Props | None, news: Props) -> Props:
    # Imported here because the program's process imports this module and deploys nothing.
    from homeops.deploy.recorded import deploy_and_record

    session.widen()
    reasons = due(olds, news).words()
    return deploy_and_record(session.core().client, olds, news, reasons, str(news["pulumiStack"]), session.tell)
