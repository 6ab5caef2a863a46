"""A wrong fleet is refused before anything runs: every problem at once, each with its place, its words and a hint."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from homeops.errors import FleetError
from homeops.fleet_graph import fleet_graph
from homeops.model.config.alerter import AlerterConfig
from homeops.model.config.execution import (
    BatchDeployStack,
    DeployStack,
    RunBuild,
    RunProcedure,
    read_execution,
)
from homeops.model.declaration import invalid_value
from homeops.model.fleet import Fleet
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.resources import (
    Alerter,
    Build,
    Builder,
    Deployment,
    Procedure,
    Repo,
    ResourceSync,
    Swarm,
    Tag,
    Variable,
    stage,
)
from homeops.model.stack import Stack
from tests.example_site import example_site

PERIPHERY = ContainerPeriphery(path="/root/komodo-periphery/compose.yaml")
HERE = "tests/test_bad_input.py"


@pytest.fixture
def at_the_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places are told relative to the current directory, which is the repository's when Pulumi runs."""
    monkeypatch.chdir(root)


pytestmark = pytest.mark.usefixtures("at_the_root")


def line_of(declare: Callable[..., Any], word: str) -> int:
    """The line of a declaration below the given function that holds a word."""
    code = declare.__code__
    lines = Path(code.co_filename).read_text(encoding="utf-8").splitlines()
    return next(
        number for number, text in enumerate(lines, 1) if number > code.co_firstlineno and word in text and "(" in text
    )


def problems(fleet: Fleet, root: Path, *hosts: str) -> str:
    """What is said of a fleet whose hosts have addresses; places without their lines."""
    with pytest.raises(FleetError) as raised:
        fleet_graph(fleet, example_site(*(hosts or (host.name for host in fleet.hosts))), root)
    return "\n".join(_without_line(line) for line in str(raised.value).splitlines())


def _without_line(text: str) -> str:
    if not text.startswith(f"{HERE}:"):
        return text
    number, _, rest = text.removeprefix(f"{HERE}:").partition(": ")
    assert number.isdigit()
    return rest


def host(name: str = "nvr", **fields: Any) -> Host:
    return Host(name, periphery=PERIPHERY, **fields)


def directory(root: Path, *names: str) -> None:
    """Stack directories with a compose file each."""
    for name in names:
        place = root / "docker/stacks" / name
        place.mkdir(parents=True)
        (place / "compose.yaml").write_text("services: {}\n", encoding="utf-8")


def test_a_problem_says_file_and_line_of_the_declaration(tmp_path: Path) -> None:
    declared = Stack("frigate", host="nvr", unknwn=1)  # pyright: ignore[reportCallIssue]
    with pytest.raises(FleetError) as raised:
        fleet_graph(Fleet(hosts=[host()], stacks=[declared]), example_site("nvr"), tmp_path)
    line = line_of(test_a_problem_says_file_and_line_of_the_declaration, "unknwn")
    assert str(raised.value).startswith(f'{HERE}:{line}: stack "frigate": unknown field "unknwn"')


def test_a_host_without_address(tmp_path: Path) -> None:
    assert problems(Fleet(hosts=[host("nvr"), host("omni")]), tmp_path, "nvr", "omny") == (
        'server "omni": the site has no address for this host; did you mean "omny"?\n'
        "  hint: add homeops:hosts: omni: {address: ..., sshUser: ...} to this Pulumi stack's settings\n"
        'settings: homeops:hosts: omny: no such host is declared; did you mean "omni"?'
    )


