"""Whose age key a host has to hold: what the rules of ``.sops.yaml`` and the stacks on it leave. Pure."""

from collections.abc import Iterable

from homeops.errors import Problem
from homeops.hosts.reach import HostError
from homeops.model.graph import Directories, StackFiles
from homeops.model.stack import Stack
from homeops.secrets.policy import POLICY_FILE, Policy


def age_recipient(host_name: str, stacks: Iterable[Stack], directories: Directories, policy: Policy) -> str:
    """The recipient (``age1...``) that can read every secret file of the host's stacks.

    Where several can, it is the one that cannot read everything: an operator's key stands beside each host's own. A
    host without secret files gets what can read everything. Raises HostError when that does not leave exactly one.
    """
    mine = [stack for stack in stacks if stack.host_name == host_name]
    files = (f"{stack.path}/{name}" for stack in mine for name in directories.get(stack.path, StackFiles()).secrets)
    everywhere = _in_all(rule.recipients for rule in policy.rules)
    here = _in_all(found for file in files if (found := policy.recipients(file)) is not None) or everywhere
    candidates = (here - everywhere) or here
    if len(candidates) != 1:
        said = ", ".join(sorted(candidates)) or "none"
        what = f"which age key it has to hold is not clear from {POLICY_FILE}: {said}"
        hint = "one recipient beside the operators' has to be in each rule for the host's stacks, and not in all rules"
        raise HostError(Problem(host_name, what, hint))
    return next(iter(candidates))


def _in_all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    found = iter(sets)
    return next(found, frozenset[str]()).intersection(*found)
