"""The parts of the simulated Core: modules that register answers when they are imported."""

from importlib import import_module

PARTS = (
    "information",
    "users",
    "resources",
    "resource_lists",
    "summaries",
    "meta",
    "tags",
    "variables",
    "updates",
    "alerts",
)


def load_parts() -> None:
    """Import every part."""
    for part in PARTS:
        import_module(f"homeops.lab.core.{part}")
