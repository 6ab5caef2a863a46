"""docs/secrets.md says what is so."""

import re
from pathlib import Path
from typing import get_args

import pytest

from homeops.secrets.finding import RuleName
from homeops.secrets.policy import parse_policy


@pytest.fixture
def text(root: Path) -> str:
    return (root / "docs" / "secrets.md").read_text(encoding="utf-8")


def test_every_rule_of_the_check_is_described_once(text: str) -> None:
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == sorted(get_args(RuleName))


def test_the_policies_shown_are_ones_and_the_first_is_that_of_the_repository(text: str, root: Path) -> None:
    shown = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "creation_rules" in block]
    one, each_host = (parse_policy(block, Path(".sops.yaml")) for block in shown)
    policy = parse_policy((root / ".sops.yaml").read_text(encoding="utf-8"), Path(".sops.yaml"))
    assert [(rule.pattern, rule.recipients) for rule in one.rules] == [
        (rule.pattern, rule.recipients) for rule in policy.rules
    ]
    (operator,) = policy.rules[0].recipients
    assert all(operator in rule.recipients for rule in each_host.rules)
    for path in root.glob("docker/stacks/*/*/*.sops.*"):
        below = path.relative_to(root)
        assert policy.recipients(below)
        host = below.parts[2]
        assert bool(each_host.recipients(below)) == (host in ("komodo", "nvr", "kasm", "shared"))
