"""The dynamic provider: one engine for all kinds, one class a kind.

Pulumi's state refers to the classes by module and name, so both are frozen. They hold nothing: the program pickles them by
reference, and credentials are read where the provider runs, never passed to it.

What Pulumi hands over arrives as JSON with numbers as floats and without nulls. Inputs and outputs have one form:
``{"name", "description"?, "tags"?, "template"?, "config"?}``, the configuration canonical and without defaults.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown
from pydantic import ValidationError

from homeops.errors import AdoptionRefused, HomeopsError, KomodoConflict, KomodoUnreachable, Problem
from homeops.komodo import operations, session
from homeops.komodo.documents import Live
from homeops.komodo.operations import Core, Declared
from homeops.komodo.secret_values import concealed, is_source, plain_secrets
from homeops.model.canonical import canonical
from homeops.model.config.variable import VariableConfig
from homeops.model.kinds import KINDS, Kind
from homeops.model.wire import minimal

Props = dict[str, Any]

COMPARED = ("name", "description", "tags", "template", "config")
ADOPT = "adopt"
OVERWRITE = "overwrite"


def as_props(name: str, config: object, description: str, tags: tuple[str, ...], template: bool) -> Props:
    """The inputs of an object; what is default is left out."""
    props: Props = {"name": name}
    if description:
        props["description"] = description
    if tags:
        props["tags"] = list(tags)
    if template:
        props["template"] = True
    if fields := minimal(config):
        props["config"] = fields
    return props


def differences(want: Mapping[str, Any], have: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The fields in which two forms differ: path, wanted, present; None stands for the default."""
    found: list[tuple[str, Any, Any]] = []
    for key in COMPARED:
        if key == "config":
            wanted: Props = want.get("config") or {}
            present: Props = have.get("config") or {}
            for field in dict.fromkeys((*wanted, *present)):
                if wanted.get(field) != present.get(field):
                    found.append((f"config.{field}", wanted.get(field), present.get(field)))
        elif (want.get(key) or None) != (have.get(key) or None):
            found.append((key, want.get(key), have.get(key)))
    return found


