"""What a declaration leaves out: how a host, a stack, a build become Komodo's configuration. Explicit fields win."""

from typing import Any

from homeops.model.config.build import BuildConfig, ImageRegistryConfig
from homeops.model.config.builder import AwsBuilder, ServerBuilder, ServerBuilderConfig, UrlBuilder
from homeops.model.config.command import SystemCommand
from homeops.model.config.repo import RepoConfig
from homeops.model.config.resource_sync import ResourceSyncConfig
from homeops.model.config.server import ServerConfig
from homeops.model.config.stack import StackConfig, StackFileDependency
from homeops.model.declaration import Declaration
from homeops.model.environment import entries
from homeops.model.fields import KomodoModel
from homeops.model.graph import Directories, StackFiles
from homeops.model.host import Host, periphery_address
from homeops.model.kinds import KINDS
from homeops.model.resources import Build, Builder, Deployment, Repo, ResourceSync, Swarm
from homeops.model.rollout import Rollout
from homeops.model.site import RepositoryFacts, Site
from homeops.model.stack import Stack, name_of

DECRYPT = "sops-decrypt.sh"
"""The hook that decrypts a stack's secrets; in the custom Periphery image and on hosts with a systemd Periphery."""

KEEP_SECRETS_OUT = "[[COMPOSE_COMMAND]] --no-env-resolution"
"""Wraps ``docker compose config``, which otherwise prints every value of ``env_file`` into Komodo's database."""


def environment_text(variables: dict[str, str]) -> str:
    """``KEY=value`` lines, as Komodo's environment fields hold them."""
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def variables_of(text: str) -> dict[str, str] | None:
    """The variables of which ``environment_text`` makes just this text; None for one that says more, or otherwise."""
    variables = dict(entries(text))
    return variables if environment_text(variables) == text else None


def _git(repository: RepositoryFacts) -> dict[str, Any]:
    fields: dict[str, Any] = {"repo": repository.name, "branch": repository.branch}
    if repository.provider != "github.com":
        fields["git_provider"] = repository.provider
    if not repository.https:
        fields["git_https"] = False
    if repository.account:
        fields["git_account"] = repository.account
    return fields


def config_of(declaration: Declaration, site: Site, directories: Directories) -> KomodoModel:
    """The configuration of whatever is declared. ``directories``: those of the repository, for stacks."""
    given: dict[str, Any] = {}
    match declaration:
        case Host():
            return server_config(declaration, site)
        case Stack():
            return stack_config(declaration, site, directories.get(declaration.path, StackFiles()))
        case Builder():
            return builder_config(declaration)
        case Build():
            return build_config(declaration, site)
        case Repo():
            return repo_config(declaration, site)
        case ResourceSync():
            return sync_config(declaration, site)
        case Deployment():
            given = {"server_id": name_of(declaration.host)}
        case Swarm():
            given = {"server_ids": [name_of(host) for host in declaration.hosts]}
        case _:
            pass
    kind = KINDS[declaration.kind]
    return kind.config.validate_python({**given, **declaration.declared(kind.shape)})


def server_config(host: Host, site: Site) -> ServerConfig:
    """The Server of a host: enabled, Core dials its Periphery over TLS."""
    facts = site.hosts.get(host.name)
    derived: dict[str, Any] = {"enabled": True}
    if facts is not None:
        derived["address"] = periphery_address(facts.address)
    return ServerConfig(**{**derived, **host.declared(ServerConfig)})


