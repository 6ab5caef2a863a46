"""The longest chain of deploys: what no order can be faster than."""

from collections import Counter
from collections.abc import Mapping
from functools import cache

from homeops.model.graph import Graph


def longest_chain(graph: Graph, seconds: Mapping[str, float], *, one_a_host: bool = False) -> float:
    """Seconds of the slowest path through ``after``, the control plane before all; ``seconds`` are those of each stack.

    ``one_a_host``: stacks of one host wait for each other as well, so a host takes the sum of its own.
    """
    stacks = {stack.name: stack for stack in graph.of("Stack") if stack.name in seconds}
    first = [stack.name for stack in stacks.values() if stack.rollout.core]

    @cache
    def end(name: str) -> float:
        gate = () if name in first else first
        before = [end(other) for other in (*stacks[name].after, *gate) if other in stacks]
        return max(before, default=0.0) + seconds[name]

    longest = max((end(name) for name in stacks), default=0.0)
    if not one_a_host:
        return longest
    hosts: Counter[str] = Counter()
    for name, stack in stacks.items():
        if name not in first:
            hosts[str(getattr(stack.config, "server_id", ""))] += seconds[name]  # pyright: ignore[reportArgumentType] - a Counter counts any number
    return max(longest, sum(seconds[name] for name in first) + max(hosts.values(), default=0))