def _has_unknown(value: Any) -> bool:
    match value:
        case Unknown():
            return True
        case dict():
            return any(_has_unknown(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list():
            return any(_has_unknown(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
        case _:
            return False


class KomodoProvider(ResourceProvider):
    """Check, diff, create (adopting), read, update and delete of one kind."""

    serialize_as_secret_always: bool = False
    kind: ClassVar[Kind]

    def configure(self, req: ConfigureRequest) -> None:
        """Note where Core is; the key is looked up where this runs."""
        session.configure(req.config.get)

    def check(self, _olds: Any, news: Props) -> CheckResult:
        """Validate with the typed model, all failures at once; tells what a creation would adopt."""
        if _has_unknown(news):
            return CheckResult(news, [])
        try:
            declared = self._declared(news)
        except ValidationError as error:
            failures = [
                CheckFailure(".".join(("config", *map(str, detail["loc"]))), detail["msg"]) for detail in error.errors()
            ]
            return CheckResult(news, failures)
        secrets = self._plain_secrets(declared)
        if secrets:
            text = "a secret would stand in Pulumi's state\n  hint: give it as env:NAME, and export NAME"
            return CheckResult(news, [CheckFailure(f"config.{field}", text) for field in secrets])
        checked = as_props(declared.name, declared.config, declared.description, declared.tags, declared.template)
        if news.get(ADOPT):
            checked[ADOPT] = news[ADOPT]
        if not _olds:
            self._announce(declared, checked)
        return CheckResult(checked, [])

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        """Compare canonical forms, without any request."""
        changed = differences(_news, _olds)
        # A variable cannot be renamed, and its name is its id.
        replaces = ["name"] if self.kind.name == "Variable" and _news["name"] != _olds["name"] else []
        return DiffResult(changes=bool(changed), replaces=replaces)

    def create(self, props: Props) -> CreateResult:
        """Create the object, or take over the one of that name; safe to repeat after an answer that was lost."""
        core = session.core()
        declared = self._declared(props)
        there = core.catalogue.by_name(self.kind, declared.name)
        if there is None:
            try:
                return CreateResult(operations.create(core, declared), self._outputs(props))
            except (KomodoUnreachable, KomodoConflict) as error:
                there = self._made_all_the_same(core, declared, error)
        self._adopt(core, declared, props, there)
        return CreateResult(there.id, self._outputs(props))

    def read(self, id_: str, props: Props) -> ReadResult:
        """What Core has, from one list for the whole run; gone when a successful list lacks it."""
        there = session.core().catalogue.by_id(self.kind, id_)
        if there is None:
            return ReadResult(None, {})  # pyright: ignore[reportArgumentType] - this is how a resource is reported gone
        outs = self._shown(there, props)
        inputs = dict(outs)
        if props.get(ADOPT):
            inputs[ADOPT] = props[ADOPT]
        return ReadResult(id_, outs, inputs=inputs)

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        """Send what changed."""
        core = session.core()
        declared = self._declared(_news)
        before = self._declared(_olds)
        is_ = Live(_id, before.name, before.config, before.description, before.tags, before.template)
        operations.update(core, declared, is_)
        return UpdateResult(self._outputs(_news))

    def delete(self, _id: str, _props: Props) -> None:
        """Delete the object, saying what becomes of its containers."""
        operations.delete(session.core(), self.kind, _id, str(_props.get("name", _id)), session.tell)

    def _declared(self, props: Mapping[str, Any]) -> Declared:
        config = self.kind.config.validate_python(props.get("config") or {})
        return Declared(
            self.kind,
            str(props["name"]),
            canonical(config),
            str(props.get("description") or ""),
            tuple(props.get("tags") or ()),
            bool(props.get("template") or False),
        )

    def _outputs(self, props: Props) -> Props:
        return {key: props[key] for key in COMPARED if key in props}

    def _plain_secrets(self, declared: Declared) -> list[str]:
        config = declared.config
        if isinstance(config, VariableConfig):
            return ["value"] if config.is_secret and config.value and not is_source(config.value) else []
        return plain_secrets(config)

    def _shown(self, there: Live, props: Mapping[str, Any]) -> Props:
        """A live object in the form of inputs, without its secrets."""
        config = there.config
        declared = self.kind.config.validate_python(props.get("config") or {})
        if not (isinstance(config, VariableConfig) and not config.is_secret):
            config = concealed(config, declared)
        return as_props(there.name, config, there.description, there.tags, there.template)

    def _announce(self, declared: Declared, checked: Props) -> None:
        """Say in preview what exists already; a Core that does not answer is no error here."""
        try:
            there = session.reachable_core().catalogue.by_name(self.kind, declared.name)
        except HomeopsError as error:
            session.give_up_asking(error)
            return
        if there is None:
            return
        changed = differences(checked, self._shown(there, checked))
        what = f'{self.kind.name.lower()} "{declared.name}" exists in Komodo'
        if not changed:
            session.tell(f"{what} and equals the declaration: it will be adopted")
        elif checked.get(ADOPT) == OVERWRITE:
            session.tell(f"{what}: it will be adopted, and {len(changed)} fields overwritten\n{_listed(changed)}")
        else:
            session.tell(f"{what} and differs, so pulumi up will refuse to adopt it\n{_listed(changed)}")

    def _made_all_the_same(self, core: Core, declared: Declared, error: HomeopsError) -> Live:
        """After a lost answer or a taken name: the object of that name, else the error."""
        core.catalogue.forget(self.kind)
        there = core.catalogue.by_name(self.kind, declared.name)
        if there is None:
            raise error
        return there

    def _adopt(self, core: Core, declared: Declared, props: Props, there: Live) -> None:
        changed = differences(props, self._shown(there, props))
        if changed and props.get(ADOPT) == OVERWRITE:
            operations.update(core, declared, there)
        elif changed and not self._is_half_made(props, changed):
            raise AdoptionRefused(
                Problem(
                    f'{self.kind.name.lower()} "{declared.name}"',
                    f"exists in Komodo and differs in {len(changed)} fields; nothing was changed\n{_listed(changed)}",
                    "declare Komodo's values, or overwrite them once with: pulumi config set homeops:adopt overwrite",
                )
            )
        elif changed:
            operations.update(core, declared, there)

    def _is_half_made(self, props: Props, changed: list[tuple[str, Any, Any]]) -> bool:
        """Whether only description, tags and template lack, all of them untouched: a creation that was cut short."""
        return self.kind.resource and all(
            path in ("description", "tags", "template") and not present for path, _, present in changed
        )


def _listed(changed: list[tuple[str, Any, Any]]) -> str:
    return "\n".join(
        f"    {path}: Komodo has {_value(have)}, declared is {_value(want)}" for path, want, have in changed
    )


def _value(value: Any) -> str:
    if value is None:
        return "the default"
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


class ServerProvider(KomodoProvider):
    """Servers."""

    kind = KINDS["Server"]


class SwarmProvider(KomodoProvider):
    """Swarms."""

    kind = KINDS["Swarm"]


class StackProvider(KomodoProvider):
    """Stacks."""

    kind = KINDS["Stack"]


class DeploymentProvider(KomodoProvider):
    """Deployments."""

    kind = KINDS["Deployment"]


class BuildProvider(KomodoProvider):
    """Builds."""

    kind = KINDS["Build"]


class BuilderProvider(KomodoProvider):
    """Builders."""

    kind = KINDS["Builder"]


class RepoProvider(KomodoProvider):
    """Repos."""

    kind = KINDS["Repo"]


class ProcedureProvider(KomodoProvider):
    """Procedures."""

    kind = KINDS["Procedure"]


class ActionProvider(KomodoProvider):
    """Actions."""

    kind = KINDS["Action"]


class AlerterProvider(KomodoProvider):
    """Alerters."""

    kind = KINDS["Alerter"]


class ResourceSyncProvider(KomodoProvider):
    """ResourceSyncs."""

    kind = KINDS["ResourceSync"]


class VariableProvider(KomodoProvider):
    """Variables."""

    kind = KINDS["Variable"]


class TagProvider(KomodoProvider):
    """Tags."""

    kind = KINDS["Tag"]


class UserGroupProvider(KomodoProvider):
    """User groups."""

    kind = KINDS["UserGroup"]
