"""What Core's answers mean: a value, or one readable error (pure; the client sends).

An error of Core is ``{"error": text, "trace": [texts]}``. Nearly every one has status 500, so some are told apart by
their text; the texts are those that Core 2.3.2 was seen to give. Absence is never concluded from a text:
``was_not_found`` is only there to say it better.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from homeops.errors import (
    KomodoBusy,
    KomodoConflict,
    KomodoError,
    KomodoGarbled,
    KomodoLocked,
    KomodoRefused,
    KomodoUnauthorized,
    KomodoUnreachable,
    KomodoVersion,
    Problem,
)

_BUSY = re.compile(r"[A-Za-z]+ (is )?busy")
_NAME_TAKEN = re.compile(r"E11000|UNIQUE constraint failed|name may already be taken|already exists")
_FORBIDDEN = re.compile(r"User does not have required permissions|admin only|Only Admins can", re.IGNORECASE)
_NOT_FOUND = re.compile(r"Did not find any \w+ matching|no \w+ found (?:matching|with)", re.IGNORECASE)
_MARKUP = re.compile(r"<[^>]*>")
_PROXY_STATUSES = (502, 503, 504)
_MOST_TEXT = 400

_OLDEST = 2
_ADDRESS_HINT = "the address is that of Core itself: scheme, host and port, as in http://komodo.example:9120"


class CoreVersion(NamedTuple):
    """The version of a Core."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, two headers, and the body as text."""

    status: int
    content_type: str
    location: str
    body: str

    @property
    def is_html(self) -> bool:
        """Whether it is a page for people."""
        return "html" in self.content_type.lower() or self.body.lstrip().startswith("<")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked and where, for messages; ``secrets`` are blotted out of every text that is shown."""

    address: str
    label: str
    secrets: Collection[str] = ()

    def problem(self, what: str, hint: str = "") -> Problem:
        """The problem, placed and without secrets."""
        return Problem(f"komodo {self.address}", scrubbed(what, self.secrets), hint)


def scrubbed(text: str, secrets: Collection[str]) -> str:
    """The text with every secret replaced, the longest first."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def decoded(asked: Asked, answer: Answer) -> Any:
    """The value in an answer, or the error that it means."""
    if answer.status == HTTPStatus.OK and not answer.is_html:
        try:
            return json.loads(answer.body)
        except ValueError as error:
            what = f"{asked.label}: the answer is no valid JSON ({error})"
            raise KomodoGarbled(
                asked.problem(what, "is something between here and Core cutting answers short?")
            ) from error
    raise refusal(asked, answer)


def core_version(asked: Asked, answer: Answer) -> CoreVersion:
    """The version in the answer to ``GET /version``; refuses a Core that homeops cannot drive."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", answer.body)
    if answer.status != HTTPStatus.OK:
        raise refusal(asked, answer)
    if numbers is None:
        raise KomodoGarbled(asked.problem(f"{asked.label} answered {_form(answer)}, not a version", _ADDRESS_HINT))
    version = CoreVersion(*map(int, numbers.groups()))
    if version.major < _OLDEST:
        raise too_old(asked, f"Komodo {version}")
    return version


def too_old(asked: Asked, found: str) -> KomodoVersion:
    """The error for a Core that homeops cannot drive."""
    what = f"this Core is {found}; homeops drives Komodo 2.x"
    return KomodoVersion(asked.problem(what, "upgrade Core and every Periphery to 2.x, together"))


def is_core_asking_for_a_key(answer: Answer) -> bool:
    """Whether a request without credentials was refused in Core's own words, as every version does."""
    return answer.status == HTTPStatus.UNAUTHORIZED and _stated(answer.body) is not None


