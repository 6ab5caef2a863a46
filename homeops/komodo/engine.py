"""What the provider does for an object of any kind: check, create or adopt, read, update, delete."""

from collections.abc import Mapping
from typing import Any, cast

from pulumi.dynamic import CheckFailure, CheckResult
from pulumi.output import Unknown
from pydantic import ValidationError

from homeops.errors import AdoptionRefused, HomeopsError, KomodoConflict, KomodoUnreachable, Problem
from homeops.komodo import moves, operations, session
from homeops.komodo.documents import Live, understood
from homeops.komodo.operations import Declared
from homeops.komodo.props import ADOPT, OVERWRITE, Props, as_props, differences
from homeops.komodo.secret_values import concealed, is_source, plain_secrets
from homeops.komodo.session import Core
from homeops.model.canonical import canonical
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel
from homeops.model.kinds import KINDS, STACK, TAG, USER_GROUP, Kind
from homeops.model.wire import minimal


def check(kind: str, olds: Props, news: Props) -> CheckResult:
    """The inputs in canonical form, or all that is wrong with them; ``olds`` is empty for a new object."""
    if _has_unknown(news):
        return CheckResult(news, [])
    try:
        declared = _declared(KINDS[kind], news)
    except ValidationError as error:
        failures = [
            CheckFailure(".".join(("config", *map(str, detail["loc"]))), detail["msg"]) for detail in error.errors()
        ]
        return CheckResult(news, failures)
    if secrets := _plain_secrets(declared):
        text = "a secret would stand in Pulumi's state\n  hint: give it as env:NAME, and export NAME"
        return CheckResult(news, [CheckFailure(f"config.{field}", text) for field in secrets])
    checked = _props(declared)
    if news.get(ADOPT):
        checked[ADOPT] = news[ADOPT]
    before = olds or _announced(declared, checked)
    if kind == "Stack" and before and (problem := moves.refusal(before, news)):
        return CheckResult(news, [CheckFailure("", str(problem))])
    return CheckResult(checked, [])


def create(core: Core, kind: str, props: Props) -> str:
    """Create the object or take over the one of that name; its id. Raises AdoptionRefused when that one differs."""
    declared = _declared(KINDS[kind], props)
    there = core.catalogue.by_name(declared.kind, declared.name)
    if there is None:
        try:
            return operations.create(core, declared)
        except (KomodoUnreachable, KomodoConflict) as error:
            there = _made_all_the_same(core, declared, error)
    _adopt(core, declared, props, there)
    return there.id


def read(core: Core, kind: str, id_: str, props: Props) -> Props | None:
    """The object as Core has it, or None when a successful list lacks it."""
    there = core.catalogue.by_id(KINDS[kind], id_)
    return None if there is None else _shown(KINDS[kind], there, props)


def update(core: Core, kind: str, id_: str, olds: Props, news: Props) -> None:
    """Send what changed."""
    before = _remembered(KINDS[kind], olds)
    if kind == "Stack":
        moves.leave(core, id_, olds, news, session.tell)
    is_ = Live(id_, before.name, before.config, before.description, before.tags, before.template)
    operations.update(core, _declared(KINDS[kind], news), is_, session.tell)


def delete(core: Core, kind: str, id_: str, props: Mapping[str, Any]) -> None:
    """Delete the object, saying what becomes of its containers."""
    operations.delete(core, KINDS[kind], id_, str(props.get("name", id_)), session.tell)


def _declared(kind: Kind, props: Mapping[str, Any]) -> Declared:
    return _with_config(kind, props, canonical(kind.config.validate_python(props.get("config") or {})))


def _remembered(kind: Kind, props: Mapping[str, Any]) -> Declared:
    """What a state says, which an earlier homeops may have written: what is not understood counts as the default."""
    return _with_config(kind, props, canonical(understood(kind, props.get("config") or {})))


