"""Jobs, on a schedule and by hand."""

from homeops.fleet.stacks import ALLOYS
from homeops.model.config.execution import BackupCoreDatabase, DeployStack, GlobalAutoUpdate, RunBuild
from homeops.model.resources import Procedure, stage
from homeops.model.site import Site


def procedures(site: Site) -> tuple[Procedure, ...]:
    """All procedures; schedules are in the site's time zone."""
    return (
        Procedure(
            "backup-core-database",
            description="Back up the database of Core",
            tags=["maintenance"],
            stages=[stage("Back up", BackupCoreDatabase())],
            schedule="Every day at 01:00",
            schedule_timezone=site.timezone,
            schedule_alert=False,
        ),
        Procedure(
            "rebuild-periphery",
            description="Rebuild the custom Periphery image, for the security updates of its base",
            tags=["maintenance", "build"],
            stages=[stage("Build", RunBuild(build="periphery-custom"))],
            schedule="Every Sunday at 04:30",
            schedule_timezone=site.timezone,
        ),
        Procedure(
            "auto-update",
            description="Look for newer images, and update the stacks that ask for it",
            tags=["maintenance"],
            stages=[stage("Update", GlobalAutoUpdate())],
            schedule="Every day at 03:00",
            schedule_timezone=site.timezone,
            schedule_alert=False,
        ),
        Procedure(
            "deploy-all-stacks",
            description="Deploy every stack that a batch may deploy: not Core, which would restart in the middle of it",
            tags=["deploy"],
            stages=[
                stage("Applications", *_deploys("traefik", "frigate", "omni", "seaweedfs")),
                stage("Behind the proxy", *_deploys("vaultwarden")),
                stage("Monitoring", *_deploys(*(stack.name for stack in ALLOYS))),
            ],
        ),
        Procedure(
            "deploy-alloy-stacks",
            description="Deploy the monitoring of every host",
            tags=["deploy", "monitoring"],
            stages=[stage("Monitoring", *_deploys(*(stack.name for stack in ALLOYS)))],
        ),
    )


def _deploys(*names: str) -> tuple[DeployStack, ...]:
    return tuple(DeployStack(stack=name) for name in names)
