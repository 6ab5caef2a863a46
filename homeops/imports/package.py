"""The modules of a fleet package, as text: hosts, stacks by their host, and one module for each other sort of thing."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from homeops.imports.declarations import PERIPHERY, Declared
from homeops.imports.identifiers import identifiers
from homeops.imports.module_text import members_text, module_text
from homeops.imports.python_text import Argument, Call, Code, Imports, Members, source, stage_call, width
from homeops.model.config.procedure import ProcedureStage
from homeops.model.fleet import DECLARATIONS


@dataclass(frozen=True, slots=True)
class Comments:
    """What a person wrote about a declaration: above it, above single fields, and about nothing in particular."""

    above: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, slots=True)
class Entry:
    """A declaration with its comments, without their ``#``."""

    declared: Declared
    comments: Comments = field(default_factory=Comments)


_PARTS = {
    "Swarm": ("swarms", "swarms"),
    "Deployment": ("deployments", "deployments"),
    "Builder": ("builds", "builders"),
    "Build": ("builds", "builds"),
    "Repo": ("repos", "repos"),
    "Procedure": ("procedures", "procedures"),
    "Action": ("actions", "actions"),
    "Alerter": ("alerters", "alerters"),
    "ResourceSync": ("syncs", "syncs"),
    "Variable": ("variables", "variables"),
    "Tag": ("tags", "tags"),
    "UserGroup": ("user_groups", "user_groups"),
}
"""Module and field of ``Fleet`` of each kind that is declared in one module."""

FIELDS = {"Server": "hosts", "Stack": "stacks", **{kind: part for kind, (_, part) in _PARTS.items()}}
"""The field of ``Fleet`` of each kind."""

_SAID = {
    "hosts": "Hosts. Their addresses and SSH users are facts of the site: Pulumi.<stack>.yaml.",
    "stacks": """All stacks, by host.

A ``project_name`` that is empty is what Komodo has: the compose project is called as the stack is. Taken away, the name
is pinned, and a stack that is renamed keeps its volumes.
""",
    "swarms": "Docker swarms.",
    "deployments": "Single containers.",
    "builds": "Where images are built, and which.",
    "repos": "Git checkouts on hosts.",
    "procedures": "Jobs, on a schedule and by hand.",
    "actions": "TypeScript programs that Core runs.",
    "alerters": "Where alerts go.",
    "syncs": "Komodo's own appliers of declarations.",
    "variables": "What ``[[NAME]]`` stands for.",
    "tags": "Tags and their colours.",
    "user_groups": "Groups of users.",
}
NOWHERE = "elsewhere"
"""The module of stacks that are on no host."""


def package(entries: Iterable[Entry], made_from: str) -> dict[str, str]:
    """The text of each module by its path in the package. ``made_from`` is said in the first line of ``__init__``."""
    by_kind: dict[str, list[Entry]] = {kind: [] for kind in DECLARATIONS}
    for entry in entries:
        by_kind[entry.declared.kind].append(entry)
    hosts = identifiers((entry.declared.name for entry in by_kind["Server"]), "host", _GIVEN)
    files: dict[str, str] = {}
    if by_kind["Server"]:
        files["hosts.py"] = _hosts_module(by_kind["Server"], hosts)
    stacks: dict[str, list[Entry]] = {}
    for entry in by_kind["Stack"]:
        stacks.setdefault(_place(entry.declared), []).append(entry)
    modules = identifiers(stacks, "host")
    for place, found in stacks.items():
        files[f"stacks/{modules[place]}.py"] = _stacks_module(place, found, hosts)
    if stacks:
        files["stacks/__init__.py"] = _stacks_init(sorted(modules.values()))
    modules_of = {module: [kind for kind in _PARTS if _PARTS[kind][0] == module] for module, _ in _PARTS.values()}
    for module, kinds in modules_of.items():
        if any(by_kind[kind] for kind in kinds):
            files[f"{module}.py"] = _plain_module(module, {kind: by_kind[kind] for kind in kinds}, hosts)
    files["__init__.py"] = _init(by_kind, made_from)
    return dict(sorted(files.items()))


def _stacks_module(place: str, entries: Sequence[Entry], hosts: Mapping[str, str]) -> str:
    """The module of the stacks of one host. ``hosts``: the variable of each host that ``..hosts`` declares."""
    scope = _Scope(hosts=hosts, hosts_module="..hosts")
    names = identifiers((entry.declared.name for entry in entries), "stack", {*_GIVEN, *hosts.values()})
    parts: list[str] = []
    for entry in entries:
        parts.append(_assigned(names[entry.declared.name], entry, scope))
        scope.above[entry.declared.name] = names[entry.declared.name]
    title = f"Stacks of {place}." if place != NOWHERE else "Stacks that are on no host."
    return module_text(title, scope.imports, [*parts, members_text("STACKS", names.values())])


_GIVEN = frozenset({"stage"})
"""Names that modules import, which no variable may have."""


@dataclass
class _Scope:
    """What can be named in a module: its imports, the variables of hosts, and the stacks declared above."""

    imports: Imports = field(default_factory=Imports)
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    hosts_module: str = ".hosts"
    above: dict[str, str] = field(default_factory=dict[str, str])

    def host(self, name: str) -> Code | str:
        """The variable of a host, or its name where there is none."""
        if name not in self.hosts:
            return name
        self.imports.add(self.hosts_module, self.hosts[name])
        return Code(self.hosts[name])


