"""The settings of an imported fleet, as the text of a Pulumi.<stack>.yaml."""

from typing import Any

import yaml

from homeops.imports.facts import Facts
from homeops.settings import NAMESPACE

_SAID = {
    "komodo": "Where Core answers, and where people open it.",
    "deploy": "Stacks are compared and adopted, and not deployed, until this is true.",
    "repository": "Where Komodo pulls compose files from: the repository that most stacks name.",
    "network": "Not known to Komodo, and used by nothing of an imported fleet: write your own.",
    "versions": "Those of the settings that stood here before; komodo is that of the Core that was asked, if one was.",
    "hosts": "Addresses as Komodo has them. SSH is used once there is a block homeops:ssh (docs/hosts.md).",
}


def settings_text(facts: Facts, source: str) -> str:
    """The whole file; ``source`` says where it comes from."""
    blocks = [f"# Settings of the fleet imported from {' '.join(source.split())}.\nconfig:\n"]
    for name, block in facts.settings().items():
        blocks.append(f"  # {_SAID[name]}\n{_indented({f'{NAMESPACE}:{name}': block})}")
    return "".join(blocks)


def _indented(block: dict[str, Any]) -> str:
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=1000)
    return "".join(f"  {line}\n" for line in text.splitlines())