def _with_config(kind: Kind, props: Mapping[str, Any], config: KomodoModel) -> Declared:
    return Declared(
        kind,
        str(props["name"]),
        config,
        str(props.get("description") or ""),
        tuple(props.get("tags") or ()),
        bool(props.get("template") or False),
    )


def _props(declared: Declared | Live) -> Props:
    config = cast(Props, minimal(declared.config))
    return as_props(declared.name, config, declared.description, declared.tags, declared.template)


def _plain_secrets(declared: Declared) -> list[str]:
    config = declared.config
    if isinstance(config, VariableConfig):
        return ["value"] if config.is_secret and config.value and not is_source(config.value) else []
    return plain_secrets(config)


def _shown(kind: Kind, there: Live, props: Mapping[str, Any]) -> Props:
    """A live object in the form of inputs, without its secrets."""
    config, declared = there.config, _remembered(kind, props).config
    open_ = isinstance(config, VariableConfig) and not config.is_secret
    if not (open_ and isinstance(declared, VariableConfig) and not is_source(declared.value)):
        config = concealed(config, declared)
    return as_props(there.name, cast(Props, minimal(config)), there.description, there.tags, there.template)


def _announced(declared: Declared, checked: Props) -> Props:
    """Say in preview what exists already, and return what will be overwritten; a silent Core is no error here."""
    try:
        there = session.reachable_core().catalogue.by_name(declared.kind, declared.name)
    except HomeopsError as error:
        session.give_up_asking(error)
        return {}
    if there is None:
        return {}
    shown = _shown(declared.kind, there, checked)
    changed = differences(checked, shown)
    what = f'{declared.kind.name.lower()} "{declared.name}" exists in Komodo'
    if not changed:
        session.tell(f"{what} and equals the declaration: it will be adopted")
    elif _is_half_made(declared, changed):
        session.tell(f"{what}: it will be adopted, and given what it lacks\n{_listed(changed)}")
    elif checked.get(ADOPT) == OVERWRITE:
        session.tell(f"{what}: it will be adopted, and {len(changed)} fields overwritten\n{_listed(changed)}")
        return shown
    else:
        session.tell(f"{what} and differs, so pulumi up will refuse to adopt it\n{_listed(changed)}")
    return {}


def _made_all_the_same(core: Core, declared: Declared, error: HomeopsError) -> Live:
    """After a lost answer or a taken name: the object of that name, else the error."""
    core.catalogue.forget(declared.kind)
    there = core.catalogue.by_name(declared.kind, declared.name)
    if there is None:
        raise error
    return there


def _adopt(core: Core, declared: Declared, props: Props, there: Live) -> None:
    shown = _shown(declared.kind, there, props)
    changed = differences(props, shown)
    if not changed:
        return
    if props.get(ADOPT) != OVERWRITE and not _is_half_made(declared, changed):
        raise AdoptionRefused(
            Problem(
                f'{declared.kind.name.lower()} "{declared.name}"',
                f"exists in Komodo and differs in {len(changed)} fields; nothing was changed\n{_listed(changed)}",
                "declare Komodo's values, or overwrite them once with: pulumi config set homeops:adopt overwrite",
            )
        )
    if declared.kind is STACK:
        moves.leave(core, there.id, shown, props, session.tell)
    operations.update(core, declared, there, session.tell)


def _is_half_made(declared: Declared, changed: list[tuple[str, Any, Any]]) -> bool:
    """Whether only that lacks which is given after the creation itself, all of it untouched.

    One that was cut short; or a tag that Komodo made where it was first used (by a sync, say, whose TOML has no word
    for colours).
    """
    beside = declared.kind in (USER_GROUP, TAG)
    later = ("config.",) if beside else ("description", "tags", "template")
    return all(path.startswith(later) and not present for path, _, present in changed)


def _listed(changed: list[tuple[str, Any, Any]]) -> str:
    return "\n".join(
        f"    {path}: Komodo has {_value(have)}, declared is {_value(want)}" for path, want, have in changed
    )


def _value(value: Any) -> str:
    if value is None:
        return "the default"
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


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