def _hosts_module(entries: Sequence[Entry], hosts: Mapping[str, str]) -> str:
    scope = _Scope()
    scope.imports.add_class(type(PERIPHERY))
    periphery = (
        "# Komodo does not know how Periphery runs. Nothing depends on it until homeops manages the hosts over SSH.\n"
        f"PERIPHERY = {source(PERIPHERY, scope.imports)}\n"
    )
    parts = [_assigned(hosts[entry.declared.name], entry, scope) for entry in entries]
    return module_text(_SAID["hosts"], scope.imports, [periphery, *parts, members_text("HOSTS", hosts.values())])


def _plain_module(module: str, by_kind: Mapping[str, Sequence[Entry]], hosts: Mapping[str, str]) -> str:
    scope = _Scope(hosts=hosts)
    parts: list[str] = []
    for kind, entries in by_kind.items():
        members = [Argument(_call(entry, scope), comments=_above(entry)) for entry in entries]
        if members:
            name = _PARTS[kind][1].upper()
            parts.append(f"{name} = {source(Members(members), scope.imports, before=len(name) + 3)}\n")
    return module_text(_SAID[module], scope.imports, parts)


def _stacks_init(modules: Sequence[str]) -> str:
    imports = Imports({".": set(modules)})
    return module_text(_SAID["stacks"], imports, [members_text("STACKS", (f"*{module}.STACKS" for module in modules))])


def _init(by_kind: Mapping[str, Sequence[Entry]], made_from: str) -> str:
    imports = Imports()
    imports.add("homeops.model.fleet", "Fleet")
    imports.add("homeops.model.site", "Site")
    lines: list[str] = []
    for kind, module, part in (
        ("Server", "hosts", "hosts"),
        ("Stack", "stacks", "stacks"),
        *((kind, *place) for kind, place in _PARTS.items()),
    ):
        if by_kind[kind]:
            imports.add(f".{module}", part.upper())
            lines.append(f"        {part}={part.upper()},\n")
    fleet = f"Fleet(\n{''.join(lines)}    )" if lines else "Fleet()"
    declare = f'def declare(_site: Site) -> Fleet:\n    """The fleet."""\n    return {fleet}\n'
    return module_text(f"This homelab: what the owner edits.\n\n{made_from}\n", imports, [declare])


def _assigned(variable: str, entry: Entry, scope: _Scope) -> str:
    call = _call(entry, scope)
    text = f"{variable} = {source(call, scope.imports, before=width(variable) + 3)}\n"
    return "".join(f"{line}\n" for line in _above(entry)) + text


_MANY = 2
"""Fields up to which a declaration stands on one line."""

_WRITTEN_AS = {
    "server_id": "host",
    "server_ids": "hosts",
    "environment": "env",
    "build_path": "directory",
    "build_args": "args",
    "builder_id": "builder",
}
"""Fields of Komodo that a declaration may say in another way."""


def _call(entry: Entry, scope: _Scope) -> Call:
    one = entry.declared
    notes = dict(_field_comments(entry))
    arguments = [Argument(one.name)]
    for name, value in one.fields.items():
        arguments.append(Argument(_shown(name, value, scope), f"{name}=", _hashed(notes.get(name, ()))))
    name = scope.imports.add_class(DECLARATIONS[one.kind])
    return Call(name, arguments, spread=len(one.fields) > _MANY)


def _field_comments(entry: Entry) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, lines in entry.comments.fields.items():
        found = next((key for key in (name, _WRITTEN_AS.get(name, "")) if key in entry.declared.fields), None)
        if found:
            yield found, lines


def _above(entry: Entry) -> tuple[str, ...]:
    """The comments above a declaration, those of fields that it does not give included."""
    kept = {name for name, _ in _field_comments(entry)}
    rest = [
        line
        for name, lines in entry.comments.fields.items()
        if name not in kept and _WRITTEN_AS.get(name) not in kept
        for line in lines
    ]
    return _hashed((*entry.comments.above, *rest))


_DIRECTIVE = re.compile(r"\s*(?:noqa|type:|fmt:|pyright:|ruff:|isort:|pylint:|mypy:|yapf:|!|-\*-)", re.IGNORECASE)
"""How a comment begins that would tell a tool something."""


def _hashed(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        f"# > {line.strip()}" if _DIRECTIVE.match(line) else f"# {line}".rstrip()
        for line in ("".join(part if part.isprintable() else " " for part in line) for line in lines)
    )


def _shown(name: str, value: Any, scope: _Scope) -> Any:
    match name, value:
        case "periphery", _ if value is PERIPHERY:
            return Code("PERIPHERY")
        case "host", str():
            return scope.host(value)
        case "hosts", list():
            return [scope.host(host) for host in cast(list[str], value)]
        case "after", list():
            return [Code(scope.above[one]) if one in scope.above else one for one in cast(list[str], value)]
        case "stages", list():
            return [stage_call(one, scope.imports) for one in cast(list[ProcedureStage], value)]
        case _:
            return value


def _place(one: Declared) -> str:
    """The host or the swarm that a stack is on."""
    return str(one.fields.get("host") or one.fields.get("swarm_id") or NOWHERE)
