"""Signing up, logging in, and what users do with their own account (the crate mogh_auth_server, auth/mod.rs)."""

from typing import TYPE_CHECKING, Any

from homeops.lab.core.api_keys import create_key
from homeops.lab.core.auth import RateLimiter, digest
from homeops.lab.core.dispatch import Route, answers
from homeops.lab.core.refusal import Refusal
from homeops.lab.core.state import Document
from homeops.lab.core.users import named_user, new_user, user_id
from homeops.lab.core.validation import check_api_key_name, check_password, check_username

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeops.lab.core.core import Core


def _limited(core: "Core", limiter: RateLimiter, address: str, work: "Callable[[], Any]") -> Any:
    """Do something whose failures count against an address."""
    limiter.check(address, core.now())
    try:
        return work()
    except Refusal as refusal:
        raise limiter.failed(address, refusal, core.now()) from None


def _require_local(core: "Core") -> None:
    if not core.settings.local_auth:
        raise Refusal("Local auth is not enabled", status=401)


@answers("login", "GetLoginOptions")
def get_login_options(core: "Core", _caller: Document, _params: Document) -> Any:
    """Which ways of logging in there are: passwords only."""
    return {
        "local": core.settings.local_auth,
        "oidc": False,
        "github": False,
        "google": False,
        "registration_disabled": core.settings.disable_user_registration,
        "oidc_auto_redirect": False,
    }


@answers("login", "SignUpLocalUser")
def sign_up_local_user(core: "Core", caller: Document, params: Document) -> Any:
    """A new user, who is not enabled until an admin says so; but the first of all is a super admin."""

    def sign_up() -> Document:
        _require_local(core)
        first = not core.state.users
        if core.settings.disable_user_registration and not first:
            raise Refusal("User registration is disabled", status=401)
        check_username(params["username"])
        check_password(params["password"], core.settings.min_password_length)
        if named_user(core, params["username"]) is not None:
            trace = [f"Kind: E11000 duplicate key error: username {params['username']}"]
            raise Refusal("Failed to create user on database", trace)
        config = {"type": "Local", "data": {"password": digest(params["password"])}}
        enabled = first or core.settings.enable_new_users
        user = new_user(core, params["username"], config, enabled=enabled, admin=first)
        return {"jwt": core.tokens.issue(user_id(user), core.now())}

    return _limited(core, core.limiter, caller["address"], sign_up)


@answers("login", "LoginLocalUser")
def login_local_user(core: "Core", caller: Document, params: Document) -> Any:
    """A token for name and password; users who are not enabled get one too."""

    def login() -> Document:
        _require_local(core)
        check_username(params["username"])
        user = named_user(core, params["username"])
        if user is None or _password(user) != digest(params["password"]):
            raise Refusal("Invalid login credentials", status=401)
        return {"type": "Jwt", "data": {"jwt": core.tokens.issue(user_id(user), core.now())}}

    return _limited(core, core.login_limiter, caller["address"], login)


def _password(user: Document) -> str | None:
    for config in (user["config"], user["linked_logins"].get("Local")):
        if config is not None and config["type"] == "Local":
            return config["data"]["password"]
    return None


_NOT_BEGUN: dict[tuple[Route, str], str] = {
    ("login", "ExchangeForJwt"): "Authentication steps must be completed before JWT can be retrieved",
    ("login", "CompletePasskeyLogin"): "Passkey login has not been initiated for this session",
    ("login", "CompleteTotpLogin"): "TOTP login has not been initiated for this session",
    ("manage", "ConfirmPasskeyEnrollment"): "Passkey enrollment has not been initiated for this session",
    ("manage", "ConfirmTotpEnrollment"): "TOTP enrollment has not been initiated for this session",
}
"""The second halves of what needs a session: here no first half ever begins one."""


def _refuse_second_half(route: Route, name: str, text: str) -> None:
    @answers(route, name)
    def refuse(core: "Core", caller: Document, _params: Document) -> Any:
        refusal = Refusal(text, status=401)
        if route == "login":
            core.limiter.check(caller["address"], core.now())
            raise core.limiter.failed(caller["address"], refusal, core.now())
        raise refusal


for (_route, _name), _text in _NOT_BEGUN.items():
    _refuse_second_half(_route, _name, _text)


