"""What a Procedure can execute: every execution of Komodo 2.3.2, typed (client/core/rs/src/api/execute/*.rs).

On the wire an execution is ``{"type": "DeployStack", "params": {"stack": "web", ...}}``; here it is
``DeployStack(stack="web")``.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, SerializeAsAny, SerializerFunctionWrapHandler, model_serializer

from homeops.errors import nearest
from homeops.model.config.alerter import TargetType
from homeops.model.config.signal import TerminationSignal
from homeops.model.fields import I32, I64, KomodoModel, Reference

Severity = Literal["OK", "WARNING", "CRITICAL"]


class Execution(KomodoModel):
    """One execution; its class is its type."""

    @model_serializer(mode="wrap")
    def tagged(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The wire form: type and parameters."""
        return {"type": execution_type(type(self)), "params": handler(self)}


class Batch(Execution):
    r"""All resources whose name matches ``pattern``: wildcards, ``\regex\``, several by comma or line."""

    pattern: str
    tags: list[str] = Field(default_factory=list[str])


class OnStackServices(Execution):
    """Some services of a stack, or all when ``services`` is empty."""

    stack: Annotated[str, Reference("Stack")]
    services: list[str] = Field(default_factory=list[str])


class OnDeployment(Execution):
    """One deployment."""

    deployment: Annotated[str, Reference("Deployment")]


class EndDeployment(Execution):
    """One deployment, with signal and seconds for its end."""

    deployment: Annotated[str, Reference("Deployment")]
    signal: TerminationSignal | None = None
    time: I32 | None = None


class OnBuild(Execution):
    """One build."""

    build: Annotated[str, Reference("Build")]


class OnRepo(Execution):
    """One repo."""

    repo: Annotated[str, Reference("Repo")]


class OnContainer(Execution):
    """One container on a server, by name."""

    server: Annotated[str, Reference("Server")]
    container: str


class EndContainer(Execution):
    """One container, with signal and seconds for its end."""

    server: Annotated[str, Reference("Server")]
    container: str
    signal: TerminationSignal | None = None
    time: I32 | None = None


class OnServer(Execution):
    """A whole server."""

    server: Annotated[str, Reference("Server")]


class OnNamed(Execution):
    """Something of Docker on a server, by name."""

    server: Annotated[str, Reference("Server")]
    name: str


class NoExecution(Execution):
    """``None``: does nothing; what an empty row of the UI is."""


class DeployStack(Execution):
    """Deploy stack."""

    stack: Annotated[str, Reference("Stack")]
    services: list[str] = Field(default_factory=list[str])
    stop_time: I32 | None = None


class BatchDeployStack(Batch):
    """Batch deploy stack."""


class DeployStackIfChanged(Execution):
    """Deploy stack if changed."""

    stack: Annotated[str, Reference("Stack")]
    stop_time: I32 | None = None


class BatchDeployStackIfChanged(Batch):
    """Batch deploy stack if changed."""


class PullStack(OnStackServices):
    """Pull stack."""


class BatchPullStack(Batch):
    """Batch pull stack."""


class StartStack(OnStackServices):
    """Start stack."""


class RestartStack(OnStackServices):
    """Restart stack."""


class PauseStack(OnStackServices):
    """Pause stack."""


class UnpauseStack(OnStackServices):
    """Unpause stack."""


class StopStack(Execution):
    """Stop stack."""

    stack: Annotated[str, Reference("Stack")]
    stop_time: I32 | None = None
    services: list[str] = Field(default_factory=list[str])


class DestroyStack(Execution):
    """Destroy stack."""

    stack: Annotated[str, Reference("Stack")]
    services: list[str] = Field(default_factory=list[str])
    remove_orphans: bool = False
    stop_time: I32 | None = None


class BatchDestroyStack(Batch):
    """Batch destroy stack."""


class RunStackService(Execution):
    """Run stack service."""

    stack: Annotated[str, Reference("Stack")]
    service: str
    command: list[str] | None = None
    no_tty: bool | None = None
    no_deps: bool | None = None
    detach: bool | None = None
    service_ports: bool | None = None
    env: dict[str, str] | None = None
    workdir: str | None = None
    user: str | None = None
    entrypoint: str | None = None
    pull: bool | None = None


class Deploy(Execution):
    """Deploy."""

    deployment: Annotated[str, Reference("Deployment")]
    stop_signal: TerminationSignal | None = None
    stop_time: I32 | None = None


class BatchDeploy(Batch):
    """Batch deploy."""


class PullDeployment(OnDeployment):
    """Pull deployment."""


class StartDeployment(OnDeployment):
    """Start deployment."""


