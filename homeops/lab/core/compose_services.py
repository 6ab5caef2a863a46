"""The services of a compose text as Core reads them (stack/services.rs)."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import yaml

from homeops.lab.core.state import Document


class NotComposeError(ValueError):
    """The text is not YAML, or not a mapping with services such as Core expects."""


def services_of(texts: Iterable[str], project: str, digests: Mapping[str, str] | None = None) -> list[Document]:
    """What ``info.latest_services`` says of compose texts; a later text adds to and overrides the earlier ones.

    ``digests`` are the image digests known so far, by service. Raises NotComposeError at a text that Core cannot read.
    """
    found: dict[str, Document] = {}
    for text in texts:
        for name, service in _services(text).items():
            image, container = _text(service, "image"), _text(service, "container_name")
            known = found.get(name)
            if known is None:
                found[name] = {
                    "service_name": name,
                    "container_name": container if container is not None else f"{project}-{name}",
                    "image": image or "",
                    "image_digest": (digests or {}).get(name),
                }
                continue
            if container is not None:
                known["container_name"] = container
            if image is not None:
                known["image"] = image
    return list(found.values())


def _services(text: str) -> dict[str, Document]:
    try:
        loaded: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise NotComposeError(str(error)) from error
    if not isinstance(loaded, dict):
        raise NotComposeError("not a mapping")
    services = cast(dict[str, Any], loaded).get("services", {})
    if not isinstance(services, dict):
        raise NotComposeError("services: not a mapping")
    for name, service in cast(dict[Any, Any], services).items():
        if not isinstance(name, str) or not isinstance(service, dict):
            raise NotComposeError(f"services.{name}: not a mapping")
    return cast(dict[str, Document], services)


def _text(service: Document, name: str) -> str | None:
    value = service.get(name)
    if value is not None and not isinstance(value, str):
        raise NotComposeError(f"{name}: not a text")
    return value
