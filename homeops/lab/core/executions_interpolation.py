"""``[[NAME]]`` in configurations: variables, secrets, and what stands for secrets in logs (lib/interpolate)."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from homeops.lab.core.executions_logs import log
from homeops.lab.core.json_copy import copied
from homeops.lab.core.state import Document

if TYPE_CHECKING:
    from homeops.lab.core.core import Core

_REFERENCE = re.compile(r"\[\[([^\[\]\s]+)\]\]")


def values(core: "Core") -> tuple[dict[str, str], dict[str, str]]:
    """Core's variables in the open and its secrets: those of its configuration, and the secret variables over them."""
    with core.state.lock:
        variables = list(core.state.variables.values())
    secret = core.settings.secrets | {found["name"]: found["value"] for found in variables if found["is_secret"]}
    return {found["name"]: found["value"] for found in variables if not found["is_secret"]}, secret


def interpolated(
    config: Document,
    fields: Sequence[str],
    variables: Mapping[str, str],
    secret: Mapping[str, str],
    logs: list[Document] | None = None,
) -> tuple[Document, list[tuple[str, str]]]:
    """A configuration with the names in these fields replaced, and the secrets used: ``(value, name)``.

    A name that is not known stays as it is. ``logs`` gets an entry for what was replaced.
    """
    config = copied(config)
    used: dict[str, str] = {}
    hidden: dict[str, str] = {}

    def fill(text: str) -> str:
        for known, seen in ((variables, used), (secret, hidden)):

            def one(match: re.Match[str], known: Mapping[str, str] = known, seen: dict[str, str] = seen) -> str:
                name = match[1]
                if name not in known:
                    return match[0]
                seen[name] = known[name]
                return known[name]

            text = _REFERENCE.sub(one, text)
        return text

    for field in fields:
        value: Any = config[field]
        if isinstance(value, str):
            config[field] = fill(value)
        elif isinstance(value, list):
            config[field] = [fill(str(entry)) for entry in cast(list[Any], value)]
        else:
            config[field] = value | {"command": fill(value["command"])}
    if logs is not None:
        if used:
            lines = [f'<span class="text-muted-foreground">{name} =></span> {value}' for name, value in used.items()]
            logs.append(log("Interpolate Variables", stdout="\n".join(lines)))
        if hidden:
            lines = [f'<span class="text-muted-foreground">replaced:</span> {name}' for name in sorted(hidden)]
            logs.append(log("Interpolate Secrets", stdout="\n".join(lines)))
    return config, [(value, name) for name, value in hidden.items()]


def masked(text: str, replacers: Sequence[tuple[str, str]]) -> str:
    """A text in which no secret shows: each stands as ``<NAME>``."""
    for value, name in replacers:
        if value:
            text = text.replace(value, f"<{name}>")
    return text
