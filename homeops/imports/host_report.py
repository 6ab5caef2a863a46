"""What ``homeops import --host`` says: each project that Komodo does not manage, what adopts it, what it would cost."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeops.compose.secret_files import plain_path
from homeops.imports.identifiers import identifiers
from homeops.imports.module_text import members_text
from homeops.imports.project_adoption import Adoption, SecretFile
from homeops.imports.projects import Container
from homeops.imports.python_text import Argument, Call, Code, Imports, source

_AUTO_PULL = ("# Images stay what they are. Without this line, a deploy pulls, and what was pulled anew is made anew.",)

_HEADLINES = {
    "repository": "its files go into the repository",
    "on-host": "its files stay on the host",
    "rewritten": "its compose file is gone: one is written from its containers",
    "none": "nothing can be said yet",
}


@dataclass(frozen=True, slots=True)
class HostReport:
    """What was found on a host.

    ``managed``: project to who manages it. ``loose``: containers without compose. ``unmanaged``: what the host's
    declaration says is left alone. ``asked``: why Core could not be asked, empty when it answered. ``variable``: the
    name of the host in homeops/fleet/hosts.py, empty when it has none. ``login``: how ssh gets there. ``taken``: names
    that the module which takes the stacks over has already.
    """

    host: str
    login: str
    compose_version: str
    adoptions: tuple[Adoption, ...]
    managed: Mapping[str, str]
    loose: tuple[Container, ...]
    unmanaged: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: str = ""
    variable: str = ""
    taken: frozenset[str] = frozenset()

    @property
    def module(self) -> str:
        """Where the declarations are written, relative to a checkout."""
        return f"homeops/fleet/{self.module_name}.py"

    @property
    def module_name(self) -> str:
        """The same as Python names it, in homeops.fleet."""
        return identifiers([f"adopted_{self.host}"], "module")[f"adopted_{self.host}"]

    @property
    def usable(self) -> tuple[Adoption, ...]:
        """Those that have a declaration."""
        return tuple(adoption for adoption in self.adoptions if adoption.form != "none")

    def files(self) -> dict[str, str]:
        """What is written, by path in a checkout: compose files, and one module with the declarations."""
        files = {path: text for adoption in self.usable for path, text in adoption.files.items()}
        return {self.module: self._module(), **files} if self.usable else {}

    def declarations(self) -> dict[str, str]:
        """Each stack's declaration as Python text, by the stack's name."""
        imports = Imports()
        return {adoption.name: self._declaration(adoption, imports) for adoption in self.usable}

    def _names(self) -> dict[str, str]:
        return identifiers((adoption.name for adoption in self.usable), "stack", {*self.taken, self.variable, "Stack"})

    def _declaration(self, adoption: Adoption, imports: Imports) -> str:
        variable = self._names()[adoption.name]
        host: Code | str = Code(self.variable) if self.variable else self.host
        arguments = [Argument(adoption.name), Argument(host, "host=")]
        for name, value in adoption.fields.items():
            arguments.append(Argument(value, f"{name}=", _AUTO_PULL if name == "auto_pull" else ()))
        call = Call("Stack", arguments, spread=True)
        return f"{variable} = {source(call, imports, before=len(variable) + 3)}\n"

    def _module(self) -> str:
        imports = Imports()
        imports.add("homeops.model.stack", "Stack")
        if self.variable:
            imports.add("homeops.fleet.hosts", self.variable)
        declarations = "\n".join(self._declaration(adoption, imports) for adoption in self.usable)
        title = f"Stacks that ran on {self.host} before Komodo managed them; stacks.py takes them over from here."
        members = members_text("STACKS", self._names().values())
        return f'"""{title}"""\n\n{imports.text()}\n\n{declarations}\n{members}'

    def document(self) -> dict[str, Any]:
        """As JSON.

        ``{"host", "compose", "komodo_asked", "projects": [{"project", "directory", "form", "kept", "containers":
        [{"name", "service", "image", "id", "outcome", "why"}], "stack", "declaration", "files": {path: text},
        "secrets": [{"path", "source", "keys"}], "variables": {name: where}, "notes"}], "managed": {project: by},
        "without_compose": [{"name", "image", "state"}], "left_alone": {name: reason}}``; ``komodo_asked`` is true, or
        says why not.
        """
        declarations = self.declarations()
        return {
            "host": self.host,
            "compose": self.compose_version,
            "komodo_asked": self.asked or True,
            "projects": [_document(adoption, declarations.get(adoption.name, "")) for adoption in self.adoptions],
            "managed": dict(self.managed),
            "without_compose": [
                {"name": container.name, "image": container.image, "state": container.state} for container in self.loose
            ],
            "left_alone": dict(self.unmanaged),
        }

    def lines(self) -> Iterator[str]:
        """For people. Compose files and declarations are part of it."""
        declarations = self.declarations()
        yield self._sum()
        if self.asked:
            yield f"Komodo was not asked, so stacks that only it has are listed as unmanaged:\n{_indented(self.asked)}"
        for project, by in self.managed.items():
            yield f"  {project}: {by}"
        for name, reason in self.unmanaged.items():
            yield f"  {name}: left alone, as the host's declaration says: {reason}"
        for adoption in self.adoptions:
            yield ""
            yield from _project_lines(adoption)
            if adoption.name in declarations:
                yield "  declaration:"
                yield _indented(declarations[adoption.name], 4)
                for path, text in adoption.files.items():
                    yield f"  {path}:"
                    yield _indented(text, 4)
            yield from _todo(adoption, self.login)
        if self.loose:
            yield ""
            yield "without compose, and not carried over (docker run made them, Komodo has no stack for such):"
            for container in self.loose:
                state = "" if container.state == "running" else f" ({container.state})"
                yield f"  {container.name}: {container.image}{state}"

    def _sum(self) -> str:
        count = len(self.adoptions)
        found = f"{self.host}: {_counted(count, 'compose project')} that Komodo does not manage"
        if count:
            kept = sum(adoption.kept for adoption in self.adoptions)
            found += f", {kept} of them adopted without making a container anew"
        managed = f"; {len(self.managed)} managed already" if self.managed else ""
        return f"{found}{managed}; {_counted(len(self.loose), 'container')} without compose"


def _project_lines(adoption: Adoption) -> Iterator[str]:
    files = adoption.project.files
    verdict = _verdict(adoption)
    yield f"{adoption.project.name} ({files.working_dir or 'directory unknown'}): {verdict}"
    yield f"  form: {_HEADLINES[adoption.form]}"
    if adoption.name != adoption.project.name:
        yield f"  stack: {adoption.name}; another stack has the project's name"
    for fate in adoption.fates:
        why = f": {fate.why}" if fate.why else ""
        container = fate.container
        yield f"  {container.service}: {container.image}, container {container.name} {_OUTCOMES[fate.outcome]}{why}"
    for note in adoption.notes:
        yield f"  note: {note}"


_OUTCOMES = {
    "kept": "stays",
    "recreated": "WILL BE MADE ANEW",
    "removed": "WILL BE REMOVED",
    "unknown": "may be made anew",
}


def _verdict(adoption: Adoption) -> str:
    if adoption.form == "none":
        return "cannot be adopted as it is"
    if adoption.kept:
        return "adopted as it runs, no container is made anew"
    anew = sum(fate.outcome != "kept" for fate in adoption.fates)
    return f"a deploy does not leave {anew} of {_counted(len(adoption.fates), 'container')} as they are"


def _todo(adoption: Adoption, login: str) -> Iterator[str]:
    if adoption.form == "none":
        yield "  to do: set right what compose says of its files, on the host, and run this again"
        return
    steps: list[str] = []
    for file in adoption.secrets:
        steps += _secret_steps(file, login)
    for name, where in adoption.variables.items():
        steps.append(f"declare the variable {name} in homeops/fleet/variables.py; its value: {where}")
    steps.append("put the declaration into homeops/fleet/stacks.py and its STACKS, commit, push, read the next preview")
    yield "  to do:"
    yield from (f"    {number}. {step}" for number, step in enumerate(steps, 1))


def _secret_steps(file: SecretFile, login: str) -> Iterator[str]:
    if file.source:
        plain = plain_path(Path(file.path))
        copy = f"{login} cat {shlex.quote(shlex.quote(file.source))} > {plain} && homeops secrets encrypt {plain}"
        yield f"{copy}\n       (keys: {', '.join(file.keys) or 'none'})"
        return
    for key, where in file.keys.items():
        yield f"homeops secrets set {file.path} {key}\n       (it asks for the value, which is {where})"


def _document(adoption: Adoption, declaration: str) -> dict[str, Any]:
    return {
        "project": adoption.project.name,
        "directory": adoption.project.files.working_dir,
        "form": adoption.form,
        "kept": adoption.kept,
        "containers": [
            {
                "name": fate.container.name,
                "service": fate.container.service,
                "image": fate.container.image,
                "id": fate.container.id,
                "outcome": fate.outcome,
                "why": fate.why,
            }
            for fate in adoption.fates
        ],
        "stack": adoption.name,
        "declaration": declaration,
        "files": dict(adoption.files),
        "secrets": [{"path": file.path, "source": file.source, "keys": dict(file.keys)} for file in adoption.secrets],
        "variables": dict(adoption.variables),
        "notes": list(adoption.notes),
    }


def stack_names(projects: Iterable[str], host: str, taken: Iterable[str]) -> dict[str, str]:
    """A name for each project's stack: the project's own, with the host before it where that is another's already."""
    used = set(taken)
    names: dict[str, str] = {}
    for project in projects:
        tries = (project, f"{host}-{project}", *(f"{host}-{project}-{number}" for number in range(2, len(used) + 3)))
        names[project] = next(name for name in tries if name not in used)
        used.add(names[project])
    return names


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _indented(text: str, by: int = 2) -> str:
    return "\n".join(f"{' ' * by}{line}" if line else "" for line in text.rstrip("\n").split("\n"))
