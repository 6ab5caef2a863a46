"""``homeops secrets list``, ``view``, ``set``, ``edit``, ``encrypt``, ``updatekeys``: secret files one by one."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from homeops.cli.access import RealFleet
from homeops.cli.checkout import checkout
from homeops.cli.screen import err, out, table_of
from homeops.errors import Problem, SecretsError
from homeops.fleet_graph import FLEET, declared_fleet
from homeops.programs import search_path
from homeops.secrets import dotenv
from homeops.secrets.documents import Document, read_document
from homeops.secrets.editing import encrypt_file, set_value, value_at
from homeops.secrets.files import encrypted_files, named_file, shown
from homeops.secrets.policy import read_policy
from homeops.secrets.readings import readings
from homeops.secrets.recipients import bring_to_rule
from homeops.secrets.sops import Sops, file_format
from homeops.settings import load_settings

File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A secret file, or the stack directory of one: nvr/frigate, frigate."),
]
_MASK = "********"
_SHORT = 12


def sops_here(root: Path) -> Sops:
    """Sops for a checkout."""
    return Sops(root, {**os.environ, "PATH": search_path(root, os.environ)})


def list_files(
    stack: RealFleet = "prod",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with recipients in full.")] = False,
) -> None:
    """Show the secret files: whose they are, their keys, who can read them. Needs no private key."""
    root = checkout()
    stacks = _stacks(root, stack)
    found = [(read_document(path), stacks.get(shown(path.parent, root), [])) for path in encrypted_files(root)]
    if as_json:
        typer.echo(json.dumps([_listed(document, names, root) for document, names in found], indent=2))
        return
    table = table_of("FILE", "STACKS", "KEYS", "RECIPIENTS")
    for document, names in found:
        keys = ", ".join(document.keys) if document.encrypted else Text("NOT ENCRYPTED", style="red")
        recipients = ", ".join(f"{recipient[:_SHORT]}..." for recipient in sorted(document.recipients))
        table.add_row(shown(document.path, root), ", ".join(names) or "-", keys, recipients or "-")
    out.print(table)


def view(
    file: File,
    key: Annotated[str, typer.Argument(metavar="KEY", help="One key; below the top: auth.users.0.")] = "",
    show: Annotated[bool, typer.Option("--show", help="Print the values. Without it they are masked.")] = False,
) -> None:
    """Show a secret file with its values masked, or with --show as they are.

    One value is printed as its reader gets it: of a dotenv file without the quotes, in a pipe without a line end.
    """
    root = checkout()
    path = named_file(file, root, Path.cwd())
    if not show:
        _masked(read_document(path), key, root)
    elif key:
        value = value_at(sops_here(root), path, key)
        typer.echo(value, nl=sys.stdout.isatty())
    else:
        typer.echo(sops_here(root).decrypt(path), nl=False)


def set_key(
    file: File,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key; below the top of JSON and YAML: auth.users.0.")],
    exact: Annotated[bool, typer.Option("--exact", help="Keep a line end at the end of standard input.")] = False,
    empty: Annotated[bool, typer.Option("--empty", help="Set the empty value.")] = False,
) -> None:
    """Set one value, read from standard input or asked for without being shown. A new file is made where there is none.

    Never an argument: those are seen by every process of this machine. One line end at the end is dropped.
    """
    root = checkout()
    path = named_file(file, root, Path.cwd())
    name = shown(path, root)
    value = "" if empty else _given(name, key, exact=exact)
    outcome = set_value(sops_here(root), path, key, value)
    if file_format(path) == "dotenv":
        _warn(path, name, key, value)
    out.print(Text(f"{name}: {key} {outcome}"), soft_wrap=True)


def edit(file: File) -> None:
    """Open a secret file, decrypted, in $EDITOR; it is encrypted again when the editor ends."""
    root = checkout()
    path = named_file(file, root, Path.cwd())
    changed = sops_here(root).edit(path)
    out.print(Text(f"{shown(path, root)}: {'changed' if changed else 'unchanged'}"), soft_wrap=True)


def encrypt(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A plain file: .env, NAME.json, or one named *.sops.*")],
) -> None:
    """Encrypt a plain file: .env becomes .sops.env, and is gone once that was read back and found whole."""
    root = checkout()
    source = Path.cwd() / file
    target = encrypt_file(sops_here(root), source)
    gone = "" if target == source else f"; {shown(source, root)} is removed"
    out.print(Text(f"{shown(target, root)}: encrypted{gone}"), soft_wrap=True)


def updatekeys(
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE...", help="Secret files; none: all.")] = None,
) -> None:
    """Encrypt files for exactly those that their rules in .sops.yaml name.

    Values keep their ciphertext when somebody is added; when somebody is removed, all are encrypted anew.
    """
    root = checkout()
    policy, sops = read_policy(root), sops_here(root)
    changed = 0
    paths = [named_file(file, root, Path.cwd()) for file in files or ()] or encrypted_files(root)
    for path in paths:
        found = bring_to_rule(sops, path, policy)
        for word, recipients in (("added", found.added), ("removed", found.removed)):
            for recipient in recipients:
                out.print(Text(f"{shown(path, root)}: {recipient} {word}"), soft_wrap=True)
        changed += found.now != found.wanted
    out.print(f"{changed} of {len(paths)} files changed", soft_wrap=True)


def _stacks(root: Path, stack: str) -> dict[str, list[str]]:
    """The names of the stacks in each directory."""
    found: dict[str, list[str]] = {}
    for declared in declared_fleet(FLEET, load_settings(stack, root)).stacks:
        found.setdefault(declared.path, []).append(declared.name)
    return found


def _listed(document: Document, stacks: Iterable[str], root: Path) -> dict[str, Any]:
    return {
        "file": shown(document.path, root),
        "stacks": list(stacks),
        "keys": list(document.keys),
        "recipients": sorted(document.recipients),
        "encrypted": document.encrypted,
    }


def _masked(document: Document, key: str, root: Path) -> None:
    name = shown(document.path, root)
    if not document.encrypted:
        raise SecretsError(Problem(name, "is not encrypted", f"homeops secrets encrypt {name}"))
    values = [value for value in document.values if not key or value.key == key]
    if key and not values:
        raise SecretsError(Problem(name, f'no key "{key}"', f"homeops secrets view {name}"))
    separator = "=" if document.format == "env" else ": "
    for value in values:
        out.print(Text(f"{value.key}{separator}{'' if value.state == 'empty' else _MASK}"), soft_wrap=True)


def _given(name: str, key: str, *, exact: bool) -> str:
    if sys.stdin.isatty():
        value = typer.prompt(f"{key}", default="", hide_input=True, show_default=False, err=True)
    else:
        try:
            value = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError:
            raise SecretsError(Problem(f"{name}: {key}", "the value is not UTF-8 text")) from None
        value = value if exact else value.removesuffix("\n")
    if not value:
        raise SecretsError(Problem(f"{name}: {key}", "the value is empty; nothing was changed", "--empty sets it"))
    return value


def _warn(path: Path, name: str, key: str, value: str) -> None:
    """Of a value that compose stumbles over where it reads the file for its own variables too."""
    if path.name == ".sops.env" and "raw" in readings(path) and dotenv.stops_compose(value):
        what = "compose fails on this value if it reads .env for its own variables, as in a stack without environment"
        err.print(
            Text(str(Problem(f"{name}: {key}", what, "name the file NAME.sops.env"))), style="yellow", soft_wrap=True
        )
