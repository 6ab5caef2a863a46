"""Who may read which secret file: the creation rules of ``.sops.yaml``, read as sops reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from yaml.nodes import MappingNode, Node, ScalarNode

from homeops.compose.nodes import Entry, Nodes, line_of
from homeops.errors import ComposeError, Problem, SecretsError

POLICY_FILE = ".sops.yaml"

# Recipients of other kinds that a rule of sops may have. Hosts hold an age key and nothing else.
_OTHER_KINDS = ("pgp", "kms", "aws_profile", "gcp_kms", "hckms", "azure_keyvault", "hc_vault_transit_uri", "hc_vault")


@dataclass(frozen=True, slots=True)
class Rule:
    """One creation rule: the paths that it is for, who may read the files there, and the rule's line.

    ``pattern`` is found anywhere in a path relative to the policy's directory; the empty one is found in every path.
    """

    pattern: re.Pattern[str]
    recipients: frozenset[str]
    line: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one ``.sops.yaml``, in order: the first whose pattern fits a path decides."""

    path: Path
    rules: tuple[Rule, ...]

    def rule(self, path: PurePath | str) -> Rule | None:
        """The rule for a path relative to the policy's directory; None: sops refuses to encrypt a file there."""
        text = PurePath(path).as_posix()
        return next((rule for rule in self.rules if rule.pattern.search(text)), None)

    def recipients(self, path: PurePath | str) -> frozenset[str] | None:
        """The age recipients that a file is for, by its path below the policy's directory; None without a rule."""
        rule = self.rule(path)
        return rule.recipients if rule else None


def read_policy(root: Path) -> Policy:
    """The policy of a repository. Raises ``SecretsError`` with every problem found, each with file and line."""
    return parse_policy(policy_text(root), root / POLICY_FILE)


def policy_text(root: Path) -> str:
    """The text of a repository's policy. Raises ``SecretsError`` when it cannot be read."""
    path = root / POLICY_FILE
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        hint = "it holds creation_rules: path_regex and age, see docs/secrets.md"
        raise SecretsError(Problem(str(path), "no such file: nothing says who may read which secret", hint)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SecretsError(Problem(str(path), f"cannot read it: {error}")) from error


def parse_policy(text: str, path: Path) -> Policy:
    """The policy that a text says; ``path`` is what messages name. Raises ``SecretsError``."""
    nodes = Nodes(str(path))
    try:
        top = nodes.mapping(nodes.root(text), "the file")
        entry = top.get("creation_rules")
        if entry is None:
            nodes.wrong(1, "no creation_rules: sops would encrypt nothing")
        items = nodes.items(entry.value, "creation_rules") if entry else []
        rules = tuple(rule for item in items if (rule := _rule(nodes, item)) is not None)
        nodes.refuse_if_wrong()
    except ComposeError as error:
        raise SecretsError(*error.problems) from error
    return Policy(path, rules)


def _rule(nodes: Nodes, node: Node) -> Rule | None:
    entries, line = nodes.mapping(node, "a creation rule"), line_of(node)
    _refuse_other_kinds(nodes, entries)
    recipients = frozenset(_recipients(nodes, entries))
    if not recipients:
        nodes.wrong(line, "the rule names no age recipient", "age: age1..., the public half of a key: age-keygen -y")
    text = nodes.text(entries.get("path_regex"), "path_regex")
    if "[[:" in text:
        # Go knows these, Python takes them for something else.
        nodes.wrong(entries["path_regex"].line, "path_regex has a class like [[:alnum:]]", "write [a-z0-9]")
        return None
    try:
        return Rule(re.compile(text), recipients, line)
    except re.error as error:
        nodes.wrong(entries["path_regex"].line, f"path_regex is not a regular expression: {error}")
        return None


def _recipients(nodes: Nodes, entries: dict[str, Entry]) -> Iterator[str]:
    # As in sops: key groups, where there are any, are all that counts.
    if "key_groups" not in entries:
        yield from _age(nodes, entries)
        return
    groups = nodes.items(entries["key_groups"].value, "key_groups")
    if len(groups) > 1:
        nodes.wrong(
            entries["key_groups"].line,
            "several key groups: a host would need a key of each",
            "put all recipients into one group",
        )
    for group in groups:
        members = nodes.mapping(group, "a key group")
        _refuse_other_kinds(nodes, members)
        yield from _age(nodes, members)


def _age(nodes: Nodes, entries: dict[str, Entry]) -> Iterator[str]:
    if "age" not in entries:
        return
    node = entries["age"].value
    for item in [node] if isinstance(node, ScalarNode) else nodes.items(node, "age"):
        yield from (word.strip() for word in nodes.text(item, "age").split(",") if word.strip())


def _refuse_other_kinds(nodes: Nodes, entries: dict[str, Entry]) -> None:
    for kind in _OTHER_KINDS:
        if kind in entries and not _is_empty(entries[kind].value):
            nodes.wrong(entries[kind].line, f"{kind}: recipients of this kind are not supported", "use age recipients")


def _is_empty(node: Node) -> bool:
    if isinstance(node, ScalarNode):
        return not node.value
    return not isinstance(node, MappingNode) and not node.value
