"""YAML as ``docker compose config`` writes it (go-yaml): indented lists, quotes where a text looks like a number."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - never indentless
        super().increase_indent(flow, indentless=False)


_TEXT = "tag:yaml.org,2002:str"


def _text(dumper: Any, value: str) -> Any:
    if "\n" in value:
        return dumper.represent_scalar(_TEXT, value, style="|")
    plain: str = dumper.resolve(yaml.ScalarNode, value, (True, False))
    return dumper.represent_scalar(_TEXT, value, style=None if plain == _TEXT else '"')


def _nothing(dumper: Any, _value: None) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "null")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), _nothing)


def compose_yaml(document: dict[str, Any]) -> str:
    """A document as text."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
