"""Komodo's TOML to resources of the graph, and everything about it that Komodo would say nothing, or too little, of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from homeops.errors import nearest
from homeops.komodo.toml.findings import Effect, Finding, Scope, Source
from homeops.komodo.toml.groups import GroupConfig
from homeops.komodo.toml.structs import Struct, struct, type_and_params
from homeops.komodo.toml.syntax import Node, Table, parse
from homeops.komodo.toml.values import Read, Unfit, choice, flag, many, text
from homeops.model.canonical import canonical
from homeops.model.config.builder import UrlBuilder
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.fields import KomodoModel
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS, TAG, USER_GROUP, VARIABLE
from homeops.model.place import Place


@dataclass(frozen=True)
class Declared:
    """A resource as it was read, and where everything of it stands.

    ``resource.config`` is canonical, its ``model_fields_set`` what was declared. A UserGroup's is a
    GroupConfig where its table has permissions on single resources.
    """

    resource: Resource
    source: Source
    table: Table

    @property
    def place(self) -> Place:
        """Where its header stands."""
        return self.source.place(self.table.at)

    def places(self) -> dict[str, Place]:
        """Where each of its keys stands, by path as it is written: ``config.pre_deploy.command``, ``tags[1]``."""
        return {path: self.source.place(node.at) for path, node in _walk(self.table, "")}


@dataclass(frozen=True)
class Reading:
    """What was read, in the order of the text, and what was found."""

    declared: tuple[Declared, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources alone."""
        return tuple(one.resource for one in self.declared)

    @property
    def rejected(self) -> bool:
        """Whether Komodo would take none of it."""
        return any(finding.effect is Effect.REJECTED for finding in self.findings)


def read_toml(contents: str, file: str) -> Reading:
    """Read one text. ``file`` is what findings call it; all that can be read is read, whatever else is wrong."""
    source = Source(file, contents)
    root, errors = parse(source.parsed)
    findings = [source.broken(error.at, error.what, "") for error in errors]
    declared: list[Declared] = []
    kinds: dict[str, str] = {}
    for name, node in root.members.items():
        kind = _TABLES.get(name)
        scope = Scope(source)
        if kind is None:
            scope.find(node.at, *_unknown_table(name, node))
        elif kind in kinds:
            what = f"both [[{kinds[kind]}]] and [[{name}]] stand in this file"
            scope.find(node.at, what, Effect.REJECTED, f"write [[{kinds[kind]}]] everywhere")
        findings += scope.findings
        if kind is not None:
            kinds.setdefault(kind, name)
            for table in _tables(name, node, Scope(source, findings=findings)):
                declared += _declared(kind, table, source, findings)
    declared.sort(key=lambda one: one.table.at)
    findings.sort(key=lambda finding: finding.line)
    return Reading(tuple(declared), tuple(findings))


_TABLES = {table: kind.name for kind in KINDS.values() if kind is not TAG for table in (kind.table, f"{kind.table}s")}
"""The names of tables that Komodo reads. Tags have none: one exists once it is used."""


def _unknown_table(name: str, node: Node) -> tuple[str, Effect, str]:
    if not isinstance(node.value, list | Table):
        return f'the key "{name}" stands outside of any declaration', Effect.IGNORED, "move it below a [[table]]"
    times = f" (here and {len(node.value) - 1} times more)" if isinstance(node.value, list) and node.value[1:] else ""
    hint = {
        "tag": "a tag is made when a resource first carries it; its colour is set in Komodo",
        "git_provider": "accounts are set in Core's configuration or in its settings",
        "git_account": "accounts are set in Core's configuration or in its settings",
    }.get(name.removesuffix("s"), "")
    return f"Komodo knows no table [[{name}]]{nearest(name, _TABLES)}{times}", Effect.IGNORED, hint


def _tables(name: str, node: Node, scope: Scope) -> Iterator[Table]:
    nodes = [node] if isinstance(node.value, Table) else node.value
    if nodes is not node.value or not isinstance(nodes, list):
        scope.find(node.at, f"{name} must be a list of tables", Effect.REJECTED, f"write [[{name}]]")
    for item in nodes if isinstance(nodes, list) else ():
        if isinstance(item.value, Table):
            yield item.value
        else:
            scope.find(item.at, f"{name} must be a list of tables", Effect.REJECTED, f"write [[{name}]]")


def _declared(kind: str, table: Table, source: Source, findings: list[Finding]) -> Iterator[Declared]:
    scope = Scope(source, findings=findings)
    name = table.members.get("name")
    if name is None and table.broken:
        # Something of it was not read: the name perhaps.
        scope.subject = KINDS[kind].table
    elif name is None or not isinstance(name.value, str):
        what = "name is missing" if name is None else "name must be a text"
        # Everything else of the table is looked at all the same.
        scope.subject = KINDS[kind].table
        scope.find(name.at if name else table.at, what, Effect.REJECTED, 'write name = "..."')
    else:
        scope.subject = f'{kind.lower()} "{name.value}"'
    resource = _resource(kind, table, scope)
    if resource.name:
        yield Declared(resource, source, table)


