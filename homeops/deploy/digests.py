"""Digests of contents: of a text, and of each value of an encrypted file by its ciphertext.

Contents come from the repository here, or from Komodo, which read the same files: both give the same digests.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, cast

from homeops.compose.secret_files import format_of
from homeops.errors import Problem, SecretsError

MISSING = "missing"
"""Stands for the digest of a file that is not there."""

Tree = dict[str, Any]


def digest(content: str | bytes) -> str:
    """Twelve hexadecimal digits; a text counts as UTF-8."""
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:12]


def is_secret_file(path: str) -> bool:
    """Whether the pre-deploy hook would decrypt a file of this name."""
    return format_of(PurePosixPath(path)) is not None


def ciphertexts(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Each key of an encrypted file with the digest of its ciphertext; what sops itself adds is left out.

    The path says what is in the text: ``.env``, ``.json`` or ``.yaml``. Nested keys read ``users[0].name``. Raises
    SecretsError when it is something else.
    """
    if path.endswith(".env"):
        pairs = (line.partition("=") for line in text.splitlines())
        yield from ((key, digest(value)) for key, sign, value in pairs if sign and not key.startswith(("sops_", "#")))
        return
    try:
        document = json.loads(text) if path.endswith(".json") else _yaml(text)
    except ValueError as error:
        reason = str(error).partition("\n")[0]
        raise SecretsError(Problem(path, f"not a readable secret file ({reason})", f"sops -d {path}")) from None
    if not isinstance(document, dict):
        raise SecretsError(Problem(path, "not a secret file: want keys and values", f"sops -d {path}"))
    leaves = _leaves({key: value for key, value in cast(Tree, document).items() if key != "sops"}, "")
    yield from ((key, digest(value)) for key, value in leaves)


def _yaml(text: str) -> Any:
    """Raises ValueError."""
    # Imported here: few repositories have an encrypted YAML file, and every preview would pay for the import.
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, item in cast(Tree, value).items():
                yield from _leaves(item, f"{path}.{key}" if path else str(key))
        case list():
            for place, item in enumerate(cast(list[Any], value)):
                yield from _leaves(item, f"{path}[{place}]")
        case _:
            yield path, str(value)
