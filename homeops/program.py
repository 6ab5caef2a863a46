"""The Pulumi program's entry. It loads little: the rest of homeops is imported while Pulumi starts the provider."""

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path
from time import time
from typing import Any, NoReturn

import pulumi

from homeops.errors import HomeopsError
from homeops.komodo.core import Core
from homeops.lean_sdk import make_lean

FAILED_WITH_A_MESSAGE = 32
"""The exit code by which Pulumi's language host knows that the error was shown already (python/cmd/.../main.go)."""


def run(fleet: str) -> None:
    """Register a fleet for the Pulumi stack at hand; ``fleet`` is the module whose ``declare(site)`` declares it.

    An expected failure is a message, not a traceback.
    """

    async def program() -> dict[str, Any]:
        # The first resource makes Pulumi start the provider's process, which takes as long as loading the fleet does.
        Core()
        return await _registered(*await asyncio.to_thread(_loaded, fleet))

    # Pulumi's launcher takes the program's directory off the path when its top level ends, and we go on after that.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    make_lean()
    pulumi.run(program)


def _loaded(fleet: str) -> tuple[Any, ...]:
    from homeops.fleet_graph import declared_fleet, fleet_graph
    from homeops.hosts.skipping import with_a_canary_that_is_there
    from homeops.komodo.toml.rendering import rendering
    from homeops.preflight import secret_warnings, sync_warnings
    from homeops.settings import load_settings

    # Imported for whoever registers: imports in the event loop would hold up the first resource.
    for module in ("components", "inventory", "summary"):
        import_module(f"homeops.{module}")
    root = Path.cwd()
    try:
        site = with_a_canary_that_is_there(load_settings(pulumi.get_stack(), root), os.environ)
        declared = declared_fleet(fleet, site)
        graph = fleet_graph(declared, site, root)
        toml = rendering(graph, site, root, pulumi.get_stack())
        for warning in (*secret_warnings(graph, root), *sync_warnings(graph), *toml.warnings):
            pulumi.log.warn(warning)
        return declared, graph, site, root, _subjects(declared, site, root), toml
    except HomeopsError as error:
        pulumi.log.error(str(error))
        _end_quietly()


def _subjects(fleet: Any, site: Any, root: Path) -> dict[str, Any]:
    """The hosts that are managed over SSH; loads what does that where there are any."""
    if site.ssh is None:
        return {}
    from homeops.hosts.components import subjects_of

    return subjects_of(fleet, site, root)


async def _registered(fleet: Any, graph: Any, site: Any, root: Path, subjects: Any, toml: Any) -> dict[str, Any]:
    from homeops.components import compare_pushed, pass_gate, register
    from homeops.inventory import outputs
    from homeops.summary import tell

    began = time()
    await pass_gate(graph, fleet, site)
    made = register(graph, fleet, site, root, subjects)
    # Waited for here, all at once: the SDK's own wait looks at every unfinished output again after each one that ends.
    await asyncio.gather(*(resource.urn.future() for resource in made.values()))
    await compare_pushed(graph, toml)
    await tell(graph, made, began)
    return outputs(fleet, graph, site, made)


def _end_quietly() -> NoReturn:
    """End the program as failed: the error is logged already, and a traceback would bury it."""
    sys.stdout.flush()
    os._exit(FAILED_WITH_A_MESSAGE)
