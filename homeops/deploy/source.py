"""Whether the files that Komodo holds of a stack are those that were previewed.

Komodo reads the repository itself: Core after ``RefreshStackCache`` (``info.remote_contents``), the agent while it
deploys (``info.deployed_contents``). Each of these is a list of whole files by the paths of the Stack's configuration,
so the digests of a fingerprint can be had from them as well. Encrypted files are among them, values by ciphertext.

What cannot be told: values of variables, files that compose reads and Komodo does not (``file`` parts), and anything
about stacks whose files are on the host, in Komodo's database or in another repository; those give no difference.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeops.deploy.digests import MISSING, ciphertexts, digest
from homeops.errors import Problem, SecretsError

Json = Mapping[str, Any]
Fingerprint = Mapping[str, str]

_WHOLE = ("compose", "config", "env_file")
"""Kinds of parts that are the digest of a file as a whole."""

_MARKUP = re.compile(r"</?span[^>]*>")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """What Core or the agent read, compared with what was previewed.

    ``differences`` and ``errors`` are sentences; both empty: it is what was previewed, as far as that can be told.
    ``errors`` are git's own words, or a file that Komodo cannot read as text (``unreadable``), with which it deploys
    nothing. ``commit`` and ``message`` are of the commit that was read, empty when there is none.
    """

    commit: str = ""
    message: str = ""
    differences: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    deployed: bool = False


def seen(document: Json, fingerprint: Fingerprint) -> Seen:
    """What Core holds, from ``GetStack`` after ``RefreshStackCache``."""
    info: Json = document.get("info") or {}
    if not _from_repository(document["config"]):
        return Seen()
    commit, message = str(info.get("latest_hash") or ""), str(info.get("latest_message") or "").strip()
    contents, missing = _texts(info.get("remote_contents")), set[str](info.get("missing_files") or ())
    wanted = {path for _, path in _whole_files(fingerprint)}
    named = wanted | _paths(document["config"])
    errors, unreadable = list[str](), list[str]()
    for error in info.get("remote_errors") or ():
        path, words = str(error["path"]), _MARKUP.sub("", str(error["contents"])).strip()
        if path not in named:
            errors.append(f"{path}: {words}" if path else words)
        elif path in wanted and path not in missing:
            errors.append(f"{path}: {words}")
            unreadable.append(path)
    # With the repository itself unread no file is there, which says nothing of any file.
    unread = len(errors) > len(unreadable)
    differences = () if unread else tuple(_differences(contents, missing, set(unreadable), fingerprint))
    return Seen(commit, message, differences, tuple(errors), tuple(unreadable))


def deployed(document: Json, fingerprint: Fingerprint) -> Seen:
    """What the agent deployed, from ``GetStack`` after ``DeployStack``.

    Komodo has no record of a deploy that ended Core itself, or during which the stack was renamed: no commit then, and
    the files of the deploy before, or none. None gives no difference.
    """
    info: Json = document.get("info") or {}
    commit, message = str(info.get("deployed_hash") or ""), str(info.get("deployed_message") or "").strip()
    if not _from_repository(document["config"]) or info.get("deployed_contents") is None:
        return Seen(commit, message, deployed=True)
    contents = _texts(info["deployed_contents"])
    return Seen(commit, message, tuple(_differences(contents, set(), set(), fingerprint)), deployed=True)


def problem(where: str, found: Seen, config: Json) -> Problem:
    """What to say and to do about differences or errors; ``config`` is the Stack's, as Komodo has it."""
    branch = "its linked repository" if config.get("linked_repo") else f"branch {config.get('branch') or 'main'}"
    if found.errors:
        what = "Komodo cannot read the files of the repository"
        if found.unreadable:
            hint = "Komodo deploys only text files: leave these out of config_files"
        else:
            hint = f"does {branch} exist, and may the Stack's git account read it? mend that, then run again"
        return Problem(where, _block(what, found.errors), hint)
    message = f' "{found.message.splitlines()[0]}"' if found.message else ""
    commit = f" (commit {found.commit[:7]}{message} of {branch})" if found.commit else ""
    if found.deployed:
        what = f"the host deployed other files than those that were previewed{commit}"
        hint = "did someone push in the meantime? git pull, preview, and run again"
    else:
        what = f"Komodo would deploy other files than those that were previewed{commit}"
        hint = "not pushed yet? git push; did someone else push? git pull, and preview again"
    if config.get("commit"):
        pinned = str(config["commit"])
        hint = f"the stack is pinned to commit {pinned[:7]}: preview from there, or pin it to the one that you mean"
    return Problem(where, _block(what, found.differences), hint)


