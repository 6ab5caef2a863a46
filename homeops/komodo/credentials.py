"""Which Core, and with which API key: the environment, else ``km``'s profile, else the Pulumi settings.

The three are never mixed into a pair: a key goes only with the secret that stands beside it, and a profile's pair goes
only to the profile's own host. Nothing here is ever part of a resource, a state or a message.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from homeops.errors import KomodoError, Problem, nearest

ADDRESS, KEY, SECRET = "KOMODO_ADDRESS", "KOMODO_API_KEY", "KOMODO_API_SECRET"
"""The environment variables, named as Komodo's own clients name them (client/core/rs/src/lib.rs)."""

PROFILE_FILE = Path(".config/komodo/komodo.cli.toml")
"""Where ``km`` keeps its profiles, under the home directory."""

_EXPORT = f"export {ADDRESS}=http://komodo.example:9120 {KEY}=K_... {SECRET}=S_..."
_HOW = f"{_EXPORT}, or give them to km in ~/{PROFILE_FILE}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key of Komodo; printing it shows neither half."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("key", self.key), ("secret", self.secret)):
            if not value or not value.isascii() or not value.isprintable() or " " in value:
                # It could not even be sent as a header.
                what = f"the API {name} is empty, or has blanks or characters that no {name} has"
                raise KomodoError(Problem("komodo", what, "copy it again, without quotes and line ends"))

    @property
    def headers(self) -> dict[str, str]:
        """What shows them to Core."""
        return {"X-API-KEY": self.key, "X-API-SECRET": self.secret}

    @property
    def secrets(self) -> frozenset[str]:
        """What no message may repeat."""
        return frozenset({self.key, self.secret})


