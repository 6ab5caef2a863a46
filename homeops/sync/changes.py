"""What a ResourceSync has pending, read from what Core says of it (``info`` of GetResourceSync, transcripts 93 to 97).

Core tells each change as TOML, before and after; an object that it deletes by its id and its former TOML alone. Its
TOML is not always readable (a backslash in a text of one line): what cannot be read of it is said to be so.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from homeops.komodo.toml.reader import read_toml
from homeops.model.graph import Resource
from homeops.model.kinds import RESOURCE_KINDS
from homeops.sync.fields import Field, changed_fields

How = Literal["delete", "update", "create"]
Item = Mapping[str, Any]
Key = tuple[str, str]
"""Kind and name."""

NameOf = Callable[[str, str], str]
"""``(kind, id)`` to the name of the object, or the id itself when nothing has it."""

_ORDER: tuple[How, ...] = ("delete", "update", "create")
_MARKUP = re.compile(r"</?span[^>]*>")
_NAME = re.compile(r'^name = "(.*)"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """One object that the sync would delete, update or create.

    ``whole``: whether everything of it could be read. ``old`` and ``new`` are its declarations, None where it has none
    or nothing of it could be read. ``effect``: what becomes of containers, in words; ``orphans``: some run on that
    Komodo then knows nothing of, because it deletes this.
    """

    how: How
    kind: str
    name: str
    fields: tuple[Field, ...] = ()
    whole: bool = True
    old: Resource | None = None
    new: Resource | None = None
    id: str = ""
    effect: str = ""
    orphans: bool = False

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Due:
    """A Stack or Deployment that the sync would deploy, why, and after which others."""

    kind: str
    name: str
    reason: str
    after: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Kind and name."""
        return self.kind, self.name


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is about; without kind and names everything. Variables and user groups are in no selection."""

    kind: str = ""
    names: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.kind or self.names)

    def __contains__(self, key: Key) -> bool:
        kind, name = key
        if not self.partial:
            return True
        return (
            kind in RESOURCE_KINDS and (not self.kind or kind == self.kind) and (not self.names or name in self.names)
        )

    @property
    def params(self) -> dict[str, Any]:
        """As RunSync takes it."""
        found: dict[str, Any] = {"resource_type": self.kind} if self.kind else {}
        return found | ({"resources": list(self.names)} if self.names else {})


def changes_of(info: Item, name_of: NameOf) -> tuple[Change, ...]:
    """All changes: deletes first, then updates, then creations; each in Core's order of kinds."""
    return tuple(sorted(_changes(info, name_of), key=lambda change: _ORDER.index(change.how)))


def deploys_of(info: Item) -> tuple[Due, ...]:
    """What would be deployed, as Core says: in its order, but each after those that it comes after."""
    left = [
        Due(
            kind=str(item["target"]["type"]),
            name=str(item["target"]["id"]),
            reason=plain(str(item["reason"])),
            after=tuple(str(target["id"]) for target in item["after"]),
        )
        for item in info.get("pending_deploys") or ()
    ]
    found: list[Due] = []
    while left:
        waiting = {due.name for due in left}
        ready = [due for due in left if not waiting.intersection(due.after)] or left
        found += ready
        left = [due for due in left if due not in ready]
    return tuple(found)


def errors_of(info: Item) -> Iterator[tuple[str, str]]:
    """What keeps Core from knowing what is pending: the file, or nothing, and Core's words."""
    for item in info.get("remote_errors") or ():
        path = "/".join(str(part) for part in (item.get("resource_path"), item.get("path")) if part)
        yield path, plain(str(item.get("contents", "")))
    for key in ("pending_error", "pending_deploy_error"):
        if info.get(key) and not (key == "pending_error" and info.get("remote_errors")):
            yield "", plain(str(info[key]))


def plain(text: str) -> str:
    """Core's text without the markup of its UI."""
    return _MARKUP.sub("", text).strip()


def _changes(info: Item, name_of: NameOf) -> Iterator[Change]:
    for item in info.get("resource_updates") or ():
        target = item["target"]
        yield _change(str(target["type"]), item["data"], str(target["id"]), name_of)
    for kind, key in (("Variable", "variable_updates"), ("UserGroup", "user_group_updates")):
        for item in info.get(key) or ():
            yield _change(kind, item, "", name_of)


def _change(kind: str, told: Item, id_: str, name_of: NameOf) -> Change:
    data: Item = told["data"]
    old, old_whole = _read(data.get("current"))
    new, new_whole = _read(data.get("proposed"))
    written = data.get("name") or next((one.name for one in (new, old) if one), "") or _written(data)
    name = name_of(kind, id_) if id_ else str(written)
    match told["type"]:
        case "Delete":
            return Change("delete", kind, name, whole=old_whole, old=old, id=id_)
        case "Create":
            return Change("create", kind, name, whole=new_whole, new=new)
        case _:
            fields = changed_fields(old, new) if old and new else ()
            return Change("update", kind, name, fields, old_whole and new_whole, old, new, id=id_)


def _read(text: str | None) -> tuple[Resource | None, bool]:
    """The one declaration in a text of Core's, and whether it was read as a whole."""
    if text is None:
        return None, True
    reading = read_toml(text, "")
    return (reading.resources[0] if reading.resources else None), not reading.rejected


def _written(data: Item) -> str:
    found = _NAME.search(str(data.get("current") or data.get("proposed") or ""))
    return found[1] if found else ""