def live_fingerprint(info: Json, fingerprint: Fingerprint) -> dict[str, str]:
    """The fingerprint of what Komodo deployed last, where its record (``info.deployed_contents``) tells.

    Files and keys that the last deploy did not have are left out; without a record the fingerprint is as it was.
    """
    contents = _texts(info.get("deployed_contents"))
    if not contents:
        return dict(fingerprint)
    told = _told(contents, fingerprint)
    untold = {
        part: value
        for part, value in fingerprint.items()
        if part.partition(" ")[0] not in _WHOLE and not part.startswith(tuple(f"secret {path} " for path in contents))
    }
    order = {part: place for place, part in enumerate(fingerprint)}
    return dict(sorted((untold | told).items(), key=lambda item: order.get(item[0], len(order))))


def _from_repository(config: Json) -> bool:
    return not config.get("files_on_host") and bool(config.get("repo") or config.get("linked_repo"))


def _paths(config: Json) -> set[str]:
    """Every file that a Stack's configuration names."""
    listed = (*(config.get("additional_env_files") or ()), *(config.get("config_files") or ()))
    return {*(config.get("file_paths") or ("compose.yaml",)), *(str(file["path"]) for file in listed)}


def _texts(contents: Sequence[Json] | None) -> dict[str, str]:
    return {str(file["path"]): str(file["contents"]) for file in contents or ()}


def _whole_files(fingerprint: Fingerprint) -> Iterator[tuple[str, str]]:
    """The parts that are a file as a whole, with its path."""
    for part in fingerprint:
        kind, _, path = part.partition(" ")
        if kind in _WHOLE:
            yield part, path


def _told(contents: Mapping[str, str], fingerprint: Fingerprint) -> dict[str, str]:
    """The parts that the contents tell of, with their digests; a broken secret file has none."""
    told = {part: digest(contents[path]) for part, path in _whole_files(fingerprint) if path in contents}
    for path in _secret_paths(contents, fingerprint):
        try:
            told |= {f"secret {path} {key}": value for key, value in ciphertexts(path, contents[path])}
        except SecretsError:
            continue
    return told


def _secret_paths(paths: Mapping[str, str] | set[str], fingerprint: Fingerprint) -> list[str]:
    """The files whose values were previewed one by one."""
    return [path for path in paths if any(part.startswith(f"secret {path} ") for part in fingerprint)]


def _differences(
    contents: Mapping[str, str], missing: set[str], unreadable: set[str], fingerprint: Fingerprint
) -> Iterator[str]:
    told = _told(contents, fingerprint)
    for part, path in _whole_files(fingerprint):
        expected = fingerprint[part]
        if part in told:
            if expected == MISSING:
                yield f"{path} is there, and was not in what was previewed"
            elif told[part] != expected:
                yield f"{path} differs from the one that was previewed"
        elif expected == MISSING or path in unreadable:
            continue
        elif path in missing:
            yield f"{path} is missing in the repository"
        else:
            yield f"{path} is not among the files that Komodo's Stack names"
    yield from (f"{path} is missing in the repository" for path in _secret_paths(missing, fingerprint))
    for path in _secret_paths(contents, fingerprint):
        ours = [part for part in fingerprint if part.startswith(f"secret {path} ")]
        theirs = [part for part in told if part.startswith(f"secret {path} ")]
        for part in dict.fromkeys((*ours, *theirs)):
            if part not in told:
                yield f"{part} is missing"
            elif part not in fingerprint:
                yield f"{part} is there, and was not in what was previewed"
            elif told[part] != fingerprint[part]:
                yield f"{part} differs from the one that was previewed"


def _block(what: str, lines: Sequence[str]) -> str:
    shown = [line.replace("\n", "\n      ") for line in lines[:_SHOWN]]
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n    ".join((what, *shown, *more))
