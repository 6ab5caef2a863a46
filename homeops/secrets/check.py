"""Everything that is wrong with the secrets of a repository, at once; needs no private key and changes nothing."""

from collections.abc import Sequence
from pathlib import Path

from homeops.secrets.consumers import consumers
from homeops.secrets.environments import StackEnvironment
from homeops.secrets.file_rules import (
    content_findings,
    documents,
    plaintext_findings,
    policy,
    private_key_findings,
    recipient_findings,
)
from homeops.secrets.finding import Finding
from homeops.secrets.git_tree import Tree, read_staged, read_tree
from homeops.secrets.key_rules import env_file_findings, needed_findings, unread_findings, variable_findings


def secret_findings(
    root: Path, stacks: Sequence[StackEnvironment] | None = None, *, staged: bool = False
) -> list[Finding]:
    """The findings for a checkout: what git tracks or would track; ``staged``: what the next commit will hold.

    ``stacks`` is what each stack is given besides its secrets; without it, variables that nothing sets and a ``.env``
    that nothing writes are not found.
    Raises ``ToolError`` when git fails.
    """
    return findings(read_staged(root) if staged else read_tree(root), stacks)


def findings(tree: Tree, stacks: Sequence[StackEnvironment] | None = None) -> list[Finding]:
    """The findings for a tree of files, in order of paths and lines. Pure."""
    read, found = documents(tree)
    if read:
        rules, wrong = policy(tree)
        found += wrong
        for path, document in read.items():
            found += content_findings(document, tree[path])
            if rules is not None:
                found += recipient_findings(document, tree[path], rules)
    elsewhere = [path for stack in stacks or () for path in stack.compose]
    services, wrong = consumers(tree, elsewhere)
    found += wrong
    found += plaintext_findings(tree)
    found += private_key_findings(tree)
    found += env_file_findings(tree, services, stacks)
    found += variable_findings(read, services, stacks)
    found += needed_findings(tree, read, services)
    found += unread_findings(read, services)
    return sorted(found, key=lambda finding: (finding.path, finding.line, finding.severity, finding.what))
