"""Resources by name or id, and whether somebody may have them."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document, State

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")


def is_object_id(text: str) -> bool:
    """Whether Core takes a text for an id rather than a name; unlike names, nothing is trimmed here."""
    return _OBJECT_ID.fullmatch(text) is not None


def object_id(text: str, *, trace: Sequence[str] = (), error: str = "") -> str:
    """The id that a text is, in lower case; the refusal of the database driver when it is none.

    ``error`` and ``trace`` stand before the driver's own words, outermost first.
    """
    if is_object_id(text):
        return text.lower()
    size = len(text.encode())
    wrong = next((at for at, character in enumerate(text) if character not in "0123456789abcdefABCDEF"), None)
    if wrong is None or size % 2:
        reason = f'provided hex string representation must be exactly 12 bytes, instead got: "{text}", length {size}'
    else:
        at = len(text[:wrong].encode())
        reason = f"invalid character '{text[wrong]}' was found at index {at} in the provided hex string: \"{text}\""
    parts = [*([error] if error else []), *trace, reason]
    raise Refusal(parts[0], parts[1:])


def lookup(collection: dict[str, Document], id_or_name: str) -> Document | None:
    """The document of a collection that has this id, or this name when it is not an id."""
    if is_object_id(id_or_name):
        return collection.get(id_or_name.lower())
    return next((document for document in collection.values() if document["name"] == id_or_name), None)


def named_in(state: State, params: Document) -> set[str]:
    """The names of resources that a request names, by name or id."""
    texts = {value for value in params.values() if isinstance(value, str)}
    ids = [text.lower() for text in texts if is_object_id(text)]
    found = (collection.get(identity) for identity in ids for collection in state.resources.values())
    return texts | {document["name"] for document in found if document}


def find(state: State, kind: str, id_or_name: str) -> Document:
    """The stored document of a resource, not a copy; Core's refusal when there is none."""
    if not id_or_name:
        raise Refusal(f"Cannot find {kind} with empty name / id")
    document = lookup(state.resources[kind], id_or_name)
    if document is None:
        raise Refusal(f"Did not find any {kind} matching {id_or_name}")
    return document


def permitted(
    core: "Core", caller: Document, kind: str, id_or_name: str, level: str, specific: Sequence[str] = ()
) -> Document:
    """The stored document of a resource that the caller may use at this level (permission.rs)."""
    document = find(core.state, kind, id_or_name)
    if not caller["admin"]:
        from homeops.lab.core.permissions import demand

        demand(core, caller, kind, document, level, specific)
    return document


def attachable(core: "Core", caller: Document, kind: str, id_or_name: str, refusal: str = "") -> str:
    """The id of a resource to refer to; ``refusal`` is what Core says first when that cannot be."""
    try:
        return permitted(core, caller, kind, id_or_name, "Read", ("Attach",))["_id"]["$oid"]
    except Refusal as reason:
        if not refusal:
            raise
        raise Refusal(refusal, [reason.error, *reason.trace], status=reason.status) from reason
