"""The fleet is the homelab that was run by hand: hosts, stacks, procedures, sync, as its notes had them."""

from pathlib import Path
from typing import TypeVar, cast

import pytest

from homeops.compose.compose_file import read_compose
from homeops.compose.image import parse_image
from homeops.fleet import declare
from homeops.fleet_graph import fleet_graph
from homeops.model.config.build import BuildConfig
from homeops.model.config.builder import ServerBuilder
from homeops.model.config.execution import DeployStack, Execution
from homeops.model.config.procedure import ProcedureConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig
from homeops.model.config.variable import VariableConfig
from homeops.model.fleet import Fleet
from homeops.model.graph import Graph
from homeops.model.host import AgeKey, ApparmorMask
from homeops.model.site import Site
from homeops.settings import load_settings

Config = TypeVar("Config")

# Host: address, user of SSH, role, manner and path of Periphery.
HOSTS = {
    "komodo": ("192.168.11.200", "root", "Komodo Core", "systemd", "/etc/komodo/periphery.config.toml"),
    "nvr": ("192.168.11.89", "root", "Video recording", "container", "/root/komodo-periphery/compose.yaml"),
    "kasm": ("192.168.11.34", "root", "Remote desktop (KASM)", "container", "/root/komodo-periphery/compose.yaml"),
    "omni": ("192.168.11.30", "root", "Talos K8s management", "container", "/root/komodo-periphery/compose.yaml"),
    "server04": ("192.168.11.17", "mohitsharma44", "App server", "container", "~/komodo-periphery/compose.yaml"),
    "seaweedfs": ("192.168.11.133", "mohitsharma44", "Object storage", "container", "~/komodo-periphery/compose.yaml"),
}
STACKS = {
    "komodo": {"komodo-core", "komodo-alloy"},
    "nvr": {"frigate", "nvr-alloy"},
    "kasm": {"newt", "kasm-alloy"},
    "omni": {"omni", "omni-alloy"},
    "server04": {"traefik", "vaultwarden", "server04-alloy"},
    "seaweedfs": {"seaweedfs", "seaweedfs-alloy"},
}
DIRECTORIES = {
    "komodo-core": "docker/stacks/komodo/core",
    "frigate": "docker/stacks/nvr/frigate",
    "newt": "docker/stacks/kasm/newt",
    "omni": "docker/stacks/omni/omni",
    "traefik": "docker/stacks/server04/traefik",
    "vaultwarden": "docker/stacks/server04/vaultwarden",
    "seaweedfs": "docker/stacks/seaweedfs/seaweedfs",
} | {f"{host}-alloy": "docker/stacks/shared/alloy" for host in HOSTS}
every_stack = pytest.mark.parametrize("name", DIRECTORIES)


def stack_of(graph: Graph, name: str) -> StackConfig:
    return _config(graph, "Stack", name, StackConfig)


def _config(graph: Graph, kind: str, name: str, of: type[Config]) -> Config:
    resource = graph.get(kind, name)
    assert resource is not None, f"no {kind} {name}"
    assert isinstance(resource.config, of)
    return resource.config


def executions(graph: Graph, procedure: str) -> list[Execution]:
    stages = _config(graph, "Procedure", procedure, ProcedureConfig).stages
    return [row.execution for part in stages if part.enabled for row in part.executions if row.enabled]


def deployed_by(graph: Graph, procedure: str) -> list[str]:
    found = executions(graph, procedure)
    assert all(isinstance(execution, DeployStack) for execution in found)
    return [execution.stack for execution in cast(list[DeployStack], found)]


def test_the_hosts_are_the_six_with_their_facts(fleet: Fleet, site: Site) -> None:
    found = {
        host.name: (
            site.hosts[host.name].address,
            site.hosts[host.name].ssh_user,
            host.role,
            host.periphery.manner,
            host.periphery.path,
        )
        for host in fleet.hosts
    }
    assert set(found) == set(HOSTS)
    for name, (address, user, role, manner, path) in HOSTS.items():
        assert found[name][:2] == (address, user)
        assert found[name][2].startswith(role)
        assert found[name][3:] == (manner, path)


def test_core_reaches_each_host_over_tls_on_peripherys_port(graph: Graph) -> None:
    for name, (address, *_) in HOSTS.items():
        config = _config(graph, "Server", name, ServerConfig)
        assert config.address == f"https://{address}:8120"
        assert config.enabled


