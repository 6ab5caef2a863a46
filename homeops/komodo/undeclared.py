"""What Komodo has and no declaration names, of every kind; what this run deletes is the gate's to tell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeops.komodo.removals import Names, leaving
from homeops.komodo.session import Core
from homeops.model.kinds import KINDS, TAG

if TYPE_CHECKING:
    from homeops.model.graph import Graph

HINT = "  hint: homeops import --core writes their declarations; or delete them in Komodo"


def used_names(graph: "Graph") -> Names:
    """Names that exist because something declared has them: a tag is made where it is first used."""
    return {TAG.name: sorted({tag for resource in graph.resources for tag in resource.tags})}


def told(core: Core, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[str]:
    """A line for each kind of which something is declared nowhere; ``news`` and ``olds`` are the census's inputs."""
    known: Sequence[Names] = (news["declared"], news["former"], news.get("used") or {}, leaving(olds, news))
    lines: list[str] = []
    for kind in KINDS.values():
        names = {str(document["name"]) for document in core.catalogue.documents(kind).values()}
        if extra := sorted(names.difference(*(part.get(kind.name, ()) for part in known))):
            lines.append(f"in Komodo, declared nowhere: {kind.name} {', '.join(extra)}")
    if lines:
        lines[-1] += f"\n{HINT}"
    yield from lines