@answers("manage", "GetUserId")
def get_user_id(_core: "Core", caller: Document, _params: Document) -> Any:
    """Who the caller is."""
    return {"id": user_id(caller)}


def _require_unlocked(core: "Core", caller: Document) -> None:
    locked = core.settings.lock_login_credentials_for
    if caller["username"] in locked or "__ALL__" in locked:
        raise Refusal("Login credentials are locked for this user", status=401)


@answers("manage", "UpdateUsername")
def update_username(core: "Core", caller: Document, params: Document) -> Any:
    """A new name for the caller."""
    _require_unlocked(core, caller)
    check_username(params["username"])
    other = named_user(core, params["username"])
    if other is not None and other is not caller:
        trace = ["failed at mongo update_one", f"Kind: E11000 duplicate key error: username {params['username']}"]
        raise Refusal("Failed to update user username on database.", trace)
    caller["username"] = params["username"]
    return {}


@answers("manage", "UpdatePassword")
def update_password(core: "Core", caller: Document, params: Document) -> Any:
    """A new password for the caller; whoever had none gets a local login beside the others."""
    _require_unlocked(core, caller)
    check_password(params["password"], core.settings.min_password_length)
    local = {"type": "Local", "data": {"password": digest(params["password"])}}
    if caller["config"]["type"] == "Local":
        caller["config"] = local
    elif caller["config"]["type"] == "Service":
        raise Refusal("Service Users cannot add additional login methods")
    else:
        caller["linked_logins"]["Local"] = local
    return {}


@answers("manage", "CreateApiKey")
def create_api_key(core: "Core", caller: Document, params: Document) -> Any:
    """A key pair for the caller."""
    return create_key(core, user_id(caller), params["name"], params["expires"])


@answers("manage", "DeleteApiKey")
def delete_api_key(core: "Core", caller: Document, params: Document) -> Any:
    """Take away one of the caller's keys."""
    key = core.state.api_keys.get(params["key"])
    if key is None:
        raise Refusal("No api key with key found", status=404)
    if key["user_id"] != user_id(caller):
        raise Refusal("Api key does not belong to user", status=403)
    del core.state.api_keys[params["key"]]
    return {}


@answers("manage", "UpdateExternalSkip2fa")
def update_external_skip_2fa(core: "Core", caller: Document, params: Document) -> Any:
    """Whether logins elsewhere need a second factor."""
    _require_unlocked(core, caller)
    caller["external_skip_2fa"] = params["external_skip_2fa"]
    return {}


@answers("manage", "BeginExternalLoginLink")
def begin_external_login_link(core: "Core", caller: Document, _params: Document) -> Any:
    """The first half of a login elsewhere, which leads nowhere here."""
    _require_unlocked(core, caller)
    return {}


@answers("manage", "UnlinkLogin")
def unlink_login(core: "Core", caller: Document, params: Document) -> Any:
    """Forget a login elsewhere."""
    _require_unlocked(core, caller)
    caller["linked_logins"].pop(params["provider"], None)
    return {}


@answers("manage", "UnenrollTotp")
def unenroll_totp(core: "Core", caller: Document, _params: Document) -> Any:
    """Forget the second factor that is a code."""
    _require_unlocked(core, caller)
    caller["totp"] = {"secret": "", "confirmed_at": 0, "recovery_codes": []}
    return {}


@answers("manage", "UnenrollPasskey")
def unenroll_passkey(core: "Core", caller: Document, _params: Document) -> Any:
    """Forget the second factor that is a key."""
    _require_unlocked(core, caller)
    caller["passkey"] = {"passkey": None, "created_at": 0}
    return {}


@answers("manage", "CreateApiKeyV2")
def create_api_key_v2(_core: "Core", _caller: Document, params: Document) -> Any:
    """Keys without a secret, which Komodo does not have."""
    check_api_key_name(params["name"])
    raise Refusal("Must implement 'AuthImpl::create_api_key_v2'.")


@answers("manage", "DeleteApiKeyV2")
def delete_api_key_v2(_core: "Core", _caller: Document, _params: Document) -> Any:
    """Keys without a secret, which Komodo does not have."""
    raise Refusal("Must implement 'AuthImpl::get_api_key_v2_user_id'.")