def test_a_stack_on_an_undeclared_host(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/frigate")
    assert problems(Fleet(hosts=[host()], stacks=[Stack("frigate", host="nvrr")]), tmp_path) == (
        'stack "frigate": host "nvrr" is not a declared host; did you mean "nvr"?\n  hint: hosts: nvr'
    )


def test_a_stack_without_a_host(tmp_path: Path) -> None:
    declared = Stack("frigate")  # pyright: ignore[reportCallIssue]
    assert problems(Fleet(hosts=[host()], stacks=[declared]), tmp_path) == 'stack "frigate": field "host" is missing'


def test_a_missing_directory(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/frigat")
    assert problems(Fleet(hosts=[host()], stacks=[Stack("frigate", host="nvr")]), tmp_path) == (
        'stack "frigate": docker/stacks/nvr/frigate does not exist; did you mean "docker/stacks/nvr/frigat"?\n'
        "  hint: make the directory with a compose.yaml, or give directory=... (host nvr)"
    )


def test_a_missing_compose_file(tmp_path: Path) -> None:
    (tmp_path / "docker/stacks/nvr/frigate").mkdir(parents=True)
    (tmp_path / "docker/stacks/nvr/frigate/config.yml").write_text("a: 1\n", encoding="utf-8")
    assert problems(Fleet(hosts=[host()], stacks=[Stack("frigate", host="nvr")]), tmp_path) == (
        'stack "frigate": docker/stacks/nvr/frigate holds no compose file\n'
        "  hint: write docker/stacks/nvr/frigate/compose.yaml"
    )


def test_two_stacks_with_one_name(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/web", "omni/web")
    fleet = Fleet(hosts=[host(), host("omni")], stacks=[Stack("web", host="nvr"), Stack("web", host="omni")])
    where = f"{HERE}:{line_of(test_two_stacks_with_one_name, 'stacks=[Stack')}"
    assert problems(fleet, tmp_path) == f'stack "web": declared already at {where}\n  hint: rename one of them'


@pytest.mark.parametrize(
    ("declared", "kind", "stored"),
    [
        (lambda: {"stacks": [Stack("My Web", host="nvr", directory="nvr/web")]}, 'stack "My Web"', "my_web"),
        (lambda: {"stacks": [Stack("web.app", host="nvr", directory="nvr/web")]}, 'stack "web.app"', "web_app"),
        (lambda: {"repos": [Repo("my repo")]}, 'repo "my repo"', "my_repo"),
        (lambda: {"deployments": [Deployment("-web", host="nvr")]}, 'deployment "-web"', "web"),
        (lambda: {"syncs": [ResourceSync(" sync")]}, 'resourcesync " sync"', "sync"),
    ],
)
def test_a_name_that_komodo_rewrites(
    tmp_path: Path, declared: Callable[[], dict[str, Any]], kind: str, stored: str
) -> None:
    directory(tmp_path, "nvr/web")
    assert problems(Fleet(hosts=[host()], **declared()), tmp_path) == (
        f'{kind}: Komodo would store this name as "{stored}"\n'
        f'  hint: call it "{stored}"; a sync would otherwise delete and create it in turns'
    )


def test_names_that_are_none(tmp_path: Path) -> None:
    fleet = Fleet(
        hosts=[host("507f1f77bcf86cd799439011")],
        variables=[Variable("2ND"), Variable("A-B"), Variable("A", value="two\nlines")],
        tags=[Tag("")],
    )
    assert problems(fleet, tmp_path).splitlines() == [
        'server "507f1f77bcf86cd799439011": Komodo takes a name of 24 hexadecimal digits for an id',
        "  hint: choose another name",
        'variable "2ND": a variable\'s name is letters, digits and _, not starting with a digit',
        'variable "A-B": a variable\'s name is letters, digits and _, not starting with a digit',
        'variable "A": a variable holds one line of at most 10000 bytes, without control characters',
        'tag "": the name is empty',
    ]


def test_an_unknown_field_names_the_nearest(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/web")
    declared = Stack("web", host="nvr", descripton="x", auto_pul=False)  # pyright: ignore[reportCallIssue]
    assert problems(Fleet(hosts=[host()], stacks=[declared]), tmp_path).splitlines() == [
        'stack "web": unknown field "descripton"; did you mean "description"?',
        'stack "web": unknown field "auto_pul"; did you mean "auto_pull"?',
    ]


def test_a_value_of_the_wrong_type(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/web")
    declared = [
        Stack("web", host="nvr", tags="a", auto_pull="perhaps"),  # pyright: ignore[reportArgumentType]
        Stack("other", host=5),  # pyright: ignore[reportArgumentType]
    ]
    fleet = Fleet(hosts=[host()], stacks=declared, tags=[Tag("a", color="Mauve"), Tag("b", color="Ornge")])
    assert problems(fleet, tmp_path).splitlines() == [
        'stack "web": auto_pull: Input should be a valid boolean, unable to interpret input',
        'stack "web": tags: Input should be a valid list',
        'stack "other": host.Host: Input should be a valid dictionary or instance of Host',
        'stack "other": host.str: Input should be a valid string',
        'tag "a": color: "Mauve" is not a colour of Komodo',
        'tag "b": color: "Ornge" is not a colour of Komodo; did you mean "Orange"?',
    ]


def test_a_number_out_of_komodos_range(tmp_path: Path) -> None:
    fleet = Fleet(hosts=[host(cpu_warning=inf)], deployments=[Deployment("web", host="nvr", replicas=3_000_000_000)])
    assert problems(fleet, tmp_path).splitlines() == [
        'server "nvr": cpu_warning: Input should be a finite number',
        'deployment "web": replicas: Input should be less than or equal to 2147483647',
    ]


def test_a_circle_of_stacks(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/a", "nvr/b", "nvr/c")
    stacks = [
        Stack("a", host="nvr", after=["b"]),
        Stack("b", host="nvr", after=["c"]),
        Stack("c", host="nvr", after=["a"]),
    ]
    assert problems(Fleet(hosts=[host()], stacks=stacks), tmp_path) == (
        'stack "a": a circle: a -> b -> c -> a\n  hint: take one of these out of after='
    )


def test_a_procedure_that_runs_itself(tmp_path: Path) -> None:
    procedures = [
        Procedure("outer", stages=[stage("Run", RunProcedure(procedure="inner"))]),
        Procedure("inner", stages=[stage("Run", RunProcedure(procedure="outer"))]),
    ]
    assert problems(Fleet(procedures=procedures), tmp_path) == (
        'procedure "outer": a circle: outer -> inner -> outer\n  hint: take one of these references out'
    )


def test_names_that_nothing_has(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/web")
    fleet = Fleet(
        hosts=[host()],
        stacks=[Stack("web", host="nvr", after=["wev"], linked_repo="r")],
        builds=[Build("image", builder="nobody")],
        builders=[Builder("builder", hosts=["nvrr"])],
        swarms=[Swarm("swarm", hosts=["nvr", "omni"])],
        procedures=[
            Procedure(
                "all",
                stages=[
                    stage("One", DeployStack(stack="web"), DeployStack(stack="wbe")),
                    stage("Two", RunBuild(build="ima")),
                ],
            )
        ],
    )
    assert problems(fleet, tmp_path).splitlines() == [
        'stack "web": linked_repo "r" is not a declared repo',
        "  hint: no repo is declared",
        'stack "web": after "wev" is not a declared stack; did you mean "web"?',
        "  hint: stacks: web",
        'swarm "swarm": server_ids[1] "omni" is not a declared host',
        "  hint: hosts: nvr",
        'builder "builder": params.server_ids[0] "nvrr" is not a declared host; did you mean "nvr"?',
        "  hint: hosts: nvr",
        'build "image": builder "nobody" is not a declared builder',
        "  hint: builders: builder",
        'procedure "all": stages[0].executions[1].execution.stack "wbe" is not a declared stack; did you mean "web"?',
        "  hint: stacks: web",
        'procedure "all": stages[1].executions[0].execution.build "ima" is not a declared build; did you mean "image"?',
        "  hint: builds: image",
    ]


def test_a_tag_need_not_be_declared(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/web")
    fleet = Fleet(hosts=[host(tags=["new"])], stacks=[Stack("web", host="nvr", tags=["new"])])
    assert [resource.name for resource in fleet_graph(fleet, example_site("nvr"), tmp_path).resources] == ["nvr", "web"]


def test_two_stacks_with_one_compose_project(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/a", "nvr/b", "omni/c")
    stacks = [
        Stack("a", host="nvr", project_name="web"),
        Stack("b", host="nvr", project_name="web"),
        Stack("c", host="omni", project_name="web"),
    ]
    assert problems(Fleet(hosts=[host(), host("omni")], stacks=stacks), tmp_path) == (
        'stack "b": compose project "web" on nvr belongs to stack "a" already\n  hint: give project_name=...'
    )


def test_a_former_name_that_is_declared_still(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/old", "nvr/new")
    stacks = [Stack("new", host="nvr", renamed_from="old"), Stack("old", host="nvr", project_name="other")]
    assert problems(Fleet(hosts=[host()], stacks=stacks), tmp_path) == (
        'stack "new": renamed_from "old" is declared as well, so it was not renamed\n'
        "  hint: take renamed_from away, or the other declaration"
    )


def test_core_in_a_batch(tmp_path: Path) -> None:
    directory(tmp_path, "nvr/core", "nvr/tunnel", "nvr/web")
    stacks = [
        Stack("core", host="nvr", control_plane=True, auto_update=True),
        Stack("tunnel", host="nvr", never_batch="it carries us"),
        Stack("web", host="nvr"),
    ]
    procedures = [
        Procedure("all", stages=[stage("All", BatchDeployStack(pattern="*"))]),
        Procedure("some", stages=[stage("Some", BatchDeployStack(pattern="web, w*"))]),
    ]
    assert problems(Fleet(hosts=[host()], stacks=stacks, procedures=procedures), tmp_path).splitlines() == [
        'stack "core": auto_update is on, but Core cannot replace itself in the middle of an update',
        'procedure "all": the pattern "*" takes in stack "core", which no batch may deploy: '
        "Core would restart in the middle of the procedure",
        "  hint: name the stacks that it shall deploy",
        'procedure "all": the pattern "*" takes in stack "tunnel", which no batch may deploy: it carries us',
        "  hint: name the stacks that it shall deploy",
    ]


def test_a_builder_of_no_or_of_two_sorts(tmp_path: Path) -> None:
    fleet = Fleet(hosts=[host()], builders=[Builder("none"), Builder("two", hosts=["nvr"], url={})])  # pyright: ignore[reportArgumentType]
    assert problems(fleet, tmp_path).splitlines() == [
        'builder "none": a builder has exactly one of hosts, url and aws',
        'builder "two": a builder has exactly one of hosts, url and aws',
    ]


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    """One problem hides no other: each of these is told although the others are wrong too."""
    directory(tmp_path, "nvr/a", "nvr/b")
    fleet = Fleet(
        hosts=[host("nvr"), host("lost"), Host("odd", perifery=PERIPHERY)],  # pyright: ignore[reportCallIssue]
        stacks=[
            Stack("a", host="nvr", after=["b"]),
            Stack("b", host="nvr", after=["a"]),
            Stack("c", host="nvr"),
            Stack("Big", host="nvr", directory="nvr/a", project_name="big"),
            Stack("a", host="nowhere"),
        ],
        alerters=[Alerter("pager", endpoint={"type": "Pager", "params": {}})],  # pyright: ignore[reportArgumentType]
    )
    told = problems(fleet, tmp_path, "nvr", "odd")
    for part in (
        'server "lost": the site has no address',
        'server "odd": unknown field "perifery"; did you mean "periphery"?',
        'server "odd": field "periphery" is missing',
        'stack "c": docker/stacks/nvr/c does not exist',
        'stack "Big": Komodo would store this name as "big"',
        'stack "a": declared already at',
        'stack "a": host "nowhere" is not a declared host',
        "a circle: ",
        "alerter \"pager\": endpoint: Input tag 'Pager'",
    ):
        assert part in told, told


def test_an_execution_that_cannot_be_made_is_told_with_its_line() -> None:
    with pytest.raises(ValidationError) as raised:
        DeployStack(stak="web", services="all")  # pyright: ignore[reportCallIssue, reportArgumentType]
    line = line_of(test_an_execution_that_cannot_be_made_is_told_with_its_line, "stak=")
    assert str(invalid_value(raised.value)).splitlines() == [
        f'{HERE}:{line}: DeployStack: field "stack" is missing',
        f"{HERE}:{line}: DeployStack: services: Input should be a valid list",
        f'{HERE}:{line}: DeployStack: unknown field "stak"',
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"type": "DeployStak", "params": {}},
            '"DeployStak" is not an execution of Komodo; did you mean "DeployStack"?',
        ),
        ({"type": "DeployStack"}, 'an execution is {"type": NAME, "params": {...}}'),
        ("DeployStack", 'an execution is {"type": NAME, "params": {...}}'),
    ],
)
def test_a_wire_form_that_is_no_execution(value: object, message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  # its whole text is compared
        read_execution(value)
    assert str(raised.value) == message


def test_a_value_is_never_changed_behind_a_declaration() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        AlerterConfig().enabled = True  # pyright: ignore[reportAttributeAccessIssue]