def refusal(asked: Asked, answer: Answer) -> KomodoError:
    """The error that an answer without a value means."""
    status = answer.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return KomodoGarbled(_redirected(asked, answer))
    stated = _stated(answer.body)
    if stated is None:
        return _foreign(asked, answer)
    error, trace = stated
    causes = f" ({'; '.join(map(_short, trace))})" if trace else ""
    told = f"refused ({status}): {_short(error)}{causes}"

    def made(kind: type[KomodoRefused], what: str, hint: str = "") -> KomodoRefused:
        return kind(
            asked.problem(what, hint),
            status=status,
            error=scrubbed(error, asked.secrets),
            trace=[scrubbed(line, asked.secrets) for line in trace],
        )

    whole = "\n".join((error, *trace))
    match status:
        case HTTPStatus.UNAUTHORIZED:
            hint = "check KOMODO_API_KEY and KOMODO_API_SECRET; five wrong tries in a row lock this address out"
            return made(KomodoUnauthorized, f"Core does not accept the API key (401): {_short(error)}", hint)
        case HTTPStatus.FORBIDDEN:
            return made(KomodoUnauthorized, f"{asked.label} {told}", "the key's user needs to be an admin for this")
        case HTTPStatus.TOO_MANY_REQUESTS:
            what = f"locked out after failed logins (429): {_short(error)}"
            return made(
                KomodoLocked, what, "wait until it passes; the key may be right, another user of this address was wrong"
            )
        case HTTPStatus.CONFLICT:
            return made(KomodoConflict, f"{asked.label} {told}")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return made(KomodoRefused, f"{asked.label} {told}", "Core takes requests of up to 2 MB")
        case HTTPStatus.UNPROCESSABLE_ENTITY | HTTPStatus.BAD_REQUEST:
            return made(
                KomodoRefused,
                f"{asked.label} {told}",
                "does this Core have that field? homeops is held to Komodo 2.3.2",
            )
        case HTTPStatus.INTERNAL_SERVER_ERROR if _BUSY.fullmatch(error):
            return made(KomodoBusy, f"{asked.label} {told}", "an execution is running on it; try again when it is done")
        case HTTPStatus.INTERNAL_SERVER_ERROR if _NAME_TAKEN.search(whole):
            return made(KomodoConflict, f"{asked.label} {told}")
        case HTTPStatus.INTERNAL_SERVER_ERROR if _FORBIDDEN.search(error):
            return made(
                KomodoUnauthorized, f"{asked.label} {told}", "give the key's user that permission, or make it an admin"
            )
        case _:
            return made(KomodoRefused, f"{asked.label} {told}")


def was_not_found(error: KomodoRefused) -> bool:
    """Whether the text says that the thing is not there. Good for wording only: look it up in a list to know."""
    return error.status == HTTPStatus.INTERNAL_SERVER_ERROR and _NOT_FOUND.search(error.error) is not None


def _stated(body: str) -> tuple[str, list[str]] | None:
    """Core's error and its causes, or nothing when the body is not Core's."""
    try:
        value: Any = json.loads(body)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    fields = cast(dict[str, Any], value)
    error, trace = fields.get("error"), fields.get("trace", [])
    if not isinstance(error, str) or not isinstance(trace, list):
        return None
    return error, [str(line) for line in cast(list[Any], trace)]


def _redirected(asked: Asked, answer: Answer) -> Problem:
    target = urlsplit(answer.location)
    # The query of a login redirect carries state that is nobody's business.
    shown = f"{target.scheme}://{target.hostname or ''}{target.path}" if target.hostname else target.path
    what = f"{asked.label} was redirected ({answer.status}) to {shown or 'nowhere'}; that is not Core's API"
    here = urlsplit(asked.address)
    if target.hostname == here.hostname and (target.scheme, here.scheme) == ("https", "http"):
        return asked.problem(what, f"use the address https://{here.netloc}")
    return asked.problem(
        what, "a login page stands before Core: let its API pass, or use Core's own address and port 9120"
    )


def _foreign(asked: Asked, answer: Answer) -> KomodoError:
    """An answer that Core did not write: a proxy's, or another server's."""
    if answer.status in _PROXY_STATUSES:
        phrase = HTTPStatus(answer.status).phrase
        what = f"{asked.label}: the proxy before Core answered {answer.status} {phrase}"
        return KomodoUnreachable(asked.problem(what, "is Core running? docker ps --filter name=core, on its host"))
    what = f"{asked.label} was answered {answer.status} with {_form(answer)}; that is not Core's API"
    return KomodoGarbled(asked.problem(what, _ADDRESS_HINT))


def _form(answer: Answer) -> str:
    if not answer.body.strip():
        return "an empty body"
    return "a web page" if answer.is_html else f'"{_short(answer.body)[:60]}"'


def _short(text: str) -> str:
    """One line of it: without markup, blanks run together, cut to a readable length."""
    line = " ".join(_MARKUP.sub("", text).split())
    return line if len(line) <= _MOST_TEXT else f"{line[:_MOST_TEXT]}..."
