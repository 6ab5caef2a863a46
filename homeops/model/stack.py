"""A stack: one compose project on one host."""

from typing import ClassVar, Literal

from pydantic import Field

from homeops.model.config.stack import StackConfig
from homeops.model.declaration import Declaration
from homeops.model.fields import KomodoModel
from homeops.model.host import Host
from homeops.model.rollout import Health, Seconds
from homeops.model.stack_paths import STACKS, stack_path


def name_of(target: "Declaration | str") -> str:
    """The name of a declared object, or the name that was written instead of it."""
    return target if isinstance(target, str) else target.name


class Protection(KomodoModel):
    """Why a stack must not be deleted."""

    reason: str


class Stack(Declaration, StackConfig):
    """A compose project: by convention all that is in ``docker/stacks/<host>/<directory>``.

    Compose files, config files, secret files and the hook that decrypts them are found there; every field of a Komodo
    Stack can be given instead. ``after``: stacks that must be deployed first, on any host. ``env``: environment that is
    not secret. ``control_plane``: Core itself; deployed before everything else and never by a batch.
    """

    kind: ClassVar[str] = "Stack"

    host: Host | str
    directory: str = ""
    env: dict[str, str] = Field(default_factory=dict[str, str])
    after: list["Stack | str"] = Field(default_factory=list["Stack | str"])
    protect: Protection | None = None
    control_plane: bool = False
    never_batch: str = ""
    """Why no procedure that deploys many stacks may take this one; empty when it may."""
    health: Health = Field(default_factory=Health)
    deploy_timeout: Seconds | None = None
    """Seconds that Komodo may take for a deploy; None is the site's ``deployTimeoutSeconds``."""
    rollback: Literal["", "previous"] = ""
    """``previous``: a deploy that does not become healthy is followed by one of the last healthy commit."""
    moved_from: str = ""
    """The host that it ran on, when it moves to another: says that its volumes are known to stay there.

    Its own host, when ``project_name`` changes: its volumes stay with the old project.
    """

    @property
    def host_name(self) -> str:
        """The name of the host; empty when the declaration lacks it."""
        return name_of(self.__dict__.get("host", ""))

    @property
    def path(self) -> str:
        """The directory of the compose files, relative to the repository."""
        if self.directory.startswith("docker/"):
            return self.directory
        return f"{STACKS}/{self.directory}" if self.directory else stack_path(self.host_name, self.name)
