"""The secret files of a checkout: where they are, what people call them, and who reads what the hook makes of them."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from homeops.compose.compose_file import read_compose
from homeops.compose.directories import COMPOSE_NAMES, OVERRIDE_NAMES
from homeops.compose.secret_files import plain_path
from homeops.errors import Problem, SecretsError, nearest
from homeops.secrets.documents import format_of
from homeops.secrets.dotenv import Reading
from homeops.whole_file import UNFINISHED

STACKS = Path("docker/stacks")
"""Below it stand the stacks' directories, relative to the checkout."""


def encrypted_files(root: Path) -> list[Path]:
    """Every secret file below docker/stacks, in order of their paths."""
    found = (path for path in (root / STACKS).rglob("*") if format_of(path) and path.is_file())
    # What a run that was killed left of its work is no file of a stack.
    return sorted(path for path in found if not path.parent.name.startswith(UNFINISHED))


def shown(path: Path, root: Path) -> str:
    """A path as messages name it: below the checkout, else whole."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def named_file(name: str, root: Path, here: Path) -> Path:
    """The secret file that a person means; it need not exist where ``name`` is a whole path.

    ``name``: a path (from ``here`` or the checkout), or the end of a stack directory's (``nvr/frigate``, ``frigate``),
    which must hold one secret file. Raises SecretsError.
    """
    if format_of(Path(name)):
        return _at_path(name, root, here)
    files = encrypted_files(root)
    wanted = PurePosixPath(name.strip("/")).parts
    found = [file for file in files if file.parent.relative_to(root).parts[-len(wanted) :] == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        hint = "name one: " + ", ".join(shown(file, root) for file in found)
        raise SecretsError(Problem(name, "holds several secret files", hint))
    folders = [file.parent for file in files]
    names = [*(folder.name for folder in folders), *(f"{folder.parent.name}/{folder.name}" for folder in folders)]
    what = f"no secret file, and no stack directory with one{nearest(name, names)}"
    raise SecretsError(Problem(name, what, "homeops secrets list"))


def readings(path: Path) -> dict[Reading, str]:
    """How the compose files beside a dotenv secret file read it, each with the place of one that does.

    A file that none of them names is read as compose reads ``.env``.
    """
    found: dict[Reading, str] = {}
    for reading, place in _readings(path):
        found.setdefault(reading, place)
    return found or {"compose": ""}


def _at_path(name: str, root: Path, here: Path) -> Path:
    from_here, from_root = (here / name).resolve(), (root / name).resolve()
    path = from_here if from_here.exists() or not from_root.exists() else from_root
    if not path.is_relative_to(root.resolve()):
        raise SecretsError(Problem(name, "is not in this checkout", "homeops secrets list"))
    if not path.exists() and not path.parent.is_dir() and from_root.parent.is_dir():
        return from_root
    return path


def _readings(path: Path) -> Iterator[tuple[Reading, str]]:
    plain = PurePosixPath(plain_path(path).name)
    for name in (*COMPOSE_NAMES, *OVERRIDE_NAMES):
        compose = path.with_name(name)
        if not compose.is_file():
            continue
        for service in read_compose(compose).services:
            for env_file in service.env_files:
                if PurePosixPath(env_file.path) == plain:
                    yield ("raw" if env_file.format == "raw" else "compose"), f"{name}:{env_file.line}"
