"""The text of a package: what a person wrote is in it, what conventions say is not, and ruff would change nothing."""

from pathlib import Path

from homeops.imports.declarations import Conventions, declared
from homeops.imports.from_toml import from_toml
from homeops.imports.hidden import looks_secret, without_secrets
from homeops.imports.package import Entry, package
from homeops.model.config.stack import StackConfig
from homeops.model.graph import Resource, StackFiles
from tests.example_site import example_site
from tests.imports.packages import made_of, ruff_is_content, written

TOML = '''\
# The machine in the cellar.
# It hums.

[[server]]
name = "nvr"
config.address = "https://127.0.0.1:8120"
config.enabled = true

####################

# Cameras
[[stack]]
name = "Frigate"  # watches
tags = ["media"]
# Not before the proxy.
after = ["proxy"]
[stack.config]
server = "nvr"
repo = "someone/fleet"
run_directory = "nvr/frigate"  # where compose.yaml is
# TOKEN=abc123def
environment = """
  # the time zone
  TZ = Etc/UTC
  NAME = "it's"
"""
# nothing else

[[stack]]
name = "proxy"
[stack.config]
server = "nvr"
repo = "someone/fleet"
environment = """
A=1
B=two words
"""
pre_deploy.command = "echo 'a\\\\b'"

[[procedure]]
name = "nightly"
config.schedule = "Every day at 03:00"
[[procedure.config.stage]]
name = "one"
executions = [
  { execution.type = "DeployStack", execution.params.stack = "proxy", enabled = true },
]
[[procedure.config.stage]]
name = "two"
enabled = false
executions = [
  { execution.type = "Sleep", execution.params.duration_ms = 1000, enabled = false },
]

[[builder]]
name = "here"
config = { type = "Server", params.server = "nvr" }
# The end.
'''

NVR = '''\
"""Stacks of nvr."""
# ruff: noqa: ERA001, RUF100 - texts and comments are as they were in Komodo

from homeops.model.config.command import SystemCommand
from homeops.model.stack import Stack

from ..hosts import nvr

# Cameras
# watches
# nothing else
frigate = Stack(
    "frigate",
    host=nvr,
    tags=["media"],
    # Not before the proxy.
    after=["proxy"],
    file_paths=[],
    project_name="",
    # where compose.yaml is
    run_directory="nvr/frigate",
    # TOKEN=...
    environment="""\\
  # the time zone
  TZ = Etc/UTC
  NAME = "it's"
""",
)

proxy = Stack(
    "proxy",
    host=nvr,
    env={"A": "1", "B": "two words"},
    file_paths=[],
    project_name="",
    pre_deploy=SystemCommand(command="echo 'a\\\\b'\\n"),
)

STACKS = (frigate, proxy)
'''


def package_of(text: str, directory: Path) -> tuple[dict[str, str], list[str]]:
    """The modules made of a text, and what is said of it."""
    place = directory / "toml"
    place.mkdir()
    (place / "all.toml").write_text(text)
    made = made_of(from_toml([place]))
    written(made, directory)
    return dict(made.files), [str(note) for note in made.notes]


def test_a_module_reads_as_if_a_person_had_written_it(tmp_path: Path) -> None:
    files, _ = package_of(TOML, tmp_path)
    assert files["stacks/nvr.py"] == NVR
    assert "# The machine in the cellar.\n# It hums.\nnvr = Host(" in files["hosts.py"]
    assert 'stages=[\n            stage("one", DeployStack(stack="proxy")),\n' in files["procedures.py"]
    assert "# The end.\n" in files["builds.py"]
    assert sorted(files) == [
        "__init__.py",
        "builds.py",
        "hosts.py",
        "procedures.py",
        "stacks/__init__.py",
        "stacks/nvr.py",
    ]


def test_ruff_would_change_nothing(tmp_path: Path, root: Path) -> None:
    awkward = "".join(
        f'[[stack]]\nname = "{name}"\nconfig.server = "nvr"\nconfig.file_contents = {text}\n'
        for name, text in {
            "class": '"""\nservices: {}  \n\ttabbed: "0.0.0.0:80"\n"""',
            "2fa": '"' + "x" * 200 + '"',
            "nvr": "'''\nquotes: \"\"\" and \u2019 and \\\\ 漢字漢字\n'''",
            "stack": '"a\\tb\\u0007 /tmp/x"',
            "list": '"""' + "word " * 40 + '\n  # key = 1\n"""',
        }.items()
    )
    package_of(TOML + awkward, tmp_path)
    ruff_is_content(tmp_path, root)


def test_a_stack_of_the_conventions_is_one_line() -> None:
    path = "docker/stacks/nvr/frigate"
    files = StackFiles(compose=("compose.yaml",))
    config = StackConfig(
        server_id="nvr",
        project_name="frigate",
        repo="someone/fleet",
        file_paths=[f"{path}/compose.yaml"],
        environment="TZ=Etc/UTC\n",
    )
    by = Conventions(example_site("nvr"), {path: files})
    files = package([Entry(declared(Resource("Stack", "frigate", config), by))], "A test.")
    assert '\nfrigate = Stack("frigate", host="nvr", env={"TZ": "Etc/UTC"})\n' in files["stacks/nvr.py"]


def test_what_looks_like_a_secret_and_what_only_sounds_like_one() -> None:
    for text in (
        "DB_PASSWORD=hunter2",
        "  - API_KEY: 'a b'  # comment",
        "url = postgres://user:hunter2@db/x",
        "const apiKey = 'abcdef123'",
        "ghp_" + "a" * 36,
        "AGE-SECRET-KEY-1QQQQ",
    ):
        assert looks_secret(text), text
        assert "hunter2" not in without_secrets(text)
    for text in (
        "DB_PASSWORD=[[DB_PASSWORD]]",
        "DB_PASSWORD=${DB_PASSWORD}",
        "DISABLE_PASSWORD_AUTH=true",
        "TOKEN_EXPIRY=3600",
        "SECRET_FILE=/run/secrets/x",
        "TOKEN_URL=https://id.example/oidc",
        "see the token: it is in the vault of the house",
        "image: ghcr.io/someone/passwords:1.2",
        "url = postgres://user:$PASS@db/x",
    ):
        assert not looks_secret(text), text