def _resource(kind: str, table: Table, scope: Scope) -> Resource:
    values: dict[str, Any] = {}
    beside = _beside_config(kind)
    for key, node in table.members.items():
        if key == "config" and KINDS[kind].resource:
            continue
        read = beside.get(key)
        if read is None:
            _unknown_key(kind, key, node, scope)
            continue
        try:
            values[key] = read(node, scope)
        except Unfit as wrong:
            if key != "name":
                scope.find(wrong.at, f"{key}: {wrong.what}", Effect.REJECTED, wrong.hint)
    config = _config(kind, table, scope)
    return Resource(
        kind=kind,
        name=values.get("name", ""),
        config=canonical(config),
        description=values.get("description", ""),
        tags=tuple(values.get("tags", ())),
        template=values.get("template", False),
        deploy=values.get("deploy", False),
        after=tuple(values.get("after", ())),
        where=f"{scope.source.place(table.at)}: {scope.subject}",
    )


@cache
def _beside_config(kind: str) -> Mapping[str, Read]:
    """What stands directly in the table of a kind, apart from its config."""
    match kind:
        case VARIABLE.name:
            # value and is_secret are the configuration, and read as such.
            return {"name": text, "description": text, **dict.fromkeys(struct(VariableConfig).names, _left_to_config)}
        case USER_GROUP.name:
            return {"name": text, **dict.fromkeys(struct(GroupConfig).names, _left_to_config)}
        case _:
            return {
                "name": text,
                "description": text,
                "template": flag,
                "tags": many(text),
                "deploy": flag,
                "after": many(text),
            }


def _left_to_config(_node: Node, _scope: Scope) -> None:
    """A key that the configuration's reader takes."""


def _config(kind: str, table: Table, scope: Scope) -> KomodoModel:
    if not KINDS[kind].resource:
        config = _config_in_table(GroupConfig if kind == USER_GROUP.name else VariableConfig, table, scope)
        return config.group if isinstance(config, GroupConfig) and not config.permissions else config
    node = table.members.get("config")
    try:
        if kind == "Builder":
            return UrlBuilder() if node is None else _builder(node, scope)
        config = _config_table(kind, node or Node(table.at, Table(table.at, "path")), scope)
    except Unfit as wrong:
        scope.find(wrong.at, f"config: {wrong.what}", Effect.REJECTED, wrong.hint)
        return UrlBuilder() if kind == "Builder" else KINDS[kind].shape()
    if isinstance(config, ResourceSyncConfig) and not _has_files(config):
        what = "a sync with its text in file_contents, or without any source, is left out of every sync"
        scope.find(table.at, what, Effect.IGNORED, "give it repo, linked_repo or files_on_host, or make it in Komodo")
    return config


def _config_table(kind: str, node: Node, scope: Scope) -> KomodoModel:
    shape = struct(KINDS[kind].shape)
    if not isinstance(node.value, Table):
        raise Unfit(node.at, "must be one table", f"write [{KINDS[kind].table}.config]")
    return shape(node, scope)


def _config_in_table(model: type[KomodoModel], table: Table, scope: Scope) -> KomodoModel:
    """The configuration of a kind whose fields stand in the table itself."""
    names = struct(model).names
    own = Table(table.at, "header", {key: node for key, node in table.members.items() if key in names})
    return struct(model)(Node(table.at, own), scope)


def _builder(node: Node, scope: Scope) -> KomodoModel:
    members = get_args(get_args(KINDS["Builder"].shape)[0])
    by_type = {member.model_fields["type"].default: member for member in members}
    type_, params = type_and_params(node, scope, choice(tuple(by_type), {}))
    model = by_type[type_]
    return model.model_construct({"type", "params"}, type=type_, params=_params(model)(params, scope))


def _params(model: type[KomodoModel]) -> Struct:
    return struct(model.model_fields["params"].annotation)  # pyright: ignore[reportArgumentType]


def _has_files(sync: ResourceSyncConfig) -> bool:
    return bool(sync.files_on_host or sync.repo or sync.linked_repo) and not sync.file_contents


def _unknown_key(kind: str, key: str, node: Node, scope: Scope) -> None:
    own = KINDS[kind]
    fields = struct(own.shape).names if own.resource and kind != "Builder" else {}
    hint = f"move it below [{own.table}.config]" if key in fields else ""
    known = [*_beside_config(kind), *(["config"] if own.resource else [])]
    what = f'unknown key "{key}"' + ("" if hint else nearest(key, known))
    scope.find(node.at, what, Effect.IGNORED, hint)


def _walk(table: Table, prefix: str) -> Iterator[tuple[str, Node]]:
    for key, node in table.members.items():
        path = f"{prefix}{key}"
        yield path, node
        if isinstance(node.value, Table):
            yield from _walk(node.value, f"{path}.")
        elif isinstance(node.value, list):
            for place, item in enumerate(node.value):
                yield f"{path}[{place}]", item
                if isinstance(item.value, Table):
                    yield from _walk(item.value, f"{path}[{place}].")
