"""How a dotenv secret file is read: what the compose files beside it say of the file that the hook makes of it."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from homeops.compose.compose_file import read_compose
from homeops.compose.directories import COMPOSE_NAMES, OVERRIDE_NAMES
from homeops.compose.secret_files import plain_path
from homeops.secrets.dotenv import Reading


def readings(path: Path) -> tuple[Reading, ...]:
    """Each way once, in the order of the compose files; a file that none names is read as compose reads ``.env``."""
    return tuple(dict.fromkeys(_readings(path))) or ("compose",)


def _readings(path: Path) -> Iterator[Reading]:
    plain = PurePosixPath(plain_path(path).name)
    for compose in (path.with_name(name) for name in (*COMPOSE_NAMES, *OVERRIDE_NAMES)):
        if not compose.is_file():
            continue
        for service in read_compose(compose).services:
            for env_file in service.env_files:
                if PurePosixPath(env_file.path) == plain:
                    yield "raw" if env_file.format == "raw" else "compose"
