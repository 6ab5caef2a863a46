"""How Komodo rewrites names (client/core/rs/src/entities/mod.rs:153-212, ``validated_name`` in resource/*.rs).

Core rewrites without a word, so a name that it would change is an error in a declaration.
"""

import re
from unicodedata import category

WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What Rust's ``trim`` removes: Unicode's White_Space, which is not Python's (that has U+001C to U+001F too)."""

_COMPOSE = re.compile(r"[^a-z0-9_-]")
_CONTAINER = re.compile(r"[^a-zA-Z0-9_.-]")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
VARIABLE_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,499}")


def stored_name(kind: str, name: str) -> str:
    """The name under which Core stores a resource of this kind that is created as ``name``."""
    match kind:
        case "Stack" | "Build":
            return re.sub(r"^[^a-z0-9]+", "", _COMPOSE.sub("_", name.strip(WHITE_SPACE).lower()))
        case "Deployment":
            return re.sub(r"^[^a-zA-Z0-9]+", "", _CONTAINER.sub("_", name.strip(WHITE_SPACE)))
        case "Repo":
            return name.strip(WHITE_SPACE).replace("\n", "_").replace(" ", "_")
        case "Tag" | "Variable" | "UserGroup":
            return name
        case _:
            return name.strip(WHITE_SPACE).replace("\n", "_")


def is_variable_value(value: str) -> bool:
    """Whether Core takes the text as the value of a variable: one line, no control characters, 10000 bytes at most."""
    return len(value.encode()) <= 10_000 and not any(category(character) == "Cc" for character in value)


def is_object_id(name: str) -> bool:
    """Whether Core would take the name for an id."""
    return _OBJECT_ID.fullmatch(name.strip(WHITE_SPACE)) is not None
