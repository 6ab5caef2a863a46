"""The fleet: everything that is declared, checked as a whole and projected onto Komodo's objects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from homeops.errors import FleetError, Problem, nearest
from homeops.model.conventions import config_of, rollout
from homeops.model.declaration import Declaration
from homeops.model.graph import Directories, Graph, Resource, in_order
from homeops.model.host import Host
from homeops.model.names import VARIABLE_NAME, is_object_id, is_variable_value, stored_name
from homeops.model.patterns import matches
from homeops.model.resources import (
    Action,
    Alerter,
    Build,
    Builder,
    Deployment,
    Procedure,
    Repo,
    ResourceSync,
    Swarm,
    Tag,
    UserGroup,
    Variable,
)
from homeops.model.site import Site
from homeops.model.stack import Stack, name_of
from homeops.model.sync_rules import hopeless


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All declarations, by kind."""

    hosts: Sequence[Host] = ()
    stacks: Sequence[Stack] = ()
    swarms: Sequence[Swarm] = ()
    deployments: Sequence[Deployment] = ()
    builders: Sequence[Builder] = ()
    builds: Sequence[Build] = ()
    repos: Sequence[Repo] = ()
    procedures: Sequence[Procedure] = ()
    actions: Sequence[Action] = ()
    alerters: Sequence[Alerter] = ()
    syncs: Sequence[ResourceSync] = ()
    variables: Sequence[Variable] = ()
    tags: Sequence[Tag] = ()
    user_groups: Sequence[UserGroup] = ()

    def declarations(self) -> Iterator[Declaration]:
        """Every declaration, kind by kind."""
        for part in fields(self):
            yield from getattr(self, part.name)

    @property
    def protected(self) -> dict[str, str]:
        """Why a stack must not be deleted, by its name, for those that are protected."""
        return {stack.name: stack.protect.reason for stack in self.stacks if stack.protect is not None}


DECLARATIONS: Mapping[str, type[Declaration]] = {
    shape.kind: shape
    for shape in (
        Host,
        Stack,
        Swarm,
        Deployment,
        Build,
        Repo,
        Procedure,
        Action,
        Alerter,
        Builder,
        ResourceSync,
        Variable,
        Tag,
        UserGroup,
    )
}
"""What each kind is declared with."""


def resolve(fleet: Fleet, site: Site, directories: Directories) -> Graph:
    """The graph of Komodo objects; raises FleetError with every problem of the fleet at once."""
    problems: list[Problem] = []
    resources: list[Resource] = []
    hosts = {host.name: host.renamed_from for host in fleet.hosts}
    for declaration in fleet.declarations():
        problems += declaration.problems
        problems += _own_problems(declaration, site, directories, set(hosts))
        if not declaration.problems:
            resources.append(_resource(declaration, site, directories, hosts))
    ordered, circles = in_order(tuple(resources))
    graph = Graph(ordered)
    problems += _duplicates(fleet)
    problems += _former_names(fleet)
    problems += _site_problems(fleet, site)
    problems += _dangling(resources, fleet)
    problems += [_circle(graph, circle) for circle in circles]
    problems += _clashes(graph)
    problems += _control_plane(fleet, graph)
    problems += hopeless(graph)
    if problems:
        raise FleetError(*problems)
    return graph


def _resource(
    declaration: Declaration, site: Site, directories: Directories, former_hosts: Mapping[str, str]
) -> Resource:
    of_stack: dict[str, Any] = {}
    if isinstance(declaration, Stack):
        of_stack = {
            "deploy": not declaration.template,
            "after": tuple(name_of(stack) for stack in declaration.after),
            "rollout": rollout(declaration, site),
            "moved_from": declaration.moved_from,
            "former_host": former_hosts.get(declaration.host_name, ""),
        }
    return Resource(
        kind=declaration.kind,
        name=declaration.name,
        config=config_of(declaration, site, directories),
        description=declaration.description,
        tags=tuple(declaration.tags),
        template=declaration.template,
        where=declaration.where,
        former=declaration.renamed_from,
        **of_stack,
    )


def _own_problems(declaration: Declaration, site: Site, directories: Directories, hosts: set[str]) -> Iterator[Problem]:
    yield from _name_problems(declaration)
    if isinstance(declaration, Host) and declaration.name not in site.hosts:
        yield Problem(
            declaration.where,
            f"the site has no address for this host{nearest(declaration.name, site.hosts)}",
            f"add homeops:hosts: {declaration.name}: {{address: ..., sshUser: ...}} to this Pulumi stack's settings",
        )
    if isinstance(declaration, Builder):
        given = [name for name in ("hosts", "url", "aws") if getattr(declaration, name)]
        if len(given) != 1:
            yield Problem(declaration.where, "a builder has exactly one of hosts, url and aws")
    if isinstance(declaration, Variable) and not declaration.problems and not is_variable_value(declaration.value):
        yield Problem(declaration.where, "a variable holds one line of at most 10000 bytes, without control characters")
    if isinstance(declaration, Stack) and not declaration.problems:
        yield from _file_problems(declaration, directories, hosts)


