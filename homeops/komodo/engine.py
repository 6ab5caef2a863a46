"""What the provider does for an object of any kind: check, create or adopt, read, update, delete."""

from collections.abc import Mapping
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult
from pulumi.output import Unknown
from pydantic import ValidationError

from homeops.errors import AdoptionRefused, HomeopsError, KomodoConflict, KomodoUnreachable
from homeops.komodo import moves, operations, session
from homeops.komodo.comparison import choice, counted, declared_as, listed, props_of, refused, remembered_as, shown
from homeops.komodo.documents import Live
from homeops.komodo.operations import Declared
from homeops.komodo.props import ADOPT, OVERWRITE, Props, differences
from homeops.komodo.secret_values import is_source, plain_secrets
from homeops.komodo.session import Core
from homeops.model.config.variable import VariableConfig
from homeops.model.kinds import KINDS, STACK, TAG, USER_GROUP


def check(kind: str, olds: Props, news: Props) -> CheckResult:
    """The inputs in canonical form, or all that is wrong with them; ``olds`` is empty for a new object."""
    if _has_unknown(news):
        return CheckResult(news, [])
    try:
        declared = declared_as(KINDS[kind], news)
    except ValidationError as error:
        failures = [
            CheckFailure(".".join(("config", *map(str, detail["loc"]))), detail["msg"]) for detail in error.errors()
        ]
        return CheckResult(news, failures)
    if secrets := _plain_secrets(declared):
        text = "a secret would stand in Pulumi's state\n  hint: give it as env:NAME, and export NAME"
        return CheckResult(news, [CheckFailure(f"config.{field}", text) for field in secrets])
    checked = props_of(declared)
    if news.get(ADOPT):
        checked[ADOPT] = news[ADOPT]
    before = olds or _announced(declared, checked)
    if kind == "Stack" and before and (problem := moves.refusal(before, news)):
        return CheckResult(news, [CheckFailure("", str(problem))])
    return CheckResult(checked, [])


def create(core: Core, kind: str, props: Props) -> str:
    """Create the object or take over the one of that name; its id. Raises AdoptionRefused when that one differs."""
    declared = declared_as(KINDS[kind], props)
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
    return None if there is None else shown(KINDS[kind], there, props)


def update(core: Core, kind: str, id_: str, olds: Props, news: Props) -> None:
    """Send what changed."""
    before = remembered_as(KINDS[kind], olds)
    if kind == "Stack":
        moves.leave(core, id_, olds, news, session.tell)
    is_ = Live(id_, before.name, before.config, before.description, before.tags, before.template)
    operations.update(core, declared_as(KINDS[kind], news), is_, session.tell)


def delete(core: Core, kind: str, id_: str, props: Mapping[str, Any]) -> None:
    """Delete the object, saying what becomes of its containers."""
    operations.delete(core, KINDS[kind], id_, str(props.get("name", id_)), session.tell)


def _plain_secrets(declared: Declared) -> list[str]:
    config = declared.config
    if isinstance(config, VariableConfig):
        return ["value"] if config.is_secret and config.value and not is_source(config.value) else []
    return plain_secrets(config)


def _announced(declared: Declared, checked: Props) -> Props:
    """Say in preview what exists already, and return what will be overwritten; a silent Core is no error here."""
    try:
        there = session.reachable_core().catalogue.by_name(declared.kind, declared.name)
    except HomeopsError as error:
        session.give_up_asking(error)
        return {}
    if there is None:
        return {}
    live = shown(declared.kind, there, checked)
    changed = differences(checked, live)
    what = f'{declared.kind.name.lower()} "{declared.name}" exists in Komodo'
    if not changed:
        session.tell(f"{what} and equals the declaration: it will be adopted")
    elif _is_half_made(declared, changed):
        session.tell(f"{what}: it will be adopted, and given what it lacks\n{listed(changed)}")
    elif checked.get(ADOPT) == OVERWRITE:
        session.tell(f"{what}: it will be adopted, and {counted(changed)} overwritten\n{listed(changed)}")
        return live
    else:
        hint = choice(declared.kind, declared.name, session.pulumi_stack())
        session.tell(f"{what} and differs, so pulumi up will refuse to adopt it\n{listed(changed)}\n  hint: {hint}")
    return {}


def _made_all_the_same(core: Core, declared: Declared, error: HomeopsError) -> Live:
    """After a lost answer or a taken name: the object of that name, else the error."""
    core.catalogue.forget(declared.kind)
    there = core.catalogue.by_name(declared.kind, declared.name)
    if there is None:
        raise error
    return there


def _adopt(core: Core, declared: Declared, props: Props, there: Live) -> None:
    live = shown(declared.kind, there, props)
    changed = differences(props, live)
    if not changed:
        return
    if props.get(ADOPT) != OVERWRITE and not _is_half_made(declared, changed):
        raise AdoptionRefused(refused(declared.kind, declared.name, changed, session.pulumi_stack()))
    if declared.kind is STACK:
        moves.leave(core, there.id, live, props, session.tell)
    operations.update(core, declared, there, session.tell)


def _is_half_made(declared: Declared, changed: list[tuple[str, Any, Any]]) -> bool:
    """Whether only that lacks which is given after the creation itself, all of it untouched.

    One that was cut short; or a tag that Komodo made where it was first used (by a sync, say, whose TOML has no word
    for colours).
    """
    beside = declared.kind in (USER_GROUP, TAG)
    later = ("config.",) if beside else ("description", "tags", "template")
    return all(path.startswith(later) and not present for path, _, present in changed)


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
