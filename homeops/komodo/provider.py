"""The dynamic provider: one class a kind, all of them thin.

Pulumi's state refers to the classes by module and name, so both are frozen. They hold nothing: the program pickles
them by reference, and credentials are read where the provider runs, never passed to it.

Most runs change little, and what did not change needs no model: this module is all that they load. The rest is in
engine.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from homeops.komodo import session
from homeops.komodo.props import ADOPT, COMPARED, Props, differences
from homeops.komodo.session_provider import SessionProvider


class KomodoProvider(SessionProvider):
    """Check, diff, create (adopting), read, update and delete of one kind."""

    kind: ClassVar[str]

    def check(self, _olds: Any, news: Props) -> CheckResult:
        """Validate with the typed model, all failures at once; tells what a creation would adopt."""
        session.note_declared(self.kind, news)
        if _olds and _same(_olds, news):
            # These very inputs were checked before they came into the state.
            return CheckResult({key: value for key, value in news.items() if key in (*COMPARED, ADOPT)}, [])
        from homeops.komodo import engine

        return engine.check(self.kind, _olds or {}, news)

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Compare canonical forms, without any request."""
        # A variable cannot be renamed, and its name is its id.
        replaces = ["name"] if self.kind == "Variable" and _news["name"] != _olds["name"] else []
        return DiffResult(changes=bool(differences(_news, _olds)), replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Create the object, or take over the one of that name; safe to repeat after an answer that was lost."""
        from homeops.komodo import engine

        return CreateResult(engine.create(session.core(), self.kind, props), outputs(props))

    def read(self, id_: str, props: Props) -> ReadResult:
        """What Core has, from one list for the whole run; gone when a successful list lacks it."""
        from homeops.komodo import engine

        found = engine.read(session.core(), self.kind, id_, props)
        if found is None:
            return ReadResult(None, {})  # pyright: ignore[reportArgumentType] - this is how a resource is reported gone
        kept = {ADOPT: props[ADOPT]} if props.get(ADOPT) else {}
        return ReadResult(id_, found, inputs=found | kept)

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Send what changed."""
        from homeops.komodo import engine

        engine.update(session.core(), self.kind, _id, _olds, _news)
        return UpdateResult(outputs(_news))

    def delete(self, _id: str, _props: Props) -> None:
        """Delete the object, saying what becomes of its containers."""
        from homeops.komodo import engine

        engine.delete(session.core(), self.kind, _id, _props)


def outputs(props: Mapping[str, Any]) -> Props:
    """What the state keeps of an object: its form, which is that of its inputs."""
    return {key: props[key] for key in COMPARED if key in props}


def _same(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    return all(olds.get(key) == news.get(key) for key in (*COMPARED, ADOPT))


class ServerProvider(KomodoProvider):
    """Servers."""

    kind = "Server"


class SwarmProvider(KomodoProvider):
    """Swarms."""

    kind = "Swarm"


class StackProvider(KomodoProvider):
    """Stacks."""

    kind = "Stack"


class DeploymentProvider(KomodoProvider):
    """Deployments."""

    kind = "Deployment"


class BuildProvider(KomodoProvider):
    """Builds."""

    kind = "Build"


class BuilderProvider(KomodoProvider):
    """Builders."""

    kind = "Builder"


class RepoProvider(KomodoProvider):
    """Repos."""

    kind = "Repo"


class ProcedureProvider(KomodoProvider):
    """Procedures."""

    kind = "Procedure"


class ActionProvider(KomodoProvider):
    """Actions."""

    kind = "Action"


class AlerterProvider(KomodoProvider):
    """Alerters."""

    kind = "Alerter"


class ResourceSyncProvider(KomodoProvider):
    """ResourceSyncs."""

    kind = "ResourceSync"


class VariableProvider(KomodoProvider):
    """Variables."""

    kind = "Variable"


class TagProvider(KomodoProvider):
    """Tags."""

    kind = "Tag"


class UserGroupProvider(KomodoProvider):
    """User groups."""

    kind = "UserGroup"
