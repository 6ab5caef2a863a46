"""Shell text that both manners of Periphery need."""

import hashlib

from homeops.hosts.shell import quote
from homeops.model.host import AGE_KEY, PERIPHERY_PORT, PERIPHERY_ROOT, AgeKey, Host

PRIVATE_KEY = f"{PERIPHERY_ROOT}/keys/periphery.key"
"""The agent's own key, which it makes at its first start."""

PUBLIC_KEY = f"{PERIPHERY_ROOT}/keys/periphery.pub"
"""Its public half, in PEM: the agent writes it whenever it makes itself a key (the crate mogh_pki, src/key/mod.rs)."""

DIGEST = """\
digest() {
    if [ -f "$1" ]; then printf 'sha256:%.12s\\n' "$(sha256sum <"$1")"; else echo missing; fi
}
"""

ASK = f"""\
url=https://127.0.0.1:{PERIPHERY_PORT}/version
# ask: what the agent answers over TLS; any answer is one (wget's 8: the server's error).
ask() {{
    if command -v curl >/dev/null; then
        curl --silent --insecure --noproxy '*' --max-time 3 "$url" 2>/dev/null
    else
        wget --quiet --no-check-certificate --no-proxy --tries 1 --timeout 3 --output-document - "$url" 2>/dev/null ||
            [ $? -eq 8 ]
    fi
}}
answers() {{ if ask >/dev/null; then echo yes; else echo no; fi; }}
"""
"""``/version`` needs no key; its body is the agent's version (Komodo 2.3.2, bin/periphery/src/connection/server.rs)."""

ANSWERED_VERSION = """\
said=$(ask | head -c 40 | tr -cd '0-9A-Za-z.+-')
fact answered_version "${said:-missing}"
"""

READY = """\
last() { printf '%s\\n' "$1" | grep -v '^[[:space:]]*$' | tail -n 1; }
alone='the running agent was left alone'
command -v curl >/dev/null || command -v wget >/dev/null ||
    fail "neither curl nor wget is on this host; $alone. Install one: apt-get install curl"
"""

IN_TIME = """\
answers_in_time() {
    waited=0
    until [ "$(answers)" = yes ]; do
        [ "$waited" -lt "$patience" ] || return 1
        waited=$((waited + 1))
        sleep 1
    done
}
"""
"""Waits for the agent, ``$patience`` seconds at most."""


def assignments(**values: str) -> str:
    """Shell variables with these values."""
    return "".join(f"{name}={quote(value)}\n" for name, value in values.items())


def prints(function: str, text: str) -> str:
    """A shell function that prints the text as it is. The text ends with a newline."""
    return f"{function}() {{\n    cat <<'HOMEOPS_TEXT_ENDS'\n{text}HOMEOPS_TEXT_ENDS\n}}\n"


def digest(text: str) -> str:
    """What the shell's ``digest`` prints for a file with this text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def age_key_path(host: Host) -> str:
    """Where the host's age key is."""
    return next((quirk.path for quirk in host.quirks if isinstance(quirk, AgeKey)), AGE_KEY)