class RestartDeployment(OnDeployment):
    """Restart deployment."""


class PauseDeployment(OnDeployment):
    """Pause deployment."""


class UnpauseDeployment(OnDeployment):
    """Unpause deployment."""


class StopDeployment(EndDeployment):
    """Stop deployment."""


class DestroyDeployment(EndDeployment):
    """Destroy deployment."""


class BatchDestroyDeployment(Batch):
    """Batch destroy deployment."""


class RunBuild(OnBuild):
    """Run build."""


class BatchRunBuild(Batch):
    """Batch run build."""


class CancelBuild(OnBuild):
    """Cancel build."""


class CloneRepo(OnRepo):
    """Clone repo."""


class BatchCloneRepo(Batch):
    """Batch clone repo."""


class PullRepo(OnRepo):
    """Pull repo."""


class BatchPullRepo(Batch):
    """Batch pull repo."""


class BuildRepo(OnRepo):
    """Build repo."""


class BatchBuildRepo(Batch):
    """Batch build repo."""


class CancelRepoBuild(OnRepo):
    """Cancel repo build."""


class RunProcedure(Execution):
    """Run procedure."""

    procedure: Annotated[str, Reference("Procedure")]


class BatchRunProcedure(Batch):
    """Batch run procedure."""


class CancelProcedure(Execution):
    """Cancel procedure."""

    procedure: Annotated[str, Reference("Procedure")]
    update_id: str | None = None


class RunAction(Execution):
    """Run action."""

    action: Annotated[str, Reference("Action")]
    args: dict[str, Any] | None = None


class BatchRunAction(Batch):
    """Batch run action."""


class CancelAction(Execution):
    """Cancel action."""

    action: Annotated[str, Reference("Action")]
    update_id: str | None = None


class RunSync(Execution):
    """Run sync."""

    sync: Annotated[str, Reference("ResourceSync")]
    resource_type: TargetType | None = None
    resources: list[str] | None = None


class CommitSync(Execution):
    """Commit sync."""

    sync: Annotated[str, Reference("ResourceSync")]


class TestAlerter(Execution):
    """Test alerter."""

    alerter: Annotated[str, Reference("Alerter")]


class SendAlert(Execution):
    """Send alert."""

    level: Severity = "OK"
    message: str
    details: str = ""
    alerters: list[str] = Field(default_factory=list[str])


class StartContainer(OnContainer):
    """Start container."""


class RestartContainer(OnContainer):
    """Restart container."""


class PauseContainer(OnContainer):
    """Pause container."""


class UnpauseContainer(OnContainer):
    """Unpause container."""


class StopContainer(EndContainer):
    """Stop container."""


class DestroyContainer(EndContainer):
    """Destroy container."""


class StartAllContainers(OnServer):
    """Start all containers."""


class RestartAllContainers(OnServer):
    """Restart all containers."""


class PauseAllContainers(OnServer):
    """Pause all containers."""


class UnpauseAllContainers(OnServer):
    """Unpause all containers."""


class StopAllContainers(OnServer):
    """Stop all containers."""


class PruneContainers(OnServer):
    """Prune containers."""


class DeleteNetwork(OnNamed):
    """Delete network."""


class PruneNetworks(OnServer):
    """Prune networks."""


class DeleteImage(OnNamed):
    """Delete image."""


class PruneImages(OnServer):
    """Prune images."""


class DeleteVolume(OnNamed):
    """Delete volume."""


class PruneVolumes(OnServer):
    """Prune volumes."""


class PruneDockerBuilders(OnServer):
    """Prune docker builders."""


class PruneBuildx(OnServer):
    """Prune buildx."""


class PruneSystem(OnServer):
    """Prune system."""


class RemoveSwarmNodes(Execution):
    """Remove swarm nodes."""

    swarm: Annotated[str, Reference("Swarm")]
    nodes: list[str]
    force: bool = False


class UpdateSwarmNode(Execution):
    """Update swarm node."""

    swarm: Annotated[str, Reference("Swarm")]
    node: str
    availability: Literal["", "active", "pause", "drain"] | None = None
    label_add: list[str] | None = None
    label_rm: list[str] | None = None
    role: Literal["", "worker", "manager"] | None = None


class RemoveSwarmStacks(Execution):
    """Remove swarm stacks."""

    swarm: Annotated[str, Reference("Swarm")]
    stacks: list[str]
    detach: bool = True


class RemoveSwarmServices(Execution):
    """Remove swarm services."""

    swarm: Annotated[str, Reference("Swarm")]
    services: list[str]


class CreateSwarmConfig(Execution):
    """Create swarm config."""

    swarm: Annotated[str, Reference("Swarm")]
    name: str
    data: str
    labels: list[str] = Field(default_factory=list[str])
    template_driver: str | None = None


