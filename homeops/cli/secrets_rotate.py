"""``homeops secrets rotate``: another age key in the place of one, a step at a time; each step may be repeated."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from homeops.cli.access import SettingsOf
from homeops.cli.checkout import checkout
from homeops.cli.screen import out, table_of
from homeops.cli.secrets_files import sops_here
from homeops.errors import HomeopsError, Problem, SecretsError
from homeops.fleet_graph import FLEET, declared_fleet
from homeops.hosts.age_key_holders import Holders
from homeops.hosts.age_key_rotation import add, drop
from homeops.model.host import AgeKey
from homeops.model.site import Site
from homeops.secrets import age_keys, rotation
from homeops.secrets.documents import read_document
from homeops.secrets.files import encrypted_files, shown
from homeops.secrets.operators_keys import add_to_file, key_file, operators_key
from homeops.secrets.policy import POLICY_FILE, Policy, policy_text, read_policy
from homeops.secrets.publication import unpublished
from homeops.secrets.recipients import bring_to_rule, readers
from homeops.secrets.rotation import Rotation
from homeops.secrets.rotation_standing import Standing, next_step, refuse_drop, refuse_retire
from homeops.secrets.sops import Sops
from homeops.settings import load_settings
from homeops.whole_file import write_whole


class Step(StrEnum):
    """The steps that homeops takes; between them, git publishes what they changed."""

    begin = "begin"
    install = "install"
    retire = "retire"
    drop = "drop"


def rotate(
    step: Annotated[Step | None, typer.Argument(help="What to do; without it, where the rotation stands.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Show where the rotation stands; the default.")] = False,
    old: Annotated[
        str, typer.Option("--old", metavar="RECIPIENT", help="begin: whose key is replaced, where there are several.")
    ] = "",
    without_host: Annotated[
        list[str] | None, typer.Option("--without-host", help="retire, drop: go on without this host.")
    ] = None,
    stack: SettingsOf = "prod",
) -> None:
    """Replace an age key so that no secret file is unreadable on any host at any moment.

    begin: a new key in your key file, its recipient beside the old one in .sops.yaml and all files. Commit and push.

    install: the new key beside the old one on every host that has the old one.

    retire: the old recipient out of .sops.yaml and all files, every value encrypted anew. Commit and push.

    drop: the old key off the hosts. What was committed before then needs your key file.

    Each step refuses to run before its time, and may be repeated.
    """
    if step and status:
        raise SecretsError(Problem("--status", "shows and does nothing", "homeops secrets rotate --status"))
    root = checkout()
    work = _Rotating(root, load_settings(stack, root), sops_here(root))
    if step is Step.begin:
        work.begin(old)
    elif step is Step.install:
        work.install()
    elif step is Step.retire:
        work.retire(frozenset(without_host or ()))
    elif step is Step.drop:
        work.drop(frozenset(without_host or ()))
    work.show()


@dataclass(frozen=True)
class _Rotating:
    """A checkout with its hosts, and the steps on them."""

    root: Path
    site: Site
    sops: Sops

    def begin(self, old: str) -> None:
        found = rotation.under_way(self._text)
        if found is None:
            found = self._new(self._replaced(old))
        elif old not in ("", found.old):
            raise SecretsError(
                Problem(POLICY_FILE, f"another rotation is under way: of {found.old}", "end that one first")
            )
        elif not rotation.concerned(self._policy(), found)[0]:
            raise SecretsError(Problem(POLICY_FILE, "this rotation is past that", "homeops secrets rotate --status"))
        self._write(rotation.begun(self._text, self._config, found))
        self._bring_to_rule()

    def install(self) -> None:
        found = self._rotation()
        new = self._key(found.new)
        lacking = self._standing(found).lacking()
        self._each(lacking, new, lambda quirk: add(quirk, age_keys.digest(new)))

    def retire(self, without: frozenset[str]) -> None:
        found = self._rotation()
        self._known(without)
        standing = self._standing(found)
        refuse_retire(standing, without)
        alone = self.sops.alone_with(age_keys.private_key(self._key(found.new)))
        policy = self._policy()
        for path in encrypted_files(self.root):
            if found.new in readers(path, policy, self.root).wanted:
                alone.decrypt(path)
        if standing.old_in_rules:
            self._write(rotation.retired(self._text, self._config, found))
        self._bring_to_rule()

    def drop(self, without: frozenset[str]) -> None:
        found = self._rotation()
        self._known(without)
        standing = self._standing(found)
        refuse_drop(standing)
        old, new = self._key(found.old), self._key(found.new)
        keeping = {name: keys for name, keys in standing.keeping().items() if name not in without}
        digests = age_keys.digest(old), age_keys.digest(new)
        self._each(keeping, old, lambda quirk: drop(quirk, found.old, *digests))
        self._write(rotation.ended(self._text))
        out.print(Text("the old key is still in your key file: what was committed before needs it"), soft_wrap=True)

    def show(self) -> None:
        found = rotation.under_way(self._text)
        if found is None:
            out.print("no rotation is under way")
            return
        standing = self._standing(found)
        out.print(Text(f"rotation: {found.old}\n       -> {found.new}"), soft_wrap=True)
        table = table_of("", "OLD", "NEW", "")
        files = encrypted_files(self.root)
        with_new = sum(found.new in read_document(path).recipients for path in files)
        table.add_row(POLICY_FILE, _yes(standing.old_in_rules), _yes(standing.new_in_rules), "")
        table.add_row(f"{len(files)} files", str(len(standing.with_old)), str(with_new), "")
        for name, keys in standing.hosts.items():
            cells = ("?", "?") if keys.problem else (_yes(keys.old), _yes(keys.new))
            table.add_row(name, *cells, Text(keys.problem, style="red"))
        out.print(table)
        command, why = next_step(standing)
        out.print(Text(f"next: {command}\n      ({why})"), soft_wrap=True)

    @property
    def _config(self) -> Path:
        return self.root / POLICY_FILE

    @property
    def _text(self) -> str:
        return policy_text(self.root)

    def _policy(self) -> Policy:
        return read_policy(self.root)

    def _write(self, text: str) -> None:
        if text != self._text:
            write_whole(self._config, text)
            out.print(f"{POLICY_FILE}: changed")

    def _rotation(self) -> Rotation:
        found = rotation.under_way(self._text)
        if found is None:
            raise SecretsError(Problem(POLICY_FILE, "no rotation is under way", "homeops secrets rotate begin"))
        return found

    def _replaced(self, old: str) -> str:
        """The recipient to replace: the only one, or the one that was named."""
        known = sorted({recipient for rule in self._policy().rules for recipient in rule.recipients})
        if old in known:
            return old
        if not old and len(known) == 1:
            return known[0]
        what = f"{old}: no rule names it" if old else "names several recipients, and which is replaced was not said"
        raise SecretsError(Problem(POLICY_FILE, what, " or ".join(f"--old {recipient}" for recipient in known)))

    def _new(self, old: str) -> Rotation:
        """A new pair in the operator's key file, once nothing that a later step needs is missing."""
        unpublished(self.root, self.site.repository.branch)
        policy = self._policy()
        for path in encrypted_files(self.root):
            found = readers(path, policy, self.root)
            if found.now != found.wanted:
                hint = "homeops secrets updatekeys"
                raise SecretsError(Problem(shown(path, self.root), "is not encrypted for whom its rule names", hint))
            self.sops.decrypt(path)
        self._key(old)
        place = key_file(self.sops.environ, Path.home())
        key = age_keys.generate(self.sops.environ)
        add_to_file(place, key)
        out.print(Text(f"{place}: the key of {key.recipient} added"), soft_wrap=True)
        return Rotation(old, key.recipient)

    def _bring_to_rule(self) -> None:
        policy = self._policy()
        for path in encrypted_files(self.root):
            found = bring_to_rule(self.sops, path, policy)
            if found.now != found.wanted:
                out.print(Text(f"{shown(path, self.root)}: changed"), soft_wrap=True)

    def _key(self, recipient: str) -> str:
        return operators_key(recipient, self.sops.environ, Path.home())

    @cached_property
    def _holders(self) -> Holders:
        fleet = declared_fleet(FLEET, self.site)
        quirks = ((host.name, quirk) for host in fleet.hosts for quirk in host.quirks)
        return Holders({name: quirk for name, quirk in quirks if isinstance(quirk, AgeKey)}, self.site, self.root)

    def _known(self, names: Iterable[str]) -> None:
        known = self._holders.quirks
        if wrong := sorted(set(names) - set(known)):
            hint = f"hosts with an age key: {', '.join(known)}"
            raise SecretsError(*(Problem(f"--without-host {name}", "no such host", hint) for name in wrong))

    def _each(self, names: Iterable[str], key: str, script: Callable[[AgeKey], str]) -> None:
        said, problems = self._holders.each(names, key, script)
        for line in said:
            out.print(Text(line), soft_wrap=True)
        if problems:
            raise HomeopsError(*problems)

    def _standing(self, found: Rotation) -> Standing:
        policy = self._policy()
        old_in_rules, new_in_rules = rotation.concerned(policy, found)
        read = [(path, readers(path, policy, self.root)) for path in encrypted_files(self.root)]
        digests = age_keys.digest(self._key(found.old)), age_keys.digest(self._key(found.new))
        ours = {found.old, found.new}
        return Standing(
            old_in_rules,
            new_in_rules,
            tuple(shown(path, self.root) for path, has in read if has.wanted & ours and found.new not in has.now),
            tuple(shown(path, self.root) for path, has in read if found.old in has.now),
            unpublished(self.root, self.site.repository.branch),
            self._holders.keys(*digests),
        )


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
