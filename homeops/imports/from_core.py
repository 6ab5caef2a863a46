"""What a running Core has: one list a kind, and no request more than that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from homeops.errors import KomodoLocked, KomodoRefused, KomodoUnauthorized
from homeops.imports.found import Findings, Found
from homeops.imports.report import Note, Sort
from homeops.komodo.catalogue import Catalogue, Lists
from homeops.komodo.documents import Live, live
from homeops.model.graph import Resource
from homeops.model.kinds import KINDS, Kind


def from_core(client: Lists, address: str, version: str) -> Findings:
    """Everything that Core has of the kinds that homeops declares.

    A kind that this Core refuses to list, because it is of another version or the key may not, is told and passed over.
    Raises KomodoError when Core cannot be asked at all.
    """
    reading = _Reading(Catalogue(client))
    found = [found for kind in KINDS.values() for found in reading.kind(kind)]
    return Findings(f"Komodo {version} at {address}", found, reading.notes, core=address, version=version)


@dataclass
class _Reading:
    catalogue: Catalogue
    notes: list[Note] = field(default_factory=list[Note])
    refused: set[str] = field(default_factory=set[str])

    def kind(self, kind: Kind) -> Iterator[Found]:
        """Everything of a kind, by name."""
        for document in sorted(self._documents(kind), key=lambda document: str(document["name"])):
            where = f'{kind.name.lower()} "{document["name"]}"'
            try:
                there = live(kind, document, self._name)
            except ValidationError as error:
                what = f"this version of homeops does not know its {_fields(error)}"
                self.notes.append(Note(Sort.LEFT_OUT, where, what))
                continue
            self.notes += _lost(kind, document, there, where)
            yield Found(
                Resource(
                    kind.name,
                    there.name,
                    there.config,
                    description=there.description,
                    tags=there.tags,
                    template=there.template,
                    where=where,
                )
            )

    def _documents(self, kind: Kind) -> list[dict[str, Any]]:
        if kind.name in self.refused:
            return []
        try:
            return list(self.catalogue.documents(kind).values())
        except (KomodoUnauthorized, KomodoLocked) as error:
            if isinstance(error, KomodoLocked) or error.status == 401:
                raise
            self._refuse(kind.name, kind.list_request, error)
        except KomodoRefused as error:
            self._refuse(kind.name, kind.list_request, error)
        return []

    def _refuse(self, name: str, request: str, error: KomodoRefused) -> None:
        self.refused.add(name)
        self.notes.append(Note(Sort.LOST, f"every {name}", f"Core refuses {request}: {error.error}"))

    def _name(self, kind: str, id_: str) -> str:
        if kind in self.refused:
            return id_
        try:
            return self.catalogue.name_of(kind, id_)
        except KomodoRefused as error:
            self._refuse(kind, f"List{kind}s", error)
            return id_


def _fields(error: ValidationError) -> str:
    places = {".".join(str(part) for part in detail["loc"]) or "configuration" for detail in error.errors()}
    return ", ".join(sorted(places)[:3])


def _lost(kind: Kind, document: Mapping[str, Any], there: Live, where: str) -> Iterator[Note]:
    """What the document says and a declaration cannot."""
    permission: Any = document.get("base_permission", "None")
    level = permission if isinstance(permission, str) else permission["level"]
    if level != "None":
        yield Note(Sort.LOST, where, f"everybody's permission on it ({level})", "Komodo keeps it")
    if not kind.resource:
        return
    config: Mapping[str, Any] = document["config"]
    known = set(type(there.config).model_fields)
    if unknown := sorted(name for name, value in config.items() if name not in known and value):
        what = f"fields that this version of homeops does not know: {', '.join(unknown)}"
        yield Note(Sort.LOST, where, what, "Komodo keeps their values")
