"""Changing secret files: one value, or a whole file encrypted. What is new is read back before it is kept."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from homeops.compose.secret_files import encrypted_path, format_of
from homeops.errors import Problem, SecretsError
from homeops.secrets import dotenv, trees
from homeops.secrets.documents import Document, parse_document
from homeops.secrets.files import shown
from homeops.secrets.readings import readings
from homeops.secrets.sops import Check, Sops, file_format

Outcome = Literal["added", "changed", "unchanged"]


def value_at(sops: Sops, path: Path, key: str) -> str:
    """The value of a key as its reader gets it; raises SecretsError when there is no such key."""
    plain, name = sops.decrypt(path), shown(path, sops.root)
    if file_format(path) == "dotenv":
        found = dotenv.lines(plain).get(key)
        if found is not None:
            return dotenv.read(found, readings(path)[0])
    else:
        tree = _tree(plain, path, name)
        try:
            found = trees.leaves(tree).get(key)
        except ValueError as error:
            raise SecretsError(Problem(f"{name}: {key}", str(error))) from None
        if found is not None:
            return found
    raise SecretsError(Problem(name, f'no key "{key}"', f"homeops secrets view {name}"))


def set_value(sops: Sops, path: Path, key: str, value: str) -> Outcome:
    """Set one value, in a new file where there is none. Other values keep their ciphertext.

    A value that the file already has is left alone, so that nothing is redeployed. Raises SecretsError for a value that
    the format or the reader of the file cannot hold; the file is then as it was.
    """
    name = shown(path, sops.root)
    if not path.parent.is_dir():
        raise SecretsError(Problem(name, "no such directory", "homeops secrets list shows where secret files are"))
    try:
        if file_format(path) == "dotenv":
            return _set_line(sops, path, key, value)
        return _set_leaf(sops, path, key, value)
    except ValueError as error:
        raise SecretsError(Problem(f"{name}: {key}", str(error), _hint(path, value))) from None


def encrypt_file(sops: Sops, source: Path) -> Path:
    """Make an encrypted file of a plain one, in its place or beside it; the plain one is gone afterwards.

    ``.env`` becomes ``.sops.env``; a file that has the name of a secret file is replaced. Raises SecretsError, and
    changes nothing, where anything of the file would be lost, or a secret file is there already.
    """
    target = source if format_of(source) else encrypted_path(source)
    name = shown(source, sops.root)
    try:
        text = source.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise SecretsError(Problem(name, "no such file")) from None
    except (OSError, UnicodeDecodeError):
        raise SecretsError(Problem(name, "cannot be read as UTF-8 text")) from None
    if target != source and target.exists():
        hint = f"homeops secrets set {shown(target, sops.root)} KEY, or homeops secrets edit; then remove {name}"
        raise SecretsError(Problem(shown(target, sops.root), "is there already; nothing was changed", hint))
    _refuse_lossy(text, target, name)
    sops.encrypt(text, target, _same(text, target, name))
    if target != source:
        source.unlink()
    return target


def _set_line(sops: Sops, path: Path, key: str, value: str) -> Outcome:
    if wrong := dotenv.refused_key(key):
        raise ValueError(wrong)
    text = dotenv.written(value, readings(path))
    if not path.exists():
        sops.encrypt(f"{key}={text}\n", path, _expect(lambda plain: dotenv.lines(plain) == {key: text}))
        return "added"
    before = dotenv.lines(sops.decrypt(path))
    if before.get(key) == text:
        return "unchanged"
    wanted = before | {key: text}
    sops.set(path, (key,), text, _expect(lambda plain: dotenv.lines(plain) == wanted))
    return "changed" if key in before else "added"


def _set_leaf(sops: Sops, path: Path, key: str, value: str) -> Outcome:
    kind = file_format(path)
    if not path.exists():
        place = trees.place_of(key, {})
        wanted = trees.with_text({}, place, value)
        sops.encrypt(
            trees.text_of(key, value, kind), path, _expect(lambda plain: trees.documents(plain, kind) == [wanted])
        )
        return "added"
    tree = _tree(sops.decrypt(path), path, shown(path, sops.root))
    place = trees.place_of(key, tree)
    found = trees.at(tree, place)
    wanted = trees.with_text(tree, place, value)
    if wanted == tree:
        return "unchanged"
    sops.set(path, place, value, _expect(lambda plain: trees.documents(plain, kind) == [wanted]))
    return "added" if found is None else "changed"


def _tree(plain: str, path: Path, name: str) -> trees.Tree:
    try:
        documents = trees.documents(plain, file_format(path))
    except ValueError as error:
        raise SecretsError(Problem(name, str(error), "homeops secrets edit")) from None
    if len(documents) != 1:
        raise SecretsError(Problem(name, f"holds {len(documents)} YAML documents, want one", "homeops secrets edit"))
    return documents[0]


def _expect(holds: Callable[[str], bool]) -> Check:
    def check(plain: str) -> None:
        if not holds(plain):
            raise ValueError("what was read back is not what was written; the file was left as it was")

    return check


def _refuse_lossy(text: str, target: Path, name: str) -> None:
    if file_format(target) == "dotenv":
        metadata = any(line.startswith("sops_mac=") for line in text.split("\n"))
        wrong = dotenv.refusals(text)
    else:
        document = _document(text, target, name)
        metadata = document.metadata
        wrong = ((line, f"{key} stands in line {first} already") for key, line, first in document.duplicates)
    if metadata:
        raise SecretsError(Problem(name, "is encrypted already", "homeops secrets edit"))
    if problems := [Problem(f"{name}:{line}", what) for line, what in wrong]:
        raise SecretsError(*problems)


def _document(text: str, target: Path, name: str) -> Document:
    try:
        trees.documents(text, file_format(target))
        return parse_document(text, target)
    except ValueError as error:
        raise SecretsError(Problem(name, str(error))) from None
    except SecretsError as error:
        raise SecretsError(*(Problem(name, problem.what) for problem in error.problems)) from None


def _same(text: str, target: Path, name: str) -> Check:
    """A check that an encrypted file still says all that the plain text says."""
    kind = file_format(target)

    def check(plain: str) -> None:
        if kind == "dotenv":
            lost = Counter(filter(None, text.split("\n"))) != Counter(filter(None, plain.split("\n")))
        else:
            lost = trees.documents(text, kind) != trees.documents(plain, kind)
            lost = lost or bool(kind == "yaml" and _comments(text) - _comments(plain))
        if lost:
            what = "sops would not keep all of it; nothing was changed"
            raise SecretsError(Problem(name, what, "comments at the end of lists and quotes of several lines are such"))

    return check


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n") if line.strip().startswith("#"))


def _hint(path: Path, value: str) -> str:
    if file_format(path) == "dotenv" and any(end in value for end in "\r\n"):
        return (
            "put a value of several lines into a .sops.json or .sops.yaml that is mounted, or leave out `format: raw`"
        )
    return ""
