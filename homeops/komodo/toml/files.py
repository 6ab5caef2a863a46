"""Files of declarations as a ResourceSync reads them: ``.toml`` files, and directories with all that are below."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from homeops.komodo.toml.findings import Effect, Finding
from homeops.komodo.toml.reader import Declared, Reading, read_toml
from homeops.model.graph import in_order
from homeops.model.names import VARIABLE_NAME, stored_name

TWICE = "declared already at"
"""How it begins what is told of a declaration that stands twice."""


def read_files(root: Path, paths: Iterable[str] = (".",)) -> Reading:
    """Read files and directories below ``root``, as ``resource_path`` names them.

    Every file is read, once, whatever is wrong with others; findings call it by its path relative to ``root``.
    """
    findings: list[Finding] = []
    files: dict[Path, None] = {}
    for path in paths:
        place = root / path
        if place.is_dir():
            found = sorted(file for file in place.rglob("*.toml") if file.is_file())
            if not found:
                what = "this directory holds no TOML file"
                findings.append(Finding(_shown(place, root), what, Effect.EMPTIES, "check the path before you sync"))
        elif place.is_file() and place.suffix == ".toml":
            found = [place]
        else:
            what = "this is not a TOML file" if place.exists() else "there is no such file or directory"
            hint = "a resource_path is a directory or a file that ends in .toml"
            findings.append(Finding(_shown(place, root), what, Effect.REJECTED, hint))
            continue
        for file in found:
            if file in files:
                what = "the file is read twice, by itself and with its directory"
                findings.append(Finding(_shown(file, root), what, Effect.FAILS, "name one of the two"))
            files[file] = None
    readings = [read_file(file, _shown(file, root)) for file in files]
    declared = [one for reading in readings for one in reading.declared]
    for reading in readings:
        findings += reading.findings
    return Reading(tuple(declared), (*findings, *of_all(declared)))


def _shown(place: Path, root: Path) -> str:
    relative = place.relative_to(root).as_posix()
    return relative if relative != "." else str(place)


def read_file(file: Path, shown: str) -> Reading:
    """Read one file; one that is not UTF-8 or cannot be read is a finding."""
    try:
        contents = file.read_bytes()
        text = contents.decode()
    except OSError as error:
        return Reading(findings=(Finding(shown, f"cannot be read ({error.strerror})", Effect.REJECTED),))
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        what = f"not UTF-8 (byte 0x{error.object[error.start]:02x})"
        hint = "save the file as UTF-8"
        return Reading(findings=(Finding(shown, what, Effect.REJECTED, hint, line=line, column=column),))
    return read_toml(text, shown)


def of_all(declared: Iterable[Declared]) -> Iterator[Finding]:
    """What is wrong with declarations taken together: names, names that stand twice, circles."""
    declared = list(declared)
    first: dict[tuple[str, str], Declared] = {}
    for one in declared:
        yield from _name(one)
        resource = one.resource
        other = first.setdefault(resource.key, one)
        if other is not one:
            same = replace(resource, where="") == replace(other.resource, where="")
            what = f"{TWICE} {other.place}, {'the same way' if same else 'otherwise than here'}"
            # Two that are the same are only in each other's way when they are first made (transcript 95).
            yield _finding(one, what, Effect.FAILS if same else Effect.UNSETTLED, "take one of them out")
    deployed = {key: one for key, one in first.items() if one.resource.deploy}
    _, circles = in_order(tuple(one.resource for one in deployed.values()))
    by_name = {one.resource.name: one for one in deployed.values()}
    for circle in circles:
        if all(name in by_name for name in circle):
            what = f"a circle of after: {' -> '.join(circle)}"
            yield _finding(by_name[circle[0]], what, Effect.ENDLESS, "take one of these out of after")


def _name(one: Declared) -> Iterator[Finding]:
    kind, name = one.resource.kind, one.resource.name
    if kind == "Variable":
        if not VARIABLE_NAME.fullmatch(name):
            what = "a variable's name is letters, digits and _, not starting with a digit"
            yield _finding(one, what, Effect.FAILS)
    elif kind != "UserGroup" and (stored := stored_name(kind, name)) != name:
        what = f'Komodo stores this name as "{stored}", and so creates and deletes it in turns'
        yield _finding(one, what, Effect.UNSETTLED, f'call it "{stored}"')


def _finding(one: Declared, what: str, effect: Effect, hint: str = "") -> Finding:
    subject = f'{one.resource.kind.lower()} "{one.resource.name}"'
    return Finding(one.place.file, what, effect, hint, line=one.place.line, subject=subject)
