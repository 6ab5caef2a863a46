"""YAML as ``docker compose config`` writes it (go-yaml): indented lists, texts that look like something else in quotes."""

from typing import Any, cast

import yaml


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    if "\n" in value:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    plain = dumper.resolve(yaml.ScalarNode, value, (True, False))
    style = None if plain == "tag:yaml.org,2002:str" else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _nothing(dumper: yaml.SafeDumper, _value: None) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "null")


_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), _nothing)


def compose_yaml(document: dict[str, Any]) -> str:
    """A document as text."""
    return cast(str, yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True))
