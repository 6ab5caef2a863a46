"""Patterns of Komodo's batch executions."""

import re
from fnmatch import fnmatchcase


def matches(pattern: str, name: str) -> bool:
    r"""Whether a batch pattern takes in a name: wildcards, ``\regex\``, several by comma or line (helpers/matcher.rs)."""
    for part in re.split(r"[,\n]", pattern):
        entry = part.partition("#")[0].strip()
        if not entry:
            continue
        if len(entry) > 2 and entry.startswith("\\") and entry.endswith("\\"):
            if re.search(entry[1:-1], name):
                return True
        elif fnmatchcase(name, entry):
            return True
    return False
