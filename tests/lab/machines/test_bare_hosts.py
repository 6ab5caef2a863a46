"""A bare machine becomes a host of the fleet by what a bootstrap does to it; one that is gone is one problem."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from homeops.hosts.agent_key import public_key
from homeops.hosts.periphery_shell import PRIVATE_KEY
from homeops.hosts.reach import reach_of
from homeops.lab.machines.engine import Engine
from tests.lab.machines.operators import Operator, operator_of
from tests.recovery.fleet import Tool, new_key

HOST, GONE = "komodo", "kasm"


@pytest.fixture
def operator(engine: Engine, environ: dict[str, str], tmp_path: Path, tool: Tool) -> Generator[Operator]:
    """The real fleet, with one of its machines in a container, as bare as it is made."""
    with operator_of(engine, environ, tmp_path, tool, hosts=(HOST,)) as made:
        yield made


def test_a_bare_machine_becomes_a_host_and_one_that_is_gone_is_one_problem(operator: Operator) -> None:
    (gone,) = operator.set_right(HOST, GONE)
    assert gone.where == GONE
    assert "unreachable over SSH" in gone.what
    for done in (
        "age-key: /etc/sops/age/keys.txt installed",
        "apparmor-mask: mask-apparmor.service started",
        "native-sops: /usr/local/bin/sops-decrypt.sh written",
        "periphery: periphery.service starts with the host",
    ):
        assert f"{HOST}: {done}" in operator.told
    assert operator.set_right(HOST) == []
    assert operator.told[-1] == f"{HOST}: nothing to change"
    # What Core is told the agent of this host by.
    key = public_key(reach_of(HOST, operator.bootstrap.site, operator.bootstrap.root))
    assert key in operator.on(HOST, f"openssl pkey -in {PRIVATE_KEY} -pubout")


def test_a_host_that_holds_another_key_keeps_it(operator: Operator, tmp_path: Path, tool: Tool) -> None:
    assert operator.set_right(HOST) == []
    other = new_key(tool, tmp_path / "other.txt")
    (operator.bootstrap.root / ".sops.yaml").write_text(f"creation_rules:\n  - age: {other}\n")
    keys = {**operator.bootstrap.environ, "SOPS_AGE_KEY_FILE": str(tmp_path / "other.txt")}
    somebody_else = replace(operator, bootstrap=replace(operator.bootstrap, environ=keys))
    (problem,) = somebody_else.set_right(HOST)
    assert problem.where == HOST
    assert problem.what.startswith("age-key: ")
    assert operator.set_right(HOST) == [problem]
