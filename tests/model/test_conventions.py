"""What a declaration leaves out is filled in; what it says wins."""

import pytest

from homeops.model.config.build import ImageRegistryConfig
from homeops.model.config.builder import AwsBuilder, AwsBuilderConfig, ServerBuilder, UrlBuilder, UrlBuilderConfig
from homeops.model.config.command import SystemCommand
from homeops.model.config.stack import StackConfig, StackFileDependency
from homeops.model.conventions import (
    build_config,
    builder_config,
    environment_text,
    registry_of,
    repo_config,
    server_config,
    stack_config,
    sync_config,
)
from homeops.model.graph import StackFiles
from homeops.model.host import ContainerPeriphery, Host
from homeops.model.resources import Build, Builder, Repo, ResourceSync
from homeops.model.site import RepositoryFacts
from homeops.model.stack import Stack
from homeops.model.wire import minimal
from tests.example_site import example_site

SITE = example_site("nvr")
NVR = Host("nvr", periphery=ContainerPeriphery(path="/root/komodo-periphery/compose.yaml"))
FILES = StackFiles(compose=("compose.yaml",), secrets=(".sops.env",), config=("site.conf",))


def test_a_stack_has_its_files_its_hook_and_its_project() -> None:
    assert minimal(stack_config(Stack("web", host=NVR, env={"A": "1", "B": ""}), SITE, FILES)) == {
        "server_id": "nvr",
        "project_name": "web",
        "repo": "someone/fleet",
        "file_paths": ["docker/stacks/nvr/web/compose.yaml"],
        "config_files": [
            {"path": "docker/stacks/nvr/web/site.conf", "requires": "Restart"},
            {"path": "docker/stacks/nvr/web/.sops.env", "requires": "Redeploy"},
        ],
        "pre_deploy": {"path": "docker/stacks/nvr/web", "command": "sops-decrypt.sh\n"},
        "compose_cmd_wrapper": "[[COMPOSE_COMMAND]] --no-env-resolution",
        "compose_cmd_wrapper_include": ["config"],
        "environment": "A=1\nB=\n",
    }


def test_a_stack_without_secrets_has_no_hook() -> None:
    config = stack_config(Stack("web", host=NVR), SITE, StackFiles(compose=("compose.yaml",)))
    assert config.pre_deploy == SystemCommand()
    assert config.compose_cmd_wrapper == ""


def test_a_renamed_stack_keeps_its_compose_project() -> None:
    config = stack_config(Stack("new", host=NVR, renamed_from="old"), SITE, FILES)
    assert config.project_name == "old"
    assert config.file_paths == ["docker/stacks/nvr/new/compose.yaml"]


@pytest.mark.parametrize(
    ("directory", "path"),
    [
        ("", "docker/stacks/nvr/web"),
        ("shared/agent", "docker/stacks/shared/agent"),
        ("docker/elsewhere", "docker/elsewhere"),
    ],
)
def test_where_the_files_of_a_stack_are(directory: str, path: str) -> None:
    declared = Stack("web", host="nvr", directory=directory)
    assert declared.path == path
    assert stack_config(declared, SITE, FILES).file_paths == [f"{path}/compose.yaml"]


def test_every_derived_value_can_be_given() -> None:
    given = StackConfig(
        project_name="other",
        branch="next",
        file_paths=["x.yaml"],
        config_files=[StackFileDependency(path="y")],
        pre_deploy=SystemCommand(command="true\n"),
        compose_cmd_wrapper="time [[COMPOSE_COMMAND]]",
        compose_cmd_wrapper_include=["up"],
        environment="X=1\n",
    )
    declared = Stack(
        "web",
        host=NVR,
        env={"A": "1"},
        project_name=given.project_name,
        branch=given.branch,
        file_paths=given.file_paths,
        config_files=given.config_files,
        pre_deploy=given.pre_deploy,
        compose_cmd_wrapper=given.compose_cmd_wrapper,
        compose_cmd_wrapper_include=given.compose_cmd_wrapper_include,
        environment=given.environment,
    )
    assert stack_config(declared, SITE, FILES) == given.model_copy(update={"server_id": "nvr", "repo": "someone/fleet"})


def test_an_explicit_default_wins_over_a_convention() -> None:
    declared = Stack("web", host=NVR, project_name="", pre_deploy=SystemCommand(), file_paths=[])
    config = stack_config(declared, SITE, FILES)
    assert (config.project_name, config.pre_deploy, config.file_paths) == ("", SystemCommand(), [])


@pytest.mark.parametrize("source", [{"file_contents": "services: {}\n"}, {"files_on_host": True}, {"linked_repo": "r"}])
def test_a_stack_with_a_source_of_its_own_takes_nothing_from_the_repository(source: dict[str, object]) -> None:
    declared = Stack("web", host=NVR, **source)  # pyright: ignore[reportArgumentType]
    assert minimal(stack_config(declared, SITE, FILES)) == {"server_id": "nvr", "project_name": "web", **source}


def test_a_server_is_reached_at_the_address_of_the_site() -> None:
    assert minimal(server_config(NVR, SITE)) == {"address": "https://127.0.0.1:8120", "enabled": True}
    given = Host("nvr", periphery=NVR.periphery, address="https://other:1", enabled=False)
    assert minimal(server_config(given, SITE)) == {"address": "https://other:1"}


def test_a_repository_elsewhere_is_told_in_full() -> None:
    facts = RepositoryFacts(name="a/b", branch="next", provider="git.example", https=False, account="bot")
    site = SITE.model_copy(update={"repository": facts})
    git = {
        "repo": "a/b",
        "branch": "next",
        "git_provider": "git.example",
        "git_https": False,
        "git_account": "bot",
    }
    assert minimal(repo_config(Repo("r"), site)) == git
    assert minimal(sync_config(ResourceSync("s"), site)) == git
    assert minimal(build_config(Build("b", builder="x"), site)) == git | {"builder_id": "x"}
    assert minimal(repo_config(Repo("r", repo="c/d", host=NVR), site)) == {"repo": "c/d", "server_id": "nvr"}
    assert minimal(sync_config(ResourceSync("s", file_contents="# x\n"), site)) == {"file_contents": "# x\n"}


def test_a_build_is_made_from_its_directory_with_its_arguments() -> None:
    declared = Build("image", builder="builder", directory="docker/image", args={"A": "1"})
    assert minimal(build_config(declared, SITE)) == {
        "builder_id": "builder",
        "repo": "someone/fleet",
        "build_path": "docker/image",
        "build_args": "A=1\n",
    }


def test_a_builder_is_of_the_type_that_its_fields_say() -> None:
    assert builder_config(Builder("b", hosts=[NVR, "other"])) == ServerBuilder.model_validate(
        {"params": {"server_ids": ["nvr", "other"]}}
    )
    url, aws = UrlBuilderConfig(address="https://x:1"), AwsBuilderConfig(region="eu-central-1")
    assert builder_config(Builder("b", url=url)) == UrlBuilder(params=url)
    assert builder_config(Builder("b", aws=aws)) == AwsBuilder(params=aws)


def test_a_registry_is_the_beginning_of_an_image() -> None:
    assert registry_of("docker.io/someone/image") == ImageRegistryConfig(domain="docker.io", account="someone")


def test_an_environment_is_a_line_a_variable() -> None:
    assert environment_text({"A": "1", "B": "two words"}) == "A=1\nB=two words\n"
    assert environment_text({}) == ""