class RotateSwarmConfig(Execution):
    """Rotate swarm config."""

    swarm: Annotated[str, Reference("Swarm")]
    config: str
    data: str


class RemoveSwarmConfigs(Execution):
    """Remove swarm configs."""

    swarm: Annotated[str, Reference("Swarm")]
    configs: list[str]


class CreateSwarmSecret(Execution):
    """Create swarm secret."""

    swarm: Annotated[str, Reference("Swarm")]
    name: str
    data: str
    driver: str | None = None
    labels: list[str] = Field(default_factory=list[str])
    template_driver: str | None = None


class RotateSwarmSecret(Execution):
    """Rotate swarm secret."""

    swarm: Annotated[str, Reference("Swarm")]
    secret: str
    data: str


class RemoveSwarmSecrets(Execution):
    """Remove swarm secrets."""

    swarm: Annotated[str, Reference("Swarm")]
    secrets: list[str]


class ClearRepoCache(Execution):
    """Clear repo cache."""


class BackupCoreDatabase(Execution):
    """Backup core database."""


class GlobalAutoUpdate(Execution):
    """Global auto update."""

    skip_auto_update: bool = False


class RotateAllServerKeys(Execution):
    """Rotate all server keys."""


class RotateCoreKeys(Execution):
    """Rotate core keys."""

    force: bool = False


class Sleep(Execution):
    """Sleep."""

    duration_ms: I64 = 0


def execution_type(execution: type[Execution]) -> str:
    """Komodo's name of an execution."""
    return "None" if execution is NoExecution else execution.__name__


EXECUTIONS: dict[str, type[Execution]] = {
    execution_type(execution): execution
    for execution in (
        NoExecution,
        DeployStack,
        BatchDeployStack,
        DeployStackIfChanged,
        BatchDeployStackIfChanged,
        PullStack,
        BatchPullStack,
        StartStack,
        RestartStack,
        PauseStack,
        UnpauseStack,
        StopStack,
        DestroyStack,
        BatchDestroyStack,
        RunStackService,
        Deploy,
        BatchDeploy,
        PullDeployment,
        StartDeployment,
        RestartDeployment,
        PauseDeployment,
        UnpauseDeployment,
        StopDeployment,
        DestroyDeployment,
        BatchDestroyDeployment,
        RunBuild,
        BatchRunBuild,
        CancelBuild,
        CloneRepo,
        BatchCloneRepo,
        PullRepo,
        BatchPullRepo,
        BuildRepo,
        BatchBuildRepo,
        CancelRepoBuild,
        RunProcedure,
        BatchRunProcedure,
        CancelProcedure,
        RunAction,
        BatchRunAction,
        CancelAction,
        RunSync,
        CommitSync,
        TestAlerter,
        SendAlert,
        StartContainer,
        RestartContainer,
        PauseContainer,
        UnpauseContainer,
        StopContainer,
        DestroyContainer,
        StartAllContainers,
        RestartAllContainers,
        PauseAllContainers,
        UnpauseAllContainers,
        StopAllContainers,
        PruneContainers,
        DeleteNetwork,
        PruneNetworks,
        DeleteImage,
        PruneImages,
        DeleteVolume,
        PruneVolumes,
        PruneDockerBuilders,
        PruneBuildx,
        PruneSystem,
        RemoveSwarmNodes,
        UpdateSwarmNode,
        RemoveSwarmStacks,
        RemoveSwarmServices,
        CreateSwarmConfig,
        RotateSwarmConfig,
        RemoveSwarmConfigs,
        CreateSwarmSecret,
        RotateSwarmSecret,
        RemoveSwarmSecrets,
        ClearRepoCache,
        BackupCoreDatabase,
        GlobalAutoUpdate,
        RotateAllServerKeys,
        RotateCoreKeys,
        Sleep,
    )
}
"""Every execution by Komodo's name, in Komodo's order."""


def read_execution(value: object) -> Execution:
    """An execution from its wire form; raises ValueError with the nearest name for one that does not exist."""
    match value:
        case Execution():
            return value
        case {"type": str(name), "params": dict(params)}:  # pyright: ignore[reportUnknownVariableType]
            pass
        case _:
            raise ValueError('an execution is {"type": NAME, "params": {...}}')
    if name not in EXECUTIONS:
        raise ValueError(f'"{name}" is not an execution of Komodo{nearest(name, EXECUTIONS)}')
    return EXECUTIONS[name].model_validate(params)


AnyExecution = SerializeAsAny[Annotated[Execution, PlainValidator(read_execution)]]
