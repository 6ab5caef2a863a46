"""The form of an object in Pulumi's inputs, outputs and state: JSON, canonical, without what is default.

``{"name", "description"?, "tags"?, "template"?, "config"?}``. Numbers come back from Pulumi as floats, nulls not at
all.
"""

from collections.abc import Mapping
from typing import Any

Props = dict[str, Any]

COMPARED = ("name", "description", "tags", "template", "config")
ADOPT = "adopt"
OVERWRITE = "overwrite"
MOVED_FROM, FORMER_HOST = "movedFrom", "formerHost"
"""What a declared stack says for check alone: the host that it may leave, and the name that its host had."""


def as_props(name: str, config: Props, description: str, tags: tuple[str, ...], template: bool) -> Props:
    """The inputs of an object; what is default is left out."""
    props: Props = {"name": name}
    if description:
        props["description"] = description
    if tags:
        props["tags"] = list(tags)
    if template:
        props["template"] = True
    if config:
        props["config"] = config
    return props


def differences(want: Mapping[str, Any], have: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The fields in which two forms differ: path, wanted, present; None stands for the default."""
    found: list[tuple[str, Any, Any]] = []
    for key in COMPARED:
        if key == "config":
            wanted: Props = want.get("config") or {}
            present: Props = have.get("config") or {}
            for field in dict.fromkeys((*wanted, *present)):
                if wanted.get(field) != present.get(field):
                    found.append((f"config.{field}", wanted.get(field), present.get(field)))
        elif (want.get(key) or None) != (have.get(key) or None):
            found.append((key, want.get(key), have.get(key)))
    return found
