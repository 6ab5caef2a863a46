"""The first API key of a Core that has only its first admin, and where it is kept: ``km``'s own profile.

Core makes the admin itself when it starts with an empty database and ``KOMODO_INIT_ADMIN_...``
(bin/core/src/startup.rs).
"""

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

from homeops.errors import KomodoError, KomodoUnauthorized, Problem
from homeops.komodo.client import Client, Patience
from homeops.komodo.credentials import PROFILE_FILE, Access, Credentials, Given, Token, find_access
from homeops.komodo.requests import Request
from homeops.whole_file import write_whole

ADMIN_NAME, ADMIN_PASSWORD = "KOMODO_INIT_ADMIN_USERNAME", "KOMODO_INIT_ADMIN_PASSWORD"

_WHERE = f"~/{PROFILE_FILE}"


def known_access(address: str, home: Path, environ: Mapping[str, str]) -> Access | None:
    """The key that is known for a Core already; None when there is none. Raises KomodoError for half a pair."""
    try:
        return find_access(environ, home, Given(address=address))
    except KomodoError:
        if any(environ.get(name) for name in ("KOMODO_API_KEY", "KOMODO_API_SECRET")):
            raise
        return None


def is_accepted(access: Access, patience: Patience | None = None) -> bool:
    """Whether Core takes a key. Raises KomodoError when it does not answer."""
    with Client(access.address, access.credentials, patience=patience) as client:
        try:
            client.read("GetVersion", {})
        except KomodoUnauthorized:
            return False
    return True


def create_key(address: str, username: str, password: str, name: str, patience: Patience | None = None) -> Credentials:
    """Log in as a local user and make an API key that does not expire.

    Raises KomodoUnauthorized when name or password are wrong: the database is one that knows another admin.
    """
    with Client(address, Token(), patience=patience) as client:
        try:
            login = client.send(Request("auth/login", "LoginLocalUser", {"username": username, "password": password}))
        except KomodoUnauthorized as error:
            what = f"Core does not know its admin {username} by the password in the secrets"
            hint = "its database is older than these secrets: log in with the earlier password and make a key by hand"
            raise KomodoUnauthorized(Problem("komodo", what, hint), status=error.status, error=error.error) from None
    with Client(address, Token(_text(login, "data", "jwt")), patience=patience) as client:
        pair = client.send(Request("auth/manage", "CreateApiKey", {"name": name, "expires": 0}))
    return Credentials(_text(pair, "key"), _text(pair, "secret"))


def check_profile(home: Path, address: str) -> None:
    """Raise KomodoError unless a key for the Core at ``address`` can be kept in the profile: before there is one."""
    document = _profile(home)
    host = document.get("host")
    if ("default_profile" in document or "profile" in document) or (host and str(host).rstrip("/") != address):
        what = f"is for {host or 'several Cores'}, so the key for {address} has no place there"
        raise KomodoError(Problem(_WHERE, what, "make a key in Komodo's UI, and export KOMODO_API_KEY=... by hand"))


def keep(access: Access, home: Path) -> Path:
    """Write a key into the profile, for its owner only; what else stands there stays. Answers the file."""
    document = _profile(home)
    document["host"] = access.address
    document["key"] = access.credentials.key
    document["secret"] = access.credentials.secret
    for other in ("cli_key", "cli_secret"):
        document.pop(other, None)
    file = home / PROFILE_FILE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = tomlkit.dumps(document)  # pyright: ignore[reportUnknownMemberType] - tomlkit's own types
    write_whole(file, text, mode=0o600)
    return file


def _profile(home: Path) -> MutableMapping[str, Any]:
    try:
        return cast(dict[str, Any], tomlkit.parse((home / PROFILE_FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return cast(dict[str, Any], tomlkit.document())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise KomodoError(Problem(_WHERE, f"cannot be read: {error}", "mend it, or move it away")) from error


def _text(answer: Any, *path: str) -> str:
    value: Any = answer
    for part in path:
        value = cast(dict[str, Any], value).get(part) if isinstance(value, dict) else None
    if not isinstance(value, str):
        raise KomodoError(
            Problem("komodo", "the answer to the login has no token", "does this user need a second factor?")
        )
    return value
