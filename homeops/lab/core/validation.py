"""Checks of names and passwords (helpers/validations.rs and the crate mogh_validations)."""

import re
import unicodedata

from homeops.lab.core.refusal import Refusal

_USERNAME = re.compile(r"[a-zA-Z0-9._@-]+")


def check_username(name: str) -> None:
    """1 to 100 letters, digits and ``._@-``; raises Refusal with status 400."""
    _check("username", name, least=1, most=100)
    if not _USERNAME.fullmatch(name):
        allowed = "Only alphanumeric characters, underscores, hyphens, dots, and @ are allowed"
        raise _refusal("username", "Invalid characters in input", allowed)


def check_password(password: str, least: int) -> None:
    """At least so many characters and at most 1000, no control characters; raises Refusal with status 400."""
    _check("password", password, least=least, most=1000)


def check_api_key_name(name: str) -> None:
    """At most 200 characters, no control characters; raises Refusal with status 400."""
    _check("api key name", name, least=0, most=200)


def _check(what: str, text: str, *, least: int, most: int) -> None:
    length = len(text.encode())
    if length < least:
        raise _refusal(what, f"Input too short. Must be at least {least} characters.")
    if length > most:
        raise _refusal(what, f"Input too long. Must be at most {most} characters.")
    for index, letter in enumerate(text):
        if unicodedata.category(letter) == "Cc":
            raise _refusal(what, f'Control character at index {index}. Input: "{text}"')


def _refusal(what: str, *trace: str) -> Refusal:
    return Refusal(f"Failed to validate {what}", trace, status=400)
