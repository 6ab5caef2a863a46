"""``homeops plan`` of a fleet that Komodo has already: what is taken over is not told as created."""

from typing import Any

from homeops.cli.plan import lines
from homeops.cli.planned import Plan, plan_of

HINT = """\
  hint: homeops adopt stack/web -s test --keep komodo   writes Komodo's values into the fleet
    or: homeops adopt stack/web -s test --keep fleet    lets pulumi up overwrite them"""
TOLD = f"""\
tag "a "b"" exists in Komodo and equals the declaration: it will be adopted
stack "db" exists in Komodo: it will be adopted, and 2 fields overwritten
    description: Komodo has 'by hand', declared is 'a database'
    config.auto_pull: Komodo has False, declared is the default
stack "web" exists in Komodo and differs, so pulumi up will refuse to adopt it
    config.environment: Komodo has 'TZ=hidden', declared is 'TZ=UTC'
{HINT}
"""


def created(kind: str, name: str) -> dict[str, Any]:
    type_ = f"pulumi-python:dynamic/komodo:{kind}"
    urn = f"urn:pulumi:test::homeops::{type_}::{name}"
    return {"op": "create", "urn": urn, "newState": {"urn": urn, "type": type_, "custom": True, "inputs": {}}}


def planned() -> Plan:
    steps = [created("Tag", 'a "b"'), created("Stack", "db"), created("Stack", "web"), created("Stack", "new")]
    return plan_of("test", {"exit": 0, "steps": steps, "diagnostics": [{"severity": "info", "message": TOLD}]})


def test_what_komodo_has_is_taken_over_and_what_is_refused_is_neither() -> None:
    assert [(item.name, item.how, item.fields) for item in planned().objects] == [
        ("db", "adopt", ["description", "config.auto_pull"]),
        ("new", "create", []),
        ('a "b"', "adopt", []),
    ]
    assert list(lines(planned()))[1:] == [
        "taken over as Komodo has it",
        '  Tag a "b"',
        "changes in Komodo",
        "  taken over and changed: Stack db (description, config.auto_pull)",
        "  created: Stack new",
    ]


def test_a_refusal_names_both_ways_out_and_no_value() -> None:
    told = 'stack "web" exists in Komodo and differs, so pulumi up will refuse to adopt it: config.environment'
    assert planned().refusals == [f"{told}\n{HINT}"]
    assert planned().notes == []
