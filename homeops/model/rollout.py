"""How a stack is deployed: when its deploy counts as healthy, how long it may take, what follows when it does not."""

from typing import Annotated, Literal

from pydantic import Field

from homeops.model.fields import KomodoModel

Seconds = Annotated[int, Field(ge=1)]


class Health(KomodoModel):
    """When the containers of a stack count as healthy. Times are in seconds; what is left out is the site's.

    ``deadline``: for all services together, from the end of ``compose up``. ``stable``: how long a service without
    health check has to run without a restart. ``one_shot``: services that may end, with exit code 0; those that Komodo
    ignores (``ignore_services``) may, too.
    """

    deadline: Seconds | None = None
    stable: Annotated[int, Field(ge=0)] | None = None
    one_shot: list[str] = Field(default_factory=list[str])


class Rollout(KomodoModel):
    """How one stack is deployed, every value settled.

    ``timeout``: seconds for Komodo's Update. ``per_host``: how many stacks of its host may deploy at once.
    ``rollback``: what is deployed when it does not become healthy. ``core``: the version that Core has to answer with
    afterwards; for the control plane alone, else empty.
    """

    timeout: Seconds = 900
    health_deadline: Seconds = 180
    health_stable: Annotated[int, Field(ge=0)] = 10
    one_shot: list[str] = Field(default_factory=list[str])
    per_host: Seconds = 1
    rollback: Literal["", "previous"] = ""
    core: str = ""