def stack_config(stack: Stack, site: Site, files: StackFiles) -> StackConfig:
    """The Stack of a declaration: files from the repository, secrets by the hook, the project name pinned.

    The project name is pinned because a renamed stack otherwise leaves its named volumes behind.
    """
    derived: dict[str, Any] = {"server_id": stack.host_name, "project_name": stack.renamed_from or stack.name}
    own_source = stack.model_fields_set & {"repo", "linked_repo", "file_contents", "files_on_host"}
    if not own_source:
        derived |= _git(site.repository)
        derived["file_paths"] = [f"{stack.path}/{file}" for file in files.compose]
        # A mounted file does not recreate its container, so its change needs a restart; a secret's change a deploy.
        derived["config_files"] = [
            *(StackFileDependency(path=f"{stack.path}/{file}", requires="Restart") for file in files.config),
            *(StackFileDependency(path=f"{stack.path}/{file}", requires="Redeploy") for file in files.secrets),
        ]
        if files.secrets:
            derived["pre_deploy"] = SystemCommand(path=stack.path, command=f"{DECRYPT}\n")
            derived["compose_cmd_wrapper"] = KEEP_SECRETS_OUT
            derived["compose_cmd_wrapper_include"] = ["config"]
    if stack.env:
        derived["environment"] = environment_text(stack.env)
    return StackConfig(**{**derived, **stack.declared(StackConfig)})


def rollout(stack: Stack, site: Site) -> Rollout:
    """How a stack is deployed: as it says, else as the site does."""
    health = stack.health
    return Rollout(
        timeout=stack.deploy_timeout or site.deploy_timeout_seconds,
        health_deadline=health.deadline or site.health.deadline,
        health_stable=site.health.stable if health.stable is None else health.stable,
        one_shot=[*health.one_shot, *stack.ignore_services],
        per_host=site.deploys_per_host,
        rollback=stack.rollback,
        core=site.versions.komodo if stack.control_plane else "",
    )


def build_config(build: Build, site: Site) -> BuildConfig:
    """The Build of a declaration: from the fleet's repository unless it names another source."""
    derived: dict[str, Any] = {"builder_id": name_of(build.builder)}
    if not build.model_fields_set & {"repo", "linked_repo", "dockerfile", "files_on_host"}:
        derived |= _git(site.repository)
    if build.directory:
        derived["build_path"] = build.directory
    if build.args:
        derived["build_args"] = environment_text(build.args)
    return BuildConfig(**{**derived, **build.declared(BuildConfig)})


def builder_config(builder: Builder) -> KomodoModel:
    """The Builder of a declaration, of the type that its fields say."""
    if builder.aws is not None:
        return AwsBuilder(params=builder.aws)
    if builder.url is not None:
        return UrlBuilder(params=builder.url)
    return ServerBuilder(params=ServerBuilderConfig(server_ids=[name_of(host) for host in builder.hosts]))


def builder_fields(config: KomodoModel) -> dict[str, Any]:
    """The field of which ``builder_config`` makes just this Builder; none for one that cannot be declared."""
    match config:
        case ServerBuilder(params=params):
            return {"hosts": list(params.server_ids)}
        case AwsBuilder(params=params):
            return {"aws": params}
        case UrlBuilder(params=params):
            return {"url": params}
        case _:
            return {}


def repo_config(repo: Repo, site: Site) -> RepoConfig:
    """The Repo of a declaration: the fleet's repository unless it names another."""
    derived: dict[str, Any] = {"server_id": name_of(repo.host)} if repo.host else {}
    if "repo" not in repo.model_fields_set:
        derived |= _git(site.repository)
    return RepoConfig(**{**derived, **repo.declared(RepoConfig)})


def sync_config(sync: ResourceSync, site: Site) -> ResourceSyncConfig:
    """The ResourceSync of a declaration: the fleet's repository unless it names another source."""
    derived: dict[str, Any] = {}
    if not sync.model_fields_set & {"repo", "linked_repo", "file_contents", "files_on_host"}:
        derived |= _git(site.repository)
    return ResourceSyncConfig(**{**derived, **sync.declared(ResourceSyncConfig)})


def registry_of(image: str) -> ImageRegistryConfig:
    """Where ``registry/owner/name`` is pushed: the registry and its account."""
    domain, account, _ = image.split("/", 2)
    return ImageRegistryConfig(domain=domain, account=account)
