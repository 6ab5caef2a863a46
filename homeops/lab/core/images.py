"""The images of one rehearsal host, and the registry that it pulls them from and pushes them to."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


def tagged(image: str) -> str:
    """An image with its tag."""
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def image_id(reference: str) -> str:
    """A stable id for an image that nobody built here: that of its reference."""
    return f"sha256:{hashlib.sha256(tagged(reference).encode()).hexdigest()}"


@dataclass
class Registry:
    """What a registry holds: image ids by reference, for those that were pushed to it."""

    pushed: dict[str, str] = field(default_factory=dict[str, str])

    def digest(self, reference: str) -> str | None:
        """The digest of a reference, ``name@sha256:...``; None when nobody pushed that."""
        found = self.pushed.get(tagged(reference))
        return _digest(reference, found) if found else None


@dataclass
class Images:
    """Images of a host. ``known`` None: every image can be had; else only those references and what was pushed.

    ``ids`` are the images by reference, with a tag; ``digests`` those of an id in registries.
    """

    known: set[str] | None = None
    registry: Registry = field(default_factory=Registry)
    ids: dict[str, str] = field(default_factory=dict[str, str])
    digests: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    builds: int = 0

    def id_of(self, reference: str) -> str:
        """The id of what a reference means on this host."""
        return self.ids.get(tagged(reference)) or image_id(reference)

    def built(self, tags: Iterable[str], *, pushed: bool = False) -> None:
        """Note that a new image is here under these references, also in the registry when it was pushed there."""
        self.builds += 1
        references = [tagged(tag) for tag in tags]
        fresh = f"sha256:{hashlib.sha256(f'{self.builds} {references}'.encode()).hexdigest()}"
        for reference in references:
            self.ids[reference] = fresh
            if self.known is not None:
                self.known.add(reference)
            if pushed:
                self.registry.pushed[reference] = fresh
                self.digests[fresh] = [_digest(reference, fresh)]

    def pull(self, reference: str) -> None:
        """Have what the registry has now."""
        found = self.registry.pushed.get(tagged(reference), self.id_of(reference))
        self.ids[tagged(reference)] = found
        self.digests[found] = [_digest(reference, found)]
        if self.known is not None:
            self.known.add(tagged(reference))

    def here(self, reference: str) -> bool:
        """Whether an image is on this host, so that nothing need be pulled for a container of it."""
        return self.known is not None or tagged(reference) in self.ids

    def had(self, reference: str) -> str:
        """The id of an image that a container is made of; one that is not here yet is pulled."""
        if not self.here(reference):
            self.pull(reference)
        return self.id_of(reference)

    def unavailable(self, reference: str) -> str:
        """Why an image cannot be had, in the registry's words; an empty text when it is there."""
        if not reference or self.known is None:
            return ""
        if {reference, tagged(reference)} & self.known or tagged(reference) in self.registry.pushed:
            return ""
        registry = reference.split("/")[0]
        if registry.startswith("127.0.0.1"):
            return f'Get "http://{registry}/v2/": dial tcp {registry}: connect: connection refused'
        return f"pull access denied for {reference}, repository does not exist or may require 'docker login'"

    def name_of(self, identity: str, reference: str) -> str:
        """What Docker calls an image that a container was made of by this reference: its first tag, or its id."""
        tags = sorted(tag for tag, known in self.ids.items() if known == identity)
        if not tags:
            return tagged(reference) if self.id_of(reference) == identity else identity
        return tags[0]

    def digests_of(self, identity: str) -> Collection[str]:
        """The digests of an image in the registries that it came from or went to."""
        return self.digests.get(identity, [])


def _digest(reference: str, identity: str) -> str:
    name = tagged(reference)
    return f"{name[: -len(name.rpartition(':')[2]) - 1]}@{identity}"