def test_oddities_of_hosts_are_declared_with_their_reason(fleet: Fleet) -> None:
    quirks = {host.name: {quirk.name: quirk for quirk in host.quirks} for host in fleet.hosts}
    assert set(quirks["komodo"]) == {"age-key", "apparmor-mask", "native-sops"}
    assert set(quirks["server04"]) == {"age-key", "docker-dns"}
    assert all(set(quirks[name]) == {"age-key"} for name in ("nvr", "kasm", "omni", "seaweedfs"))
    mask = quirks["komodo"]["apparmor-mask"]
    assert isinstance(mask, ApparmorMask)
    assert (mask.unit, mask.mount) == ("mask-apparmor.service", "/sys/kernel/security")
    for host in quirks.values():
        key = host["age-key"]
        assert isinstance(key, AgeKey)
        assert key.path == "/etc/sops/age/keys.txt"
        assert all(len(quirk.reason) > 30 for quirk in host.values())


def test_kasm_workspaces_is_not_managed_and_says_so(fleet: Fleet, graph: Graph) -> None:
    (kasm,) = (host for host in fleet.hosts if host.name == "kasm")
    assert set(kasm.unmanaged) == {"KASM Workspaces"}
    assert {stack.name for stack in graph.of("Stack") if stack_of(graph, stack.name).server_id == "kasm"} == STACKS[
        "kasm"
    ]


def test_the_stacks_are_the_thirteen_on_their_hosts(graph: Graph) -> None:
    found: dict[str, set[str]] = {}
    for stack in graph.of("Stack"):
        found.setdefault(stack_of(graph, stack.name).server_id, set()).add(stack.name)
    assert found == STACKS
    assert len(graph.of("Stack")) == 13


@every_stack
def test_a_stack_has_its_files_from_its_directory_of_the_repository(graph: Graph, name: str) -> None:
    config, directory = stack_of(graph, name), DIRECTORIES[name]
    assert (config.repo, config.branch) == ("mohitsharma44/homeops", "main")
    assert config.file_paths == [f"{directory}/compose.yaml"]
    assert config.project_name == name


@every_stack
def test_the_hook_decrypts_where_the_compose_file_is_and_secrets_stay_out_of_komodo(graph: Graph, name: str) -> None:
    config = stack_of(graph, name)
    assert (config.pre_deploy.path, config.pre_deploy.command) == (DIRECTORIES[name], "sops-decrypt.sh\n")
    assert config.compose_cmd_wrapper == "[[COMPOSE_COMMAND]] --no-env-resolution"
    assert config.compose_cmd_wrapper_include == ["config"]
    assert not any(file.track and "env" in file.path for file in config.additional_env_files)


@every_stack
def test_a_stack_is_tagged_by_what_it_is_and_by_its_host(graph: Graph, name: str) -> None:
    resource = graph.get("Stack", name)
    assert resource is not None
    assert resource.tags[-1] == stack_of(graph, name).server_id
    assert len(resource.tags) == 2
    assert resource.description


def test_every_host_has_the_same_monitoring_under_its_own_name(graph: Graph) -> None:
    for host in HOSTS:
        config = stack_of(graph, f"{host}-alloy")
        assert config.environment == f"HOSTNAME={host}\n"
    assert {resource.name for resource in graph.of("Stack") if "monitoring" in resource.tags} == {
        f"{host}-alloy" for host in HOSTS
    }


def test_core_is_never_updated_by_itself_nor_by_a_batch(graph: Graph, fleet: Fleet) -> None:
    assert not stack_of(graph, "komodo-core").auto_update
    assert not stack_of(graph, "komodo-core").poll_for_updates
    for procedure in graph.of("Procedure"):
        assert "komodo-core" not in [getattr(execution, "stack", "") for execution in executions(graph, procedure.name)]
    assert [stack.name for stack in fleet.stacks if stack.control_plane] == ["komodo-core"]


def test_deploy_all_stacks_is_every_stack_but_core_and_the_tunnel(graph: Graph) -> None:
    deployed = deployed_by(graph, "deploy-all-stacks")
    assert len(deployed) == len(set(deployed))
    assert set(DIRECTORIES) - set(deployed) == {"komodo-core", "newt"}


def test_a_stack_that_no_batch_deploys_says_why(fleet: Fleet) -> None:
    assert {stack.name: bool(stack.never_batch) for stack in fleet.stacks if stack.never_batch} == {"newt": True}


def test_deploy_alloy_stacks_is_the_monitoring_of_every_host(graph: Graph) -> None:
    assert sorted(deployed_by(graph, "deploy-alloy-stacks")) == sorted(f"{host}-alloy" for host in HOSTS)


