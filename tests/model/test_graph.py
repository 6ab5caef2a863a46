"""The order of the graph: everything after what it needs; circles are found, not followed."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from homeops.model.config.build import BuildConfig
from homeops.model.config.builder import ServerBuilder, ServerBuilderConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Graph, Resource, in_order


def stack(name: str, *after: str) -> Resource:
    return Resource("Stack", name, StackConfig(), after=after)


@st.composite
def _acyclic(draw: st.DrawFn) -> tuple[Resource, ...]:
    """Stacks, each after some of those with a smaller number, in any order of declaration."""
    count = draw(st.integers(0, 12))
    made = [
        stack(f"s{number}", *(f"s{other}" for other in draw(st.sets(st.integers(0, number - 1), max_size=3))))
        if number
        else stack("s0")
        for number in range(count)
    ]
    return tuple(draw(st.permutations(made)))


@given(resources=_acyclic())
def test_what_is_needed_comes_first(resources: tuple[Resource, ...]) -> None:
    ordered, circles = in_order(resources)
    assert circles == ()
    assert sorted(r.name for r in ordered) == sorted(r.name for r in resources)
    graph, place = Graph(ordered), {resource.key: at for at, resource in enumerate(ordered)}
    for resource in ordered:
        assert all(place[need.key] < place[resource.key] for need in graph.needs(resource))
        assert {need.name for need in graph.needs(resource)} == set(resource.after)


@given(resources=_acyclic())
def test_an_order_is_kept(resources: tuple[Resource, ...]) -> None:
    ordered, _ = in_order(resources)
    assert in_order(ordered)[0] == ordered


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_circles_are_reported_exactly_when_there_are_some(edges: list[tuple[int, int]]) -> None:
    after = {f"s{number}": [f"s{to}" for at, to in edges if at == number] for number in range(8)}
    ordered, circles = in_order(tuple(stack(name, *names) for name, names in after.items()))
    assert len(ordered) == 8
    assert bool(circles) == any(_reaches(after, name, name) for name in after)
    for circle in circles:
        assert circle[0] == circle[-1]
        assert all(there in after[here] for here, there in pairwise(circle))


def _reaches(after: dict[str, list[str]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    todo = list(after[start])
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            todo += after[name]
    return False


def test_a_chain_of_1500_stacks_is_ordered() -> None:
    names = [f"s{number}" for number in range(1500)]
    chain = tuple(stack(name, *names[at + 1 : at + 2]) for at, name in enumerate(names))
    ordered, circles = in_order(chain)
    assert circles == ()
    assert [resource.name for resource in ordered] == names[::-1]


def test_the_order_crosses_kinds_and_names_may_recur_across_them() -> None:
    build = Resource("Build", "same", BuildConfig(builder_id="same"))
    builder = Resource("Builder", "same", ServerBuilder(params=ServerBuilderConfig(server_ids=["same"])))
    server = Resource("Server", "same", ServerConfig())
    ordered, circles = in_order((build, builder, server))
    assert (ordered, circles) == ((server, builder, build), ())
    graph = Graph(ordered)
    assert graph.needs(build) == (builder,)
    assert graph.get("Builder", "same") is builder
    assert graph.get("Repo", "same") is None
    assert graph.of("Build") == (build,)


def test_a_reference_to_oneself_is_no_need_but_a_circle() -> None:
    alone = stack("a", "a")
    ordered, circles = in_order((alone,))
    assert (ordered, circles) == ((alone,), (("a", "a"),))
    assert Graph(ordered).needs(alone) == ()
