"""How a simulated Core is configured: the options of Core's own configuration that change what its API answers."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Settings:
    """Core's configuration. The defaults are those of Komodo 2.3.2 except what the recordings set for speed.

    ``execution_seconds`` is what every execution takes at least: so long its Update is seen to be in progress.
    ``latency_seconds`` is what every request with credentials takes; a real Core spends some 65 ms on a key pair.
    ``silence_seconds`` is how long Core waits for an agent that does not answer its pings.
    ``deno`` is whether Core can run Actions, which then end well without being run; the recorded Core had no Deno.
    ``admin_key`` and ``admin_secret`` are the key pair that the first user has from the start.
    """

    version: str = "2.3.2"
    auth_version: str = "1.8.0"
    title: str = "Komodo"
    host: str = "http://127.0.0.1:9120"
    webhook_base_url: str = ""
    monitoring_interval: str = "1-sec"
    timezone: str = ""
    transparent_mode: bool = False
    ui_write_disabled: bool = False
    disable_non_admin_create: bool = False
    disable_confirm_dialog: bool = False
    disable_websocket_reconnect: bool = False
    enable_fancy_toml: bool = False
    default_pagination_limit: int = 50
    local_auth: bool = True
    disable_user_registration: bool = False
    enable_new_users: bool = False
    lock_login_credentials_for: tuple[str, ...] = ()
    min_password_length: int = 1
    auth_rate_limit_disabled: bool = True
    auth_rate_limit_max_attempts: int = 5
    auth_rate_limit_window_seconds: float = 15.0
    execution_seconds: float = 0.02
    silence_seconds: float = 10.0
    deno: bool = False
    latency_seconds: float = 0.0
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    admin_username: str = "admin"
    admin_password: str = "changeme"  # noqa: S105 - of a simulated user, as in the recordings
    admin_key: str = "K_" + "0" * 39 + "1_K"
    admin_secret: str = "S_" + "0" * 39 + "1_S"

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that Core would read from its environment: ``KOMODO_TITLE`` and so on."""
        chosen: dict[str, Any] = {}
        for option in fields(cls):
            text = environment.get(f"KOMODO_{option.name.upper()}")
            if text is not None and option.default is not MISSING:
                chosen[option.name] = _read(option.default, text)
        return cls(**chosen)


def _read(default: object, text: str) -> Any:
    """A value as the default is one."""
    match default:
        case bool():
            return text.strip().lower() in ("true", "1")
        case int():
            return int(text)
        case float():
            return float(text)
        case tuple():
            return tuple(part.strip() for part in text.split(",") if part.strip())
        case _:
            return text