def test_the_scheduled_jobs_are_backup_rebuild_and_update(graph: Graph) -> None:
    scheduled = {
        procedure.name: [type(execution).__name__ for execution in executions(graph, procedure.name)]
        for procedure in graph.of("Procedure")
        if _config(graph, "Procedure", procedure.name, ProcedureConfig).schedule
    }
    assert scheduled == {
        "backup-core-database": ["BackupCoreDatabase"],
        "rebuild-periphery": ["RunBuild"],
        "auto-update": ["GlobalAutoUpdate"],
    }
    assert {procedure.name for procedure in graph.of("Procedure")} - set(scheduled) == {
        "deploy-all-stacks",
        "deploy-alloy-stacks",
    }


def test_a_deploy_goes_through_the_order_of_the_stages(graph: Graph) -> None:
    deployed = deployed_by(graph, "deploy-all-stacks")
    for stack in graph.of("Stack"):
        for before in stack.after:
            if stack.name in deployed:
                assert deployed.index(before) < deployed.index(stack.name)


def test_the_sync_declares_itself_because_it_deletes_what_is_not_declared(graph: Graph) -> None:
    config = _config(graph, "ResourceSync", "mohitsharma44/homeops", ResourceSyncConfig)
    assert config.delete
    assert config.resource_path == ["docker/komodo-resources"]
    assert (config.repo, config.branch) == ("mohitsharma44/homeops", "main")
    assert config.include_variables
    assert not config.match_tags
    assert len(graph.of("ResourceSync")) == 1


def test_the_periphery_image_is_built_on_server04_from_the_repository(graph: Graph, site: Site, root: Path) -> None:
    config = _config(graph, "Build", "periphery-custom", BuildConfig)
    assert config.builder_id == "server04-builder"
    assert _config(graph, "Builder", "server04-builder", ServerBuilder).params.server_ids == ["server04"]
    assert (root / config.build_path / config.dockerfile_path).is_file()
    (registry,) = config.image_registry
    image = f"{registry.domain}/{registry.account}/{config.image_name}"
    assert image == "docker.io/mohitsharma44/komodo-periphery-sops"
    assert config.include_latest_tag
    assert f"PERIPHERY_TAG={site.versions.komodo}\n" in config.build_args


def test_the_addresses_of_komodo_are_those_that_people_know(site: Site) -> None:
    assert site.komodo.url == "https://komodo.sharmamohit.com"
    assert site.komodo.address == "http://komodo.sharmamohit.com:9120"


def test_variables_are_set_and_hold_no_secret(graph: Graph) -> None:
    variables = {variable.name: cast(VariableConfig, variable.config) for variable in graph.of("Variable")}
    assert all(config.value and not config.is_secret for config in variables.values())
    assert not [name for name in variables if any(word in name for word in ("PASSWORD", "TOKEN", "SECRET"))]


@every_stack
def test_every_variable_that_an_environment_names_is_declared(graph: Graph, name: str) -> None:
    variables = {variable.name for variable in graph.of("Variable")}
    for line in stack_of(graph, name).environment.splitlines():
        value = line.partition("=")[2]
        if value.startswith("[["):
            assert value[2:-2] in variables


def test_every_tag_that_is_used_is_declared_with_a_colour(graph: Graph) -> None:
    used = {tag for resource in graph.resources for tag in resource.tags}
    assert used == {tag.name for tag in graph.of("Tag")}


def test_no_image_floats(root: Path) -> None:
    """``latest`` is nowhere but in the tag of our own image, which hosts pull."""
    checked = 0
    for path in sorted((root / "docker/stacks").glob("*/*/compose.yaml")):
        for service in read_compose(path).services:
            assert parse_image(service.image).pinned, f"{path}: {service.name}: {service.image}"
            checked += 1
    assert checked >= 9


def test_every_directory_of_a_stack_is_declared(root: Path) -> None:
    found = {str(path.parent.relative_to(root)) for path in (root / "docker/stacks").glob("*/*/compose.yaml")}
    assert found == set(DIRECTORIES.values())


def test_what_holds_data_is_protected_with_a_reason(fleet: Fleet) -> None:
    protected = {stack.name for stack in fleet.stacks if stack.protect and stack.protect.reason}
    assert protected == {"komodo-core", "frigate", "vaultwarden", "seaweedfs"}


def test_the_rehearsal_is_the_same_fleet_elsewhere(graph: Graph, root: Path) -> None:
    lab = load_settings("lab", root)
    rehearsed = fleet_graph(declare(lab), lab, root)
    assert [resource.key for resource in rehearsed.resources] == [resource.key for resource in graph.resources]
    for resource in rehearsed.resources:
        assert "192.168." not in resource.config.model_dump_json()
        assert "sharmamohit.com" not in resource.config.model_dump_json()
