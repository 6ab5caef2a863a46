"""Logs without secrets: what containers and hooks print may hold them, and nobody here knows their values.

So it goes by names: the keys of the stack's secret files, words such as ``password``, credentials in addresses, tokens.
"""

import re
from collections.abc import Iterable

MASK = "[secret]"

_PARTS = "passw(?:or)?d|passphrase|passkey|secret|token|api[_-]?key|private[_-]?key|credential"
_NAMED = r"\[\[\w+\]\]"
"""What Komodo puts a variable in for is the name of a secret, and no secret."""
SECRET_NAME = rf"[A-Za-z0-9_.-]*(?:{_PARTS})[A-Za-z0-9_.-]*"
"""The pattern of names that sound like that of a secret, whatever their case."""
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+(@)"), rf"\1{MASK}\2"),
    (re.compile(r"\b((?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"AGE-SECRET-KEY-1[A-Z0-9]+"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    # How compose refuses a .env file: with the line, or the value, that it cannot read.
    (re.compile(r"(in variable name|unterminated quoted value) .*"), rf"\1 {MASK}"),
)


def masked(text: str, keys: Iterable[str] = ()) -> str:
    """The text with the values of these keys, and of whatever looks like a secret, replaced."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    names = "|".join([SECRET_NAME, *(re.escape(key) for key in sorted(keys, key=len, reverse=True))])
    # A line that begins so is one of `env` or of a file: all of it is the value, spaces too.
    line = rf"^((?:[^|\n]*\|)?\s*(?:export\s+)?(?:{names})\s*[=:][ \t]*)(?![ \t]|$|{_NAMED}[ \t]*$).+$"
    text = re.sub(line, rf"\1{MASK}", text, flags=re.IGNORECASE | re.MULTILINE)
    value = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s,;&"']+)"""
    named = rf"""(?:"{_NAMED}"|'{_NAMED}'|{_NAMED}(?![^\s,;&"')}}\]]))"""
    anywhere = rf"""((?<![A-Za-z0-9_])(?:{names})["']?\s*[=:]\s*)(?!{named}){value}"""
    return re.sub(anywhere, rf"\1{MASK}", text, flags=re.IGNORECASE)


def secret_keys(fingerprint: Iterable[str]) -> set[str]:
    """The names of the secrets in a fingerprint's parts (``secret <file> <key>``), nested ones by their last too."""
    keys = {part.rpartition(" ")[2] for part in fingerprint if part.startswith("secret ")}
    return keys | {key.rpartition(".")[2] for key in keys}
