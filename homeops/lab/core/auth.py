"""Who is calling: the credentials of a request, tokens, and the limiter that locks an address out."""

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_ALPHANUMERIC = string.ascii_letters + string.digits
_KEY_SKEW_MS = 5 * 60 * 1000
_TOKEN_SKEW_MS = 10 * 1000
_DAY_MS = 24 * 60 * 60 * 1000


def random_text(length: int) -> str:
    """Letters and digits."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def new_key_pair() -> tuple[str, str]:
    """An API key and its secret."""
    return f"K_{random_text(40)}_K", f"S_{random_text(40)}_S"


def digest(secret: str) -> str:
    """What is kept of a secret. Core keeps a bcrypt hash, whose cost would only slow the simulator down."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the headers offer: a user proven by a token, or a key pair yet to be checked."""

    user_id: str | None = None
    key: str = ""
    secret: str = ""


@dataclass(slots=True)
class Tokens:
    """JSON web tokens (HS256) that last one day, signed with a key of this Core's."""

    signing_key: bytes = field(default_factory=lambda: secrets.token_bytes(40))

    def issue(self, user_id: str, now_ms: int) -> str:
        """A token for a user."""
        head = _base64({"typ": "JWT", "alg": "HS256"})
        claims = _base64({"sub": user_id, "iat": now_ms, "exp": now_ms + _DAY_MS, "jti": random_text(8)})
        return f"{head}.{claims}.{self._signature(f'{head}.{claims}')}"

    def user_id(self, token: str, now_ms: int) -> str | None:
        """Whose token this is; None when it is not one of ours or has expired."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
        return claims["sub"] if claims["exp"] > now_ms - _TOKEN_SKEW_MS else None

    def _signature(self, text: str) -> str:
        mac = hmac.new(self.signing_key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _base64(value: Document) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


@dataclass(slots=True)
class RateLimiter:
    """Counts failures per address within a window; with ``attempts`` of them an address is locked out."""

    disabled: bool
    attempts: int
    window_ms: float
    failures: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def check(self, address: str, now_ms: int) -> None:
        """Refuse a locked address; what it asks while locked does not prolong the lock."""
        if self.disabled:
            return
        recent = [moment for moment in self.failures.get(address, []) if now_ms - moment < self.window_ms]
        self.failures[address] = recent
        if len(recent) >= self.attempts:
            left = self.window_ms - (now_ms - recent[0])
            span = f"{round(left / 1000)}s" if left >= 1000 else f"{round(left)}ms"
            raise Refusal(f"Too many attempts | Try again in {span}", status=429)

    def failed(self, address: str, refusal: Refusal, now_ms: int) -> Refusal:
        """Count a failure; the refusal with the number of attempts that remain."""
        if self.disabled:
            return refusal
        failures = self.failures.setdefault(address, [])
        failures.append(now_ms)
        text = ": ".join([refusal.error, *refusal.trace])
        return Refusal(f"{text} | You have {self.attempts - len(failures)} attempts remaining", status=refusal.status)


def client_address(headers: Mapping[str, str], peer: str) -> str:
    """The address that counts for the limiter: what a proxy says it is, believed as sent."""
    forwarded = headers.get("x-forwarded-for", "").split(",")[0].strip()
    claimed = forwarded or headers.get("x-real-ip", "").strip()
    if not claimed:
        return peer
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        raise Refusal("invalid IP address syntax", status=401) from None


def read_credentials(core: "Core", headers: Mapping[str, str]) -> Credentials:
    """The credentials in the headers (names in lower case); a token wins over a key pair, even a broken one."""
    authorization = headers.get("authorization")
    if authorization is not None:
        user_id = core.tokens.user_id(authorization.strip().removeprefix("Bearer "), core.now())
        if user_id is None:
            raise Refusal("Invalid user credentials")
        return Credentials(user_id)
    key = headers.get("x-api-key")
    if key is not None:
        secret = headers.get("x-api-secret")
        if secret is None:
            raise Refusal("Request headers have X-API-KEY but missing X-API-SECRET")
        return Credentials(None, key.strip(), secret.strip())
    if "x-api-signature" in headers:
        if "x-api-timestamp" not in headers:
            raise Refusal("Request headers have X-API-SIGNATURE but missing X-API-TIMESTAMP")
        raise Refusal("Invalid client credentials")
    raise Refusal("Invalid client credentials", status=401)


Guard = Literal["enabled", "known", "manage"]


def authenticate(core: "Core", headers: Mapping[str, str], peer: str, guard: Guard) -> Document:
    """The user who calls; raises a Refusal.

    ``enabled``: the user must be enabled (/read, /write, /execute). ``known``: a disabled one passes too (/user).
    ``manage``: neither the limiter nor the secret of a key counts (/auth/manage).
    """
    address = client_address(headers, peer) if guard != "manage" else peer
    credentials = read_credentials(core, headers)
    if guard == "manage":
        return _manager(core, credentials)
    core.limiter.check(address, core.now())
    try:
        return proven_user(core, credentials, guard)
    except Refusal as refusal:
        raise core.limiter.failed(address, refusal, core.now()) from None


def proven_user(core: "Core", credentials: Credentials, guard: Guard) -> Document:
    """The user whom the credentials prove, apart from the limiter; raises a Refusal."""
    user_id = credentials.user_id
    if user_id is None:
        key = core.state.api_keys.get(credentials.key)
        expired = key is not None and key["expires"] != 0 and key["expires"] < core.now() - _KEY_SKEW_MS
        if key is None or expired or key["secret"] != digest(credentials.secret):
            raise Refusal("Invalid user credentials", status=401)
        user_id = str(key["user_id"])
    user = core.state.users.get(user_id)
    if user is None:
        raise Refusal(f"No user found matching '{user_id}'", status=401)
    if guard == "enabled" and not user["enabled"]:
        raise Refusal("Invalid user credentials", status=401)
    return user


def _manager(core: "Core", credentials: Credentials) -> Document:
    user_id = credentials.user_id
    if user_id is None:
        key = core.state.api_keys.get(credentials.key)
        if key is None:
            raise Refusal("No api key with key found", status=404)
        user_id = str(key["user_id"])
    user = core.state.users.get(user_id)
    if user is None:
        raise Refusal(f"No user found matching '{user_id}'", status=404)
    return user
