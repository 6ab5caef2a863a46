"""How Komodo rewrites names (client/core/rs/src/entities/mod.rs:153-212, ``validated_name`` in resource/*.rs).

Core rewrites without a word, so a name that it would change is an error in a declaration.
"""

import re

_COMPOSE = re.compile(r"[^a-z0-9_-]")
_CONTAINER = re.compile(r"[^a-zA-Z0-9_.-]")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
VARIABLE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,499}")


def stored_name(kind: str, name: str) -> str:
    """The name under which Core stores a resource of this kind that is created as ``name``."""
    match kind:
        case "Stack" | "Build":
            return re.sub(r"^[^a-z0-9]+", "", _COMPOSE.sub("_", name.strip().lower()))
        case "Deployment":
            return re.sub(r"^[^a-zA-Z0-9]+", "", _CONTAINER.sub("_", name.strip()))
        case "Repo":
            return name.strip().replace("\n", "_").replace(" ", "_")
        case _:
            return name.strip().replace("\n", "_")


def is_object_id(name: str) -> bool:
    """Whether Core would take the name for an id."""
    return _OBJECT_ID.fullmatch(name.strip()) is not None