def _file_problems(stack: Stack, directories: Directories, hosts: set[str]) -> Iterator[Problem]:
    if stack.model_fields_set & {"repo", "linked_repo", "file_contents", "files_on_host", "file_paths"}:
        return
    if not stack.directory and stack.host_name not in hosts:
        # The directory follows from the host, which is told as wrong already.
        return
    files = directories.get(stack.path)
    if files is None:
        yield Problem(
            stack.where,
            f"{stack.path} does not exist{nearest(stack.path, directories)}",
            f"make the directory with a compose.yaml, or give directory=... (host {stack.host_name})",
        )
    elif not files.compose:
        yield Problem(stack.where, f"{stack.path} holds no compose file", f"write {stack.path}/compose.yaml")


def _name_problems(declaration: Declaration) -> Iterator[Problem]:
    name, kind = declaration.name, declaration.kind
    stored = stored_name(kind, name)
    if not name:
        yield Problem(declaration.where, "the name is empty")
    elif kind == "Variable":
        if not VARIABLE_NAME.fullmatch(name):
            yield Problem(declaration.where, "a variable's name is letters, digits and _, not starting with a digit")
    elif stored != name:
        yield Problem(
            declaration.where,
            f'Komodo would store this name as "{stored}"',
            f'call it "{stored}"; a sync would otherwise delete and create it in turns',
        )
    elif is_object_id(name):
        yield Problem(
            declaration.where, "Komodo takes a name of 24 hexadecimal digits for an id", "choose another name"
        )


def _duplicates(fleet: Fleet) -> Iterator[Problem]:
    first: dict[tuple[str, str], Declaration] = {}
    for declaration in fleet.declarations():
        other = first.get((declaration.kind, declaration.name))
        if other is None:
            first[declaration.kind, declaration.name] = declaration
        else:
            yield Problem(
                declaration.where, f"declared already at {other.where.partition(': ')[0]}", "rename one of them"
            )


def _former_names(fleet: Fleet) -> Iterator[Problem]:
    names = {(declaration.kind, declaration.name) for declaration in fleet.declarations()}
    for declaration in fleet.declarations():
        if declaration.renamed_from and (declaration.kind, declaration.renamed_from) in names:
            yield Problem(
                declaration.where,
                f'renamed_from "{declaration.renamed_from}" is declared as well, so it was not renamed',
                "take renamed_from away, or the other declaration",
            )


def _site_problems(fleet: Fleet, site: Site) -> Iterator[Problem]:
    names = {host.name for host in fleet.hosts}
    for name in site.hosts:
        if name not in names:
            yield Problem(f"settings: homeops:hosts: {name}", f"no such host is declared{nearest(name, names)}")


def _dangling(resources: Sequence[Resource], fleet: Fleet) -> Iterator[Problem]:
    declared: dict[str, set[str]] = {}
    for declaration in fleet.declarations():
        declared.setdefault(declaration.kind, set()).add(declaration.name)
    for resource in resources:
        for mention in resource.mentions():
            names = declared.get(mention.kind, set())
            # A tag need not be declared: Komodo makes it when it is first used. A variable may be Komodo's own, or a
            # secret of a host.
            if mention.name in names or mention.kind in ("Tag", "Variable"):
                continue
            word = "host" if mention.kind == "Server" else mention.kind.lower()
            written = {"server_id": "host", "builder_id": "builder"}.get(mention.path, mention.path)
            known = f"{word}s: {', '.join(sorted(names))}" if names else f"no {word} is declared"
            yield Problem(
                resource.where,
                f'{written} "{mention.name}" is not a declared {word}{nearest(mention.name, sorted(names))}',
                known if len(known) < 200 else "",
            )


def _circle(graph: Graph, circle: tuple[str, ...]) -> Problem:
    first = next((resource for resource in graph.resources if resource.name == circle[0]), None)
    stacks = all(graph.get("Stack", name) for name in circle)
    return Problem(
        first.where if first else "",
        f"a circle: {' -> '.join(circle)}",
        "take one of these out of after=" if stacks else "take one of these references out",
    )


def _clashes(graph: Graph) -> Iterator[Problem]:
    first: dict[tuple[str, str], Resource] = {}
    for stack in graph.of("Stack"):
        key = (getattr(stack.config, "server_id", ""), getattr(stack.config, "project_name", ""))
        other = first.setdefault(key, stack)
        if other is not stack and all(key):
            yield Problem(
                stack.where,
                f'compose project "{key[1]}" on {key[0]} belongs to stack "{other.name}" already',
                "give project_name=...",
            )


def _control_plane(fleet: Fleet, graph: Graph) -> Iterator[Problem]:
    for stack in fleet.stacks:
        if not stack.control_plane:
            continue
        if stack.auto_update:
            yield Problem(stack.where, "auto_update is on, but Core cannot replace itself in the middle of an update")
    never = {stack.name: stack for stack in fleet.stacks if stack.control_plane or stack.never_batch}
    for procedure in graph.of("Procedure"):
        for pattern in _batch_patterns(procedure):
            for name, stack in never.items():
                if matches(pattern, name):
                    reason = stack.never_batch or "Core would restart in the middle of the procedure"
                    yield Problem(
                        procedure.where,
                        f'the pattern "{pattern}" takes in stack "{name}", which no batch may deploy: {reason}',
                        "name the stacks that it shall deploy",
                    )


def _batch_patterns(procedure: Resource) -> Iterator[str]:
    for part in getattr(procedure.config, "stages", ()):
        for row in part.executions:
            if type(row.execution).__name__ in ("BatchDeployStack", "BatchDeployStackIfChanged", "BatchDestroyStack"):
                yield row.execution.pattern
