"""No secret in what is shown of a log."""

import pytest

from homeops.secrets.masking import MASK, masked, secret_keys


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("login with DB_PASSWORD=hunter2 fails", f"login with DB_PASSWORD={MASK} fails"),
        ("DB_PASSWORD=hunter2 and more\nTZ=UTC", f"DB_PASSWORD={MASK}\nTZ=UTC"),
        ("app-1  | smtp_login: hunter2 and more\nPORT=80", f"app-1  | smtp_login: {MASK}\nPORT=80"),
        ("{'password': 'hunter2', 'port': 80}", f"{{'password': {MASK}, 'port': 80}}"),
        ('{"apiKey": "hunter2", "port": 80}', f'{{"apiKey": {MASK}, "port": 80}}'),
        ("connect postgres://app:hunter2@db:5432/x", f"connect postgres://app:{MASK}@db:5432/x"),
        ("Authorization: Bearer hunter2hunter2", f"Authorization: Bearer {MASK}"),
        ("passphrase: 'hunter2 and more'", f"passphrase: {MASK}"),
        ("SMTP_LOGIN=hunter2", f"SMTP_LOGIN={MASK}"),
        ("level: hunter2", f"level: {MASK}"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\nready", f"{MASK}\nready"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2", MASK),
        (
            '.env: line 2: unexpected character " " in variable name "hunter2 x"',
            f'.env: line 2: unexpected character " " in variable name {MASK}',
        ),
        (".env: line 1: unterminated quoted value 'hunter2", f".env: line 1: unterminated quoted value {MASK}"),
        ("key AGE-SECRET-KEY-1QQQQ", f"key {MASK}"),
        ("run --token=[[TOKEN]]hunter2 now", f"run --token={MASK} now"),
        ("{'password': '[[PASSWORD]] hunter2', 'port': 80}", f"{{'password': {MASK}, 'port': 80}}"),
    ],
)
def test_values_of_secrets_are_masked(text: str, shown: str) -> None:
    assert masked(text, ["SMTP_LOGIN", "level"]) == shown
    assert masked(shown, ["SMTP_LOGIN", "level"]) == shown


@pytest.mark.parametrize(
    "text",
    [
        "port is already allocated",
        "listening on http://0.0.0.0:8080/",
        "PORT=80",
        "exited with code 1",
        "token expired",
        "DB_PASSWORD = [[DB_PASSWORD]]\nTZ=UTC",
        "--token=[[TOKEN]]",
        "{'password': '[[PASSWORD]]', token: [[TOKEN]]}",
    ],
)
def test_other_lines_stay_as_they_are(text: str) -> None:
    assert masked(text, ["SMTP_LOGIN"]) == text


def test_the_names_come_from_the_fingerprint() -> None:
    parts = ["compose a", "secret docker/a/.sops.env TOKEN", "secret docker/a/x.sops.yaml smtp.auth.user", "env TZ"]
    assert secret_keys(parts) == {"TOKEN", "smtp.auth.user", "user"}
