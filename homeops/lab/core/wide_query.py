"""A query of resources that leaves nothing out but what is asked for."""

from collections.abc import Sequence

from homeops.lab.core.state import Document


def wide_query(*, names: Sequence[str] = (), tags: Sequence[str] = ()) -> Document:
    """As a list request has it after decoding: by names, and by tags that must all be there."""
    return {
        "names": list(names),
        "terms": list[str](),
        "templates": "Include",
        "tags": list(tags),
        "tag_behavior": "All",
        "specific": dict[str, object](),
    }
