"""Which age key a host has to hold follows from the rules and the stacks; where it does not, that is told."""

from pathlib import Path

import pytest

from homeops.hosts.reach import HostError
from homeops.hosts.recipients import age_recipient
from homeops.model.graph import StackFiles
from homeops.model.stack import Stack
from homeops.secrets.policy import Policy, parse_policy

OPERATOR = "age1y6dnshya496nf3072zudw3vd33723v02g3tfvpt563zng0xd9ghqwzj5xk"
ONE = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z"
TWO = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def policy(*rules: tuple[str, str]) -> Policy:
    lines = "".join(f"  - path_regex: ^docker/stacks/{path}/\n    age: {keys}\n" for path, keys in rules)
    return parse_policy(f"creation_rules:\n{lines}", Path(".sops.yaml"))


STACKS = [Stack("a", host="one"), Stack("b", host="two"), Stack("c", host="one", directory="shared/c")]
FILES = {f"docker/stacks/{path}": StackFiles(secrets=(".sops.env",)) for path in ("one/a", "two/b", "shared/c")}


def test_one_key_for_all_is_each_hosts() -> None:
    shared = policy((".*", OPERATOR))
    assert {age_recipient(host, STACKS, FILES, shared) for host in ("one", "two", "empty")} == {OPERATOR}


def test_a_hosts_own_key_is_the_one_that_cannot_read_everything() -> None:
    own = policy(("one", f"{OPERATOR},{ONE}"), ("two", f"{OPERATOR},{TWO}"), ("shared", f"{OPERATOR},{ONE},{TWO}"))
    assert age_recipient("one", STACKS, FILES, own) == ONE
    assert age_recipient("two", STACKS, FILES, own) == TWO


def test_files_that_no_one_key_reads_are_told() -> None:
    with pytest.raises(HostError, match=r"^one: which age key it has to hold is not clear from \.sops\.yaml: none\n"):
        age_recipient("one", STACKS, FILES, policy(("one", ONE), ("two", TWO), ("shared", TWO)))


def test_two_keys_that_would_do_are_told() -> None:
    with pytest.raises(HostError, match="not clear"):
        age_recipient("one", STACKS, FILES, policy((".*", f"{ONE},{TWO}")))
