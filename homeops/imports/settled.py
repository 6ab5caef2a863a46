"""What of all that was found can be a fleet: under Komodo's names, each once, without secrets, nothing dangling."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from homeops.errors import few
from homeops.imports.found import Found
from homeops.imports.hidden import Hidden, without_secrets
from homeops.imports.report import Note, Sort
from homeops.komodo.toml.groups import GroupConfig
from homeops.model.config.repo import RepoConfig
from homeops.model.config.server import ServerConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Resource, in_order
from homeops.model.host import periphery_address
from homeops.model.names import is_object_id, stored_name
from homeops.model.references import rename_references


@dataclass(frozen=True, slots=True)
class Settled:
    """The resources of the fleet, what is to be said of the rest, and where its secrets come from."""

    found: Sequence[Found]
    notes: Sequence[Note]
    exports: Sequence[str]


def settled(found: Sequence[Found]) -> Settled:
    """The resources that a fleet can declare. What is changed on the way, or left out, is noted."""
    notes: list[Note] = []
    kept = list(_once(_named(found, notes), notes))
    hidden = Hidden({one.resource.name for one in kept if one.resource.kind == "Variable"})
    plain: list[Found] = []
    for one in kept:
        config = hidden.without_secrets(one.resource, one.where)
        if config is not None:
            plain.append(replace(one, resource=replace(one.resource, config=config)))
    plain += [Found(resource) for resource in hidden.made]
    plain = [_declarable(one, notes) for one in plain]
    plain += _stand_ins(plain, notes)
    plain = _without_circles(_after_known(plain, notes), notes)
    return Settled(plain, (*notes, *hidden.notes), hidden.exports)


def _named(found: Sequence[Found], notes: list[Note]) -> list[Found]:
    """Everything under the name that Komodo stores, in references too."""
    stored = {
        one.resource.key: name
        for one in found
        if (name := stored_name(one.resource.kind, one.resource.name)) != one.resource.name
    }
    if not stored:
        return list(found)

    def renamed(kind: str, name: str) -> str:
        return stored.get((kind, name), name)

    changed: list[Found] = []
    for one in found:
        own = renamed(*one.resource.key)
        if own != one.resource.name:
            notes.append(Note(Sort.CHANGED, one.where, f'declared as "{own}", the name under which Komodo stores it'))
        resource = replace(
            one.resource,
            name=own,
            config=rename_references(one.resource.config, renamed),
            after=tuple(renamed("Stack", name) for name in one.resource.after),
        )
        changed.append(replace(one, resource=resource))
    return changed


def _once(found: Sequence[Found], notes: list[Note]) -> Iterator[Found]:
    first: dict[tuple[str, str], Found] = {}
    for one in found:
        other = first.setdefault(one.resource.key, one)
        if other is one:
            yield one
            continue
        alike = replace(one.resource, where="") == replace(other.resource, where="")
        place = other.where.partition(": ")[0]
        what = f"declared already at {place}, {'the same way' if alike else 'otherwise; that one is taken'}"
        notes.append(Note(Sort.FINDING if alike else Sort.LOST, one.where, what, "" if alike else "compare the two"))


def _declarable(one: Found, notes: list[Note]) -> Found:
    """Without what a declaration has no word for."""
    resource = one.resource
    config: KomodoModel = resource.config
    if isinstance(config, GroupConfig):
        config = config.group
        what = "its permissions on single resources"
        notes.append(Note(Sort.LOST, one.where, what, "Komodo keeps them; homeops neither sets nor removes any"))
    if resource.kind != "Stack" and (resource.deploy or resource.after):
        notes.append(Note(Sort.LOST, one.where, "its deploy and after: homeops deploys stacks only"))
        resource = replace(resource, deploy=False, after=())
    if unknown := [tag for tag in resource.tags if is_object_id(tag)]:
        notes.append(Note(Sort.LOST, one.where, f"tags that Komodo does not know any more: {', '.join(unknown)}"))
    tags = tuple(tag for tag in resource.tags if tag not in unknown)
    description = without_secrets(resource.description)
    if description != resource.description:
        notes.append(
            Note(Sort.CHANGED, one.where, "its description looks as if it holds a secret, which is not written")
        )
    return replace(one, resource=replace(resource, config=config, tags=tags, description=description))


def _stand_ins(found: Sequence[Found], notes: list[Note]) -> Iterator[Found]:
    """Declarations for servers and repos that are named, and were not in what was read."""
    known = {one.resource.key for one in found}
    users: dict[tuple[str, str], list[str]] = {}
    for one in found:
        for mention in one.resource.mentions():
            key = (mention.kind, mention.name)
            if mention.kind in ("Server", "Repo") and key not in known and not is_object_id(mention.name):
                users.setdefault(key, []).append(one.resource.name)
    for (kind, name), names in users.items():
        where = f'{kind.lower()} "{name}"'
        config: KomodoModel = RepoConfig()
        missing = "repository"
        if kind == "Server":
            config, missing = ServerConfig(enabled=True, address=periphery_address(name)), "address"
        users_of = few(list(dict.fromkeys(names)), 3)
        what = f"named by {users_of}, and not declared in what was read: its {missing} is still to be written"
        notes.append(Note(Sort.COMPLETE, where, what, "homeops import --core knows it"))
        yield Found(Resource(kind, name, config, where=where))


def _after_known(found: Sequence[Found], notes: list[Note]) -> list[Found]:
    stacks = {one.resource.name for one in found if one.resource.kind == "Stack"}
    kept: list[Found] = []
    for one in found:
        if unknown := [name for name in one.resource.after if name not in stacks]:
            what = f"after {', '.join(unknown)}: no such stack was read, and Komodo does not wait for it either"
            notes.append(Note(Sort.LOST, one.where, what))
            after = tuple(name for name in one.resource.after if name in stacks)
            one = replace(one, resource=replace(one.resource, after=after))
        kept.append(one)
    return kept


def _without_circles(found: Sequence[Found], notes: list[Note]) -> list[Found]:
    """Stacks that wait for each other in a circle: the last of them waits no more."""
    by_name = {one.resource.name: one for one in found if one.resource.kind == "Stack"}
    while True:
        waiting = [Resource("Stack", name, KomodoModel(), after=one.resource.after) for name, one in by_name.items()]
        _, circles = in_order(tuple(waiting))
        if not circles:
            break
        for circle in circles:
            one, first = by_name[circle[-2]], circle[-1]
            if first not in one.resource.after:
                continue
            what = f"after {first}, which closes a circle: {' -> '.join(circle)}"
            notes.append(Note(Sort.LOST, one.where, what, "a sync that deploys them never ends"))
            after = tuple(name for name in one.resource.after if name != first)
            by_name[circle[-2]] = replace(one, resource=replace(one.resource, after=after))
    return [by_name[one.resource.name] if one.resource.kind == "Stack" else one for one in found]
