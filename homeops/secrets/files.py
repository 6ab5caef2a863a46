"""The secret files of a checkout: where they are, and what people call them."""

from pathlib import Path, PurePath, PurePosixPath

from homeops.compose.secret_files import format_of
from homeops.errors import Problem, SecretsError, nearest
from homeops.model.stack_paths import STACKS
from homeops.whole_file import UNFINISHED


def encrypted_files(root: Path) -> list[Path]:
    """Every secret file below docker/stacks, in order of their paths."""
    return sorted(path for path in (root / STACKS).rglob("*") if is_secret_file(path) and path.is_file())


def is_secret_file(path: PurePath) -> bool:
    """Whether a path is that of a secret file; what a run that was killed left of its work is none."""
    return format_of(path) is not None and not path.parent.name.startswith(UNFINISHED)


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


def _at_path(name: str, root: Path, here: Path) -> Path:
    from_here, from_root = (here / name).resolve(), (root / name).resolve()
    path = from_here if from_here.exists() or not from_root.exists() else from_root
    if not path.is_relative_to(root.resolve()):
        raise SecretsError(Problem(name, "is not in this checkout", "homeops secrets list"))
    if not path.exists() and not path.parent.is_dir() and from_root.parent.is_dir():
        return from_root
    return path
