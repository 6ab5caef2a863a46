"""The fleet as Komodo's objects: what every appliance of it (Pulumi, TOML, the lab) works from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from homeops.model.fields import KomodoModel
from homeops.model.references import Mention, mentions
from homeops.model.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Resource:
    """One Komodo object: its kind and name, its whole configuration (references are names), and what stands beside it.

    ``deploy``, ``after``, ``rollout``, ``moved_from`` and ``former_host`` are for stacks: whether it is deployed, which
    stacks come first, how it is done, the host that it may leave, and the name that its host had. ``former`` is the
    name that it had itself; both are empty when that is the same.
    """

    kind: str
    name: str
    config: KomodoModel
    description: str = ""
    tags: tuple[str, ...] = ()
    template: bool = False
    deploy: bool = False
    after: tuple[str, ...] = ()
    rollout: Rollout = field(default_factory=Rollout)
    moved_from: str = ""
    former_host: str = ""
    where: str = ""
    former: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name: unique in a graph."""
        return self.kind, self.name

    def mentions(self) -> Iterator[Mention]:
        """Every object that this one refers to."""
        yield from mentions(self.config)
        yield from (Mention("after", "Stack", name) for name in self.after)
        yield from (Mention("tags", "Tag", tag) for tag in self.tags)


@dataclass(frozen=True, slots=True)
class StackFiles:
    """The files of a stack's directory: names relative to it, compose files in the order of their merge."""

    compose: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    config: tuple[str, ...] = ()


Directories = Mapping[str, StackFiles]
"""Stack directories of the repository, by path relative to it."""


@dataclass(frozen=True)
class Graph:
    """All objects, each after the ones it refers to."""

    resources: tuple[Resource, ...]
    _by_key: dict[tuple[str, str], Resource] = field(init=False, repr=False, compare=False)
    _by_kind: dict[str, tuple[Resource, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_kind: dict[str, list[Resource]] = {}
        for resource in self.resources:
            by_kind.setdefault(resource.kind, []).append(resource)
        object.__setattr__(self, "_by_key", {resource.key: resource for resource in self.resources})
        object.__setattr__(self, "_by_kind", {kind: tuple(resources) for kind, resources in by_kind.items()})

    def of(self, kind: str) -> tuple[Resource, ...]:
        """The objects of one kind, in order of declaration."""
        return self._by_kind.get(kind, ())

    def get(self, kind: str, name: str) -> Resource | None:
        """One object."""
        return self._by_key.get((kind, name))

    def needs(self, resource: Resource) -> tuple[Resource, ...]:
        """The declared objects that must exist before this one, each once."""
        found = (self.get(mention.kind, mention.name) for mention in resource.mentions())
        return tuple({other.key: other for other in found if other is not None and other is not resource}.values())


def in_order(resources: tuple[Resource, ...]) -> tuple[tuple[Resource, ...], tuple[tuple[str, ...], ...]]:
    """The resources with what they need first, stable otherwise; and the circles that made that impossible.

    A circle is the names on it, e.g. ``("a", "b", "a")``; its members keep their place in the order.
    """
    by_key = {resource.key: resource for resource in resources}
    order: list[Resource] = []
    circles: list[tuple[str, ...]] = []
    done: set[tuple[str, str]] = set()
    for root in resources:
        # Depth first without recursion: a chain of a thousand stacks is a legal fleet.
        path: list[tuple[Resource, Iterator[Mention]]] = []
        on_path: dict[tuple[str, str], int] = {}

        def enter(
            resource: Resource,
            path: list[tuple[Resource, Iterator[Mention]]] = path,
            on_path: dict[tuple[str, str], int] = on_path,
        ) -> None:
            on_path[resource.key] = len(path)
            path.append((resource, resource.mentions()))

        if root.key not in done:
            enter(root)
        while path:
            resource, remaining = path[-1]
            for mention in remaining:
                other = by_key.get((mention.kind, mention.name))
                if other is None or other.key in done:
                    continue
                if other.key in on_path:
                    names = [item.name for item, _ in path[on_path[other.key] :]]
                    circles.append((*names, other.name))
                    continue
                enter(other)
                break
            else:
                path.pop()
                del on_path[resource.key]
                done.add(resource.key)
                order.append(resource)
    return tuple(order), tuple(circles)
