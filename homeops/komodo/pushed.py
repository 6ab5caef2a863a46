"""Whether a ResourceSync reads what the fleet declares; a preview warns where it does not, for somebody will run it.

A resource, as the census is, because only the provider's process knows what Core last read. It is registered after all
others: by then their declarations have passed through this process. When the repository holds what ``homeops render``
makes, a digest says so, and nothing is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi.dynamic import CheckResult, Resource

from homeops.errors import HomeopsError
from homeops.komodo import session
from homeops.komodo.gate import declared_names
from homeops.komodo.silent_provider import SilentProvider
from homeops.model.kinds import RESOURCE_SYNC

if TYPE_CHECKING:
    from homeops.komodo.undone import Declared
    from homeops.model.config.resource_sync import ResourceSyncConfig
    from homeops.model.graph import Graph

_MOST_LINES = 20


class PushedProvider(SilentProvider):
    """Compares in check, where a preview shows what it prints; does nothing else."""

    id = "pushed"

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Warn of each sync that reads something else. A Core that is silent was told of by the census."""
        try:
            documents = session.reachable_core().catalogue.documents(RESOURCE_SYNC).values()
            for document in documents:
                if document["name"] in news["syncs"]:
                    for text in warnings(document, news, session.declared()):
                        session.tell(text)
        except HomeopsError as error:
            session.give_up_asking(error)
        return CheckResult(news, [])


class Pushed(Resource, module="komodo", name="Pushed"):
    """The syncs that read rendered files; ``rendered`` is the digest of what they should be."""

    def __init__(
        self, graph: "Graph", syncs: Sequence[str], rendered: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {
            "syncs": list(syncs),
            "rendered": rendered,
            "stack": pulumi.get_stack(),
            "declared": declared_names(graph)["declared"],
        }
        super().__init__(PushedProvider(), "pushed", props, opts)


def warnings(document: Mapping[str, Any], news: Mapping[str, Any], declared: "Declared") -> Iterator[str]:
    """The warning about one sync; none when it read the same, nothing at all, or what it cannot apply."""
    info: Mapping[str, Any] = document.get("info") or {}
    texts = [str(file["contents"]) for file in info.get("remote_contents") or ()]
    if not texts or info.get("remote_errors") or info.get("pending_error"):
        return
    from homeops.komodo.toml.origin import digest, is_for_another

    if digest(texts) == news["rendered"] or is_for_another(texts, str(news["stack"])):
        return
    from homeops.komodo.documents import config_of
    from homeops.komodo.toml.reader import read_toml
    from homeops.komodo.undone import undone

    readings = [read_toml(text, "") for text in texts]
    if any(reading.rejected for reading in readings):
        return
    config = cast("ResourceSyncConfig", config_of(RESOURCE_SYNC, document))
    read = [resource for reading in readings for resource in reading.resources]
    if lines := list(undone(read, config, news["declared"], declared)):
        commit = f" (commit {info['pending_hash']})" if info.get("pending_hash") else ""
        more = [f"and {len(lines) - _MOST_LINES} more"] if len(lines) > _MOST_LINES else []
        listed = "\n".join(f"    {line}" for line in (*lines[:_MOST_LINES], *more))
        yield (
            f'warning: a run of resource sync "{document["name"]}" would undo this: what Komodo last read of the '
            f"repository{commit} is not what the fleet declares\n{listed}\n"
            "  hint: homeops render, commit and push; if that is done, homeops sync lets Komodo read it again"
        )
