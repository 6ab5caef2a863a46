"""The control-plane stack as one has to know it to bring it up by hand, where and as Periphery would.

Where Periphery keeps the stack of a repository, and in which order it works, was read in
bin/periphery/src/stack/write.rs and bin/periphery/src/api/compose.rs, and seen in its logs: the checkout is
``<root directory>/stacks/<stack>``; the environment is written before the hook runs; compose runs in the run directory,
and what a compose file says of paths is relative to the first one's own directory.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from homeops.errors import FleetError, Problem
from homeops.komodo.secret_values import is_source
from homeops.model.config.stack import StackConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.conventions import DECRYPT
from homeops.model.environment import entries
from homeops.model.graph import Directories, Graph, Resource, StackFiles
from homeops.model.host import PERIPHERY_ROOT
from homeops.model.references import VARIABLE
from homeops.model.site import HostFacts, Site


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The stack of Core, every value settled.

    ``known_hosts``: the file of pinned host keys, relative to the checkout; empty: the operator's own.
    ``checkout``: the directory on the host that stands for the repository. ``run``: where compose runs; ``compose`` and
    ``env_file`` are relative to it. ``files`` (what the host needs) and ``secrets`` (those of them that are encrypted)
    are relative to the repository. ``environment``: ``KEY=value`` lines. ``hook``: a command that comes first, and its
    directory, where that is not the one that decrypts. ``core``, ``version``: what has to answer afterwards.
    ``pulumi_stack``: whose settings say so, for what people are told to type.
    """

    stack: str
    project: str
    host: str
    reach: HostFacts
    known_hosts: str
    checkout: str
    run: str
    files: tuple[str, ...]
    secrets: tuple[str, ...]
    compose: tuple[str, ...]
    environment: str
    env_file: str
    env_files: tuple[str, ...]
    hook: tuple[str, str]
    pull: bool
    arguments: tuple[str, ...]
    deadline: int
    one_shot: bool
    core: str
    version: str
    pulumi_stack: str = ""


def stack_directory(graph: Graph) -> str:
    """The directory of the control plane's files, relative to the repository."""
    config = _config(_stack(graph))
    return _in_repository(config, posixpath.dirname(_compose(config)[0]))


def control_plane(
    graph: Graph, site: Site, directories: Directories, *, periphery: str = PERIPHERY_ROOT
) -> ControlPlane:
    """What there is to know; raises FleetError when the graph has no such stack or one that only Core could fill."""
    stack = _stack(graph)
    config = _config(stack)
    if config.repo != site.repository.name or config.linked_repo or config.files_on_host or config.file_contents:
        raise _refused(stack, f"its files are not those of {site.repository.name}, so they cannot be sent from here")
    if config.compose_cmd_wrapper and {"pull", "up"} & set(config.compose_cmd_wrapper_include or ["up"]):
        raise _refused(stack, "its compose commands are wrapped (compose_cmd_wrapper), which is not repeated by hand")
    directory = stack_directory(graph)
    files = directories.get(directory, StackFiles())
    beside = (f"{directory}/{name}" for name in (*files.compose, *files.config, *files.secrets))
    declared = (_in_repository(config, path) for path in _compose(config))
    checkout = posixpath.normpath(posixpath.join(periphery, "stacks", _as_path(stack.name), config.clone_path))
    fill = _Filling(stack, graph)
    environment = "".join(f"{key}={value}\n" for key, value in _environment(fill(config.environment)))
    hook = (config.pre_deploy.path, fill(config.pre_deploy.command).strip())
    return ControlPlane(
        stack=stack.name,
        project=config.project_name or stack.name,
        host=config.server_id,
        reach=site.hosts[config.server_id],
        known_hosts=site.ssh.known_hosts if site.ssh else "",
        checkout=checkout,
        run=posixpath.normpath(posixpath.join(checkout, config.run_directory)),
        files=tuple(dict.fromkeys((*declared, *beside))),
        secrets=tuple(f"{directory}/{name}" for name in files.secrets),
        compose=tuple(_compose(config)),
        environment=environment,
        env_file=config.env_file_path,
        env_files=tuple(file.path for file in config.additional_env_files if file.path != config.env_file_path),
        hook=hook if hook[1] not in ("", DECRYPT) else ("", ""),
        pull=config.auto_pull,
        arguments=tuple(fill(argument) for argument in config.extra_args),
        deadline=stack.rollout.health_deadline,
        one_shot=bool(stack.rollout.one_shot),
        core=site.komodo.address,
        version=stack.rollout.core,
        pulumi_stack=site.stack,
    )


def _stack(graph: Graph) -> Resource:
    found = [stack for stack in graph.of("Stack") if stack.rollout.core]
    if len(found) != 1:
        names = ", ".join(stack.name for stack in found) or "none"
        raise FleetError(Problem("fleet", f"one stack has to be Core's own (it is: {names})", "control_plane=True"))
    return found[0]


def _config(stack: Resource) -> StackConfig:
    if not isinstance(stack.config, StackConfig):
        raise TypeError(f"{stack.kind} {stack.name} is not a stack")
    return stack.config


def _compose(config: StackConfig) -> list[str]:
    return config.file_paths or ["compose.yaml"]


def _in_repository(config: StackConfig, path: str) -> str:
    return posixpath.normpath(posixpath.join(config.run_directory, path))


def _as_path(name: str) -> str:
    """A name as Komodo makes it a directory's (client/core/rs/src/entities/mod.rs, to_path_compatible_name)."""
    return name.strip().replace(" ", "_").replace("\n", "_")


def _refused(stack: Resource, what: str, hint: str = "docs/recovery.md") -> FleetError:
    return FleetError(Problem(stack.where or "fleet", f'Stack "{stack.name}": {what}', hint))


class _Filling:
    """Puts Komodo's variables in place of ``[[NAME]]``; refuses those that nobody but Core knows."""

    def __init__(self, stack: Resource, graph: Graph) -> None:
        self.stack = stack
        configs = ((variable.name, variable.config) for variable in graph.of("Variable"))
        self.variables = {name: config for name, config in configs if isinstance(config, VariableConfig)}

    def __call__(self, text: str) -> str:
        if _config(self.stack).skip_secret_interp:
            return text
        return VARIABLE.sub(lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        config = self.variables.get(name)
        if config is None or config.is_secret or is_source(config.value):
            what = f"[[{name}]] is known to Core alone, and this stack has to start without Core"
            raise _refused(
                self.stack, what, "declare a Variable that is no secret, or put it into the stack's .sops.env"
            )
        return config.value


def _environment(text: str) -> Iterator[tuple[str, str]]:
    """The entries of an environment field; refuses what Komodo would refuse, by its line."""
    for number, line in enumerate(text.split("\n"), start=1):
        for key, value in entries(line):
            if not key:
                raise FleetError(Problem("fleet", f"line {number} of the control plane's environment is not KEY=value"))
            yield key, value
