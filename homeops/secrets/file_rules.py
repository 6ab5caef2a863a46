"""What must be true of secret files by themselves: encrypted, for whom the policy says, and nowhere in the clear.

Pure rules over a tree that was read; none needs a private key.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from homeops.compose.secret_files import format_of, plain_path
from homeops.errors import Problem, SecretsError
from homeops.secrets.documents import Document, parse_document
from homeops.secrets.finding import Finding, RuleName
from homeops.secrets.git_tree import Tree, TreeFile
from homeops.secrets.policy import POLICY_FILE, Policy, parse_policy

_PRIVATE_KEY = re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50,}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Of no interest to the hook nor to compose, whatever stands before.
_NOT_SECRET = (".md", ".example", ".sample")


def secret_paths(tree: Tree) -> list[str]:
    """The secret files of a tree, by their names; the policy of sops is none."""
    return [path for path in tree if _is_secret(path)]


def _is_secret(path: str) -> bool:
    name = path.rpartition("/")[2]
    return ".sops." in name and path != POLICY_FILE and not name.endswith(_NOT_SECRET)


def documents(tree: Tree) -> tuple[dict[str, Document], list[Finding]]:
    """Every secret file that can be read as one, by path; and what is wrong with the others."""
    read: dict[str, Document] = {}
    wrong: list[Finding] = []
    for path in secret_paths(tree):
        if format_of(Path(path)) is None:
            hint = "name it [NAME].sops.env, .sops.json or .sops.yaml, or remove it"
            wrong.append(Finding(path, 0, "kind", "not a kind of file that is decrypted on a host", hint))
            continue
        try:
            read[path] = parse_document(tree[path].data.decode("utf-8"), Path(path))
        except UnicodeDecodeError:
            wrong.append(Finding(path, 0, "unreadable", "not UTF-8", "sops encrypts text; encrypt it again"))
        except SecretsError as error:
            wrong += findings_of(error.problems, path, "unreadable")
    return read, wrong


def policy(tree: Tree) -> tuple[Policy | None, list[Finding]]:
    """The policy of a tree; None, and why, when there is none that can be read."""
    file = tree.get(POLICY_FILE)
    if file is None:
        hint = "it holds creation_rules, each with path_regex and age: docs/secrets.md"
        return None, [Finding(POLICY_FILE, 0, "policy", "no such file: nothing says who may read which secret", hint)]
    try:
        return parse_policy(file.text, Path(POLICY_FILE)), []
    except SecretsError as error:
        return None, findings_of(error.problems, POLICY_FILE, "policy")


def findings_of(problems: tuple[Problem, ...], path: str, rule: RuleName) -> list[Finding]:
    """Problems as another reader found them, of the file at ``path``."""
    found: list[Finding] = []
    for problem in problems:
        line = problem.where.removeprefix(f"{path}:")
        found.append(Finding(path, int(line) if line.isdecimal() else 0, rule, problem.what, problem.hint))
    return found


def content_findings(document: Document, file: TreeFile) -> Iterator[Finding]:
    """What is wrong inside of one secret file."""
    path = file.path
    encrypt = f"homeops secrets encrypt {path}"
    clear = [value for value in document.values if value.state == "clear" and _NAME.fullmatch(value.key)]
    if not document.metadata:
        yield Finding(path, 0, "not-encrypted", "not encrypted", encrypt)
    else:
        if not document.mac:
            what = "no MAC: nobody can tell whether the file was changed"
            yield Finding(path, 0, "not-encrypted", what, f"bring back the file as sops wrote it: git log -- {path}")
        for key, values in groupby(clear, key=lambda value: value.key):
            hint = f"homeops secrets set {path} {key}"
            if key.endswith("_unencrypted"):
                hint = "sops leaves keys that end in _unencrypted in the clear; rename it"
            yield Finding(path, next(values).line, "not-encrypted", f"{key} stands in the clear", hint)
        for line in document.clear_comments:
            what = "a comment in the clear: sops encrypts comments, so this one was written by hand"
            yield Finding(path, line, "clear-comment", what, f"homeops secrets edit {path}", "warning")
    for key, line, first in document.duplicates:
        what = f"{key} stands here a second time; first on line {first}"
        yield Finding(path, line, "duplicate", what, f"the later one wins; homeops secrets edit {path}")
    if document.format == "env":
        for value in document.values:
            if not _NAME.fullmatch(value.key):
                hint = "write NAME=value: no export, no blank before the equals sign, no byte order mark"
                # Not quoted: it may be the second line of a secret.
                yield Finding(path, value.line, "name", "what stands before = is no name of a variable", hint)
    if b"\r\n" in file.data:
        line = file.data[: file.data.index(b"\r\n")].count(b"\n") + 1
        what = "lines end in CRLF: the carriage return becomes part of every value"
        yield Finding(path, line, "crlf", what, f"sed -i 's/\\r$//' {path}")


def recipient_findings(document: Document, file: TreeFile, rules: Policy) -> Iterator[Finding]:
    """Whether a secret file is encrypted for exactly whom its rule names."""
    path = file.path
    rule = rules.rule(path)
    if rule is None:
        what = f"no rule of {POLICY_FILE} is for this file"
        yield Finding(path, 0, "no-rule", what, f"add a creation rule whose path_regex fits {path}, or move the file")
        return
    if not document.metadata:
        return
    hint = f"homeops secrets updatekeys {path}"
    for recipient in sorted(rule.recipients - document.recipients):
        what = f"not encrypted for {recipient}, which {POLICY_FILE}:{rule.line} names"
        yield Finding(path, 0, "recipients", what, hint)
    for recipient in sorted(document.recipients - rule.recipients):
        line = _line_with(file.text, recipient.rpartition(":")[2])
        what = f"encrypted for {recipient}, which {POLICY_FILE}:{rule.line} does not name"
        yield Finding(path, line, "recipients", what, f"{hint}; then rotate its values, which that key could read")


def plaintext_findings(tree: Tree) -> Iterator[Finding]:
    """Decrypted files that are in the repository, or would be with the next ``git add``."""
    twins = {plain_path(Path(path)).as_posix(): path for path in secret_paths(tree) if format_of(Path(path))}
    for path, file in tree.items():
        state = "tracked" if file.tracked else "neither tracked nor ignored"
        remove = f"git rm --cached {path}; then rotate what it held" if file.tracked else f"rm {path}"
        if path in twins:
            what = f"the plaintext of {twins[path].rpartition('/')[2]} is {state}"
            yield Finding(path, 0, "plaintext-twin", what, f"{remove}, and ignore it in .gitignore")
        elif path.endswith(".env") and not _is_secret(path):
            what = f"an environment file in the clear is {state}"
            hint = "if it holds a secret: homeops secrets encrypt, and keep the .sops.env"
            yield Finding(path, 0, "plaintext", what, hint, "warning")


def private_key_findings(tree: Tree) -> Iterator[Finding]:
    """Private age keys, in any file of the tree."""
    for path, file in tree.items():
        for match in _PRIVATE_KEY.finditer(file.data):
            line = file.data.count(b"\n", 0, match.start()) + 1
            hint = (
                "who has the repository has the key: make another (age-keygen), homeops secrets rotate, remove this one"
            )
            yield Finding(path, line, "private-key", "a private age key", hint)


def _line_with(text: str, word: str) -> int:
    """The first line that holds a word, counted from 1; 0 when none does."""
    return next((number for number, line in enumerate(text.split("\n"), 1) if word in line), 0)
