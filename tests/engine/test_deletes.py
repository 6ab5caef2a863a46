"""What a run may delete, through the real engine: told, counted, refused as a whole, and in the right order."""

import pytest

from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.fleets import COMPOSE, FleetProject

ON = {"PULUMI_CONTINUE_ON_ERROR": "true"}
"""How homeops is run (tools/env.sh)."""

HOSTS = """
one = Host("one", periphery=RUNS)
two = Host("two", periphery=RUNS)
"""
FLEET = f"""{HOSTS}
web = Stack("web", host=one)
db = Stack("db", host=two)
aside = Stack("aside", host=two)
variables = [Variable(f"V{{number}}", value="1") for number in range(12)]
return Fleet(hosts=[one, two], stacks=[web, db, aside], variables=variables)
"""
FILES = {f"{path}/compose.yaml": COMPOSE.format(1) for path in ("one/web", "two/db", "two/aside")}


@pytest.fixture
def fleet(project: Project, core: TestCore) -> FleetProject:
    made = FleetProject(project, core, "one", "two")
    made.write(FILES)
    made.declare(FLEET)
    project.environ = {**project.environ, **ON}
    project.up().check()
    core.asked()
    return made


def test_x(project: Project, core: TestCore, fleet: FleetProject) -> None:
    fleet.declare("return Fleet()")
    settings = project.settings
    project.configure(**{**settings, "hosts": {}})
    for run in (project.preview(), project.up()):
        print(run.exit, run.text)
    fleet.declare(FLEET.replace("db, aside]", "db]"))
    project.configure(**settings)
    print(project.preview().text)
    fleet.declare("raise ValueError(1)")
    print(project.up().text)
    fleet.declare("return Fleet(stacks=[Stack('x', host='y')])")
    print(project.up().text)
    print(core.all("Stack").keys())
    print(writes(core.asked()))
    assert 0
