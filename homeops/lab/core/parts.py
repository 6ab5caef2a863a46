"""The parts of the simulated Core: modules that register answers when they are imported."""

from importlib import import_module

PARTS = (
    "information",
    "users",
    "login",
    "api_keys",
    "user_groups",
    "permissions",
    "provider_accounts",
    "onboarding",
    "swarm_reads",
    "host_reads",
    "log_reads",
    "update_checks",
    "resources",
    "resource_lists",
    "summaries",
    "meta",
    "tags",
    "variables",
    "updates",
    "alerts",
    "schedule_lists",
    "build_reads",
    "server_keys",
    "deployment_reads",
    "toml_requests",
    "executions_alerts",
    "executions_batches",
    "procedures",
    "containers_requests",
    "executions_stack",
    "repositories_refresh",
    "executions_repo",
    "executions_deployment",
    "executions_server",
    "executions_system",
    "builds",
    "actions",
    "sync_pending",
    "sync_run",
)


def load_parts() -> None:
    """Import every part."""
    for part in PARTS:
        import_module(f"homeops.lab.core.{part}")
