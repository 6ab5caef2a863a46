"""What cannot be written for a person: why, where, and what the person has to write."""

from dataclasses import dataclass
from pathlib import Path

from homeops.adoption.call import NotEditable, find_call, is_plain
from homeops.adoption.comparison import Difference, Field
from homeops.adoption.keywords import Keywords, OfTheSite, keywords
from homeops.adoption.loaded import Loaded
from homeops.adoption.values import assigned, words_of
from homeops.model.declaration import Declaration


@dataclass(frozen=True, slots=True)
class ByHand:
    """A field that a person has to write: where, why, and what."""

    object: str
    field: str
    where: str
    why: str
    write: str


def settings_of(stack: str) -> str:
    """Where facts of the site stand."""
    return f"Pulumi.{stack}.yaml"


def refusal(item: Difference, field: Field, now: Loaded, root: Path, stack: str) -> ByHand | None:
    """Why a field of Komodo's is not written into its declaration; None when it can be."""
    declaration = now.declaration(*item.resource.key)
    keyword = keywords(declaration, item.shown, field.path)
    if isinstance(keyword, OfTheSite):
        write = f"pulumi config set --path homeops:{keyword.key} {keyword.value} -s {stack}"
        return ByHand(item.name, field.name, settings_of(stack), "a fact of the site", write)
    where = str(declaration.place)
    if field.secret or (item.resource.kind == "Variable" and any(other.secret for other in item.fields)):
        name = field.name if field.secret else "value"
        write = f'{name}="env:NAME", with NAME exported where Pulumi runs'
        return ByHand(item.name, field.name, where, "Komodo's value is a secret", write)
    why = _uneditable(keyword, now, declaration, root / declaration.place.file)
    return ByHand(item.name, field.name, where, why, assigned(keyword)) if why else None


def given_up(item: Difference, field: Field, before: Loaded, reason: str) -> ByHand:
    """A field that was written and did not hold."""
    declaration = before.declaration(*item.resource.key)
    keyword = keywords(declaration, item.shown, field.path)
    write = "" if isinstance(keyword, OfTheSite) else assigned(keyword)
    why = f"written there, it does not hold: {reason}"
    return ByHand(item.name, field.name, str(declaration.place), why, write)


def _uneditable(keyword: Keywords, now: Loaded, declaration: Declaration, file: Path) -> str:
    """Why the declaration cannot be given these keywords; empty when it can."""
    if not declaration.place.file or not file.is_file():
        return "where it is declared is not known"
    try:
        call = find_call(file.read_bytes().decode(), declaration.place.line, declaration.name)
    except NotEditable as error:
        several = now.made_at(declaration)
        return f"this line declares {several} objects" if several > 1 else str(error)
    except (SyntaxError, UnicodeDecodeError) as error:
        return f"the file cannot be read as Python ({error})"
    words = words_of(now.names_in(file))
    for name in keyword:
        there = call.keyword(name)
        if there is not None and not is_plain(there.value, call.local, words):
            return f"{name}={call.source(there.value)} is computed"
    return ""
