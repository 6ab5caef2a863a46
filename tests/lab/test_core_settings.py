"""Core's configuration from its environment."""

from homeops.lab.core.settings import Settings


def test_options_are_read_as_what_they_are() -> None:
    settings = Settings.of_environment(
        {
            "KOMODO_AUTH_RATE_LIMIT_DISABLED": "false",
            "KOMODO_LOCK_LOGIN_CREDENTIALS_FOR": "admin, demo",
            "KOMODO_DEFAULT_PAGINATION_LIMIT": "5",
            "KOMODO_TITLE": "Rehearsal",
            "KOMODO_SECRETS": "not read from here",
            "KOMODO_UNKNOWN": "1",
            "HOME": "/root",
        }
    )
    assert settings == Settings(
        auth_rate_limit_disabled=False,
        lock_login_credentials_for=("admin", "demo"),
        default_pagination_limit=5,
        title="Rehearsal",
    )