@dataclass(frozen=True, slots=True)
class Token:
    """The token of a login, as Core issues it; empty before the login. Printing it shows nothing."""

    jwt: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What shows it to Core."""
        return {"Authorization": self.jwt} if self.jwt else {}

    @property
    def secrets(self) -> frozenset[str]:
        """What no message may repeat."""
        return frozenset({self.jwt} - {""})


@dataclass(frozen=True, slots=True)
class Access:
    """A Core's address, the credentials for it, and where they were found."""

    address: str
    credentials: Credentials
    source: str

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that say the same."""
        return {ADDRESS: self.address, KEY: self.credentials.key, SECRET: self.credentials.secret}


@dataclass(frozen=True, slots=True)
class Given:
    """What the Pulumi settings say: the declared address, and a key pair when one is kept there as a secret."""

    address: str | None = None
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


def find_access(environ: Mapping[str, str], home: Path, given: Given | None = None) -> Access:
    """The Core to talk to and the key for it.

    Address: ``KOMODO_ADDRESS``, else the declared one, else the profile's host. Key and secret: both from the
    environment, else both from ``km``'s profile if that is a profile for the same host, else both from the settings.
    Raises KomodoError when a half is missing (named), when there is none, or when the profile file cannot be read.
    """
    given = given or Given()
    declared = environ.get(ADDRESS) or given.address
    wanted = checked_address(declared) if declared else None
    if pair := _pair("the environment", environ.get(KEY), environ.get(SECRET), (KEY, SECRET)):
        # Somebody who exports a key need not have a profile in order.
        address = wanted or _host_of(_profile(environ, home))
        return _access(address, pair, "the environment")
    profile = _profile(environ, home)
    if profile and profile.serves(wanted):
        pair = _pair(profile.where, profile.key, profile.secret, ("key", "secret"))
        if pair:
            return _access(wanted or profile.host, pair, profile.where)
    if pair := _pair("Pulumi config", given.key, given.secret, ("komodoKey", "komodoSecret")):
        return _access(wanted, pair, "Pulumi config")
    what = "no API key"
    if profile and not profile.serves(wanted):
        what = f"no API key for {wanted} ({profile.where} is for {profile.host or 'no host'})"
    raise KomodoError(Problem("komodo", what, _HOW))


def checked_address(address: str) -> str:
    """The address without a last slash; raises KomodoError when it is none of a Core."""
    trimmed = address.strip().rstrip("/")
    hint = "scheme, host and port, as in http://komodo.example:9120"
    try:
        parts = urlsplit(trimmed)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise KomodoError(Problem("komodo", f'"{trimmed}" is no address of a Core ({error})', hint)) from error
    if parts.username or parts.password:
        # Core prefers an Authorization header to the API key, and the address is shown in messages.
        raise KomodoError(Problem("komodo", "the address must not hold a user name or password", hint))
    if not complete or parts.query or parts.fragment or not trimmed.isascii() or " " in trimmed:
        raise KomodoError(Problem("komodo", f'"{trimmed}" is no address of a Core', hint))
    return trimmed


@dataclass(frozen=True, slots=True)
class _Profile:
    where: str
    host: str | None
    key: str | None = field(repr=False)
    secret: str | None = field(repr=False)

    def serves(self, address: str | None) -> bool:
        """Whether this profile is for the Core at the address: the names agree, whatever the port and the scheme.

        (The UI's https address and the API's port are often two addresses of one Core.)
        """
        return address is None or (self.host is not None and urlsplit(self.host).hostname == urlsplit(address).hostname)


def _host_of(profile: _Profile | None) -> str | None:
    return profile.host if profile else None


def _access(address: str | None, pair: Credentials, source: str) -> Access:
    if not address:
        raise KomodoError(Problem("komodo", f"{source} has an API key, but no address is known", _HOW))
    return Access(checked_address(address), pair, source)


def _pair(where: str, key: str | None, secret: str | None, names: tuple[str, str]) -> Credentials | None:
    """Both halves, or none of them; one alone is an error (Core would answer it with a bare 500)."""
    if key and secret:
        return Credentials(key.strip(), secret.strip())
    if not key and not secret:
        return None
    has, lacks = names if key else reversed(names)
    raise KomodoError(Problem("komodo", f"{where} has {has} but not {lacks}", f"an API key is a pair: set {lacks} too"))


def _profile(environ: Mapping[str, str], home: Path) -> _Profile | None:
    """The default profile of ``km`` (client/core/rs/src/entities/config/cli/mod.rs, bin/cli/src/config.rs).

    The file has values at its top and ``[[profile]]`` tables; ``default_profile`` names one of them, by name or alias,
    and its values stand before those at the top.
    """
    path = home / PROFILE_FILE
    where = f"~/{PROFILE_FILE}"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KomodoError(Problem(where, f"cannot be read: {error}", "km config shows what km makes of it")) from error
    values = document
    wanted = _text(document, "default_profile", "default")
    if wanted:
        found = document.get("profile")
        tables = [cast(dict[str, Any], table) for table in _list(found) if isinstance(table, dict)]
        chosen = next((table for table in tables if wanted in _names(table)), None)
        if chosen is None:
            known = sorted(name for table in tables for name in _names(table))
            what = f'default_profile is "{wanted}", and there is no such profile{nearest(wanted, known)}'
            raise KomodoError(Problem(where, what, f"profiles: {', '.join(known) or 'none'}"))
        values = document | chosen
        where = f'{where} (profile "{wanted}")'
    host, key, secret = (
        _filled(_text(values, *names), environ) for names in (("host",), ("key", "cli_key"), ("secret", "cli_secret"))
    )
    return _Profile(where, checked_address(host) if host else None, key, secret)


def _names(table: Mapping[str, Any]) -> set[str]:
    """The name and the aliases of a profile; aliases are a list, or a text with commas or lines."""
    aliases: Any = next((table[key] for key in ("aliases", "alias", "config_aliases") if key in table), "")
    listed = re.split(r"[,\n]", aliases) if isinstance(aliases, str) else [str(alias) for alias in _list(aliases)]
    name = _text(table, "name", "config_profile")
    return {text.strip() for text in (*listed, name or "")} - {""}


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []


def _text(values: Mapping[str, Any], *keys: str) -> str | None:
    return next((values[key] for key in keys if isinstance(values.get(key), str)), None)


def _filled(value: str | None, environ: Mapping[str, str]) -> str | None:
    """``km`` fills ``${NAME}`` in its files from the environment."""
    if value is None:
        return None
    return re.sub(r"\$\{(\w+)\}", lambda match: environ.get(match[1], match[0]), value)
