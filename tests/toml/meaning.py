"""Resources apart from where they were written."""

from collections.abc import Iterable
from dataclasses import replace

from homeops.model.canonical import canonical
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS


def meaning(resources: Iterable[Resource]) -> list[Resource]:
    """The resources by kind, in their order within it, in canonical form and without their places."""
    plain = [replace(resource, config=canonical(resource.config), where="") for resource in resources]
    return sorted(plain, key=lambda resource: list(KINDS).index(resource.kind))
