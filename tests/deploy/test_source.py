"""What Komodo holds of a stack's files against what was previewed: recorded answers, and files with real secrets."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeops.deploy.digests import digest
from homeops.deploy.source import Seen, deployed, live_fingerprint, problem, seen
from tests.deploy.repository import WEB, Repository
from tests.model.recorded import TRANSCRIPTS

Json = dict[str, Any]

WHERE = 'stack "web" on one'
NAMED = (f"{WEB}/compose.yaml", f"{WEB}/config/site.conf", f"{WEB}/.sops.env", f"{WEB}/users.sops.json")


def recorded(name: str, step: int) -> Json:
    """The answer of one step of a recorded conversation."""
    steps = json.loads((TRANSCRIPTS / f"{name}.json").read_text(encoding="utf-8"))["steps"]
    return steps[step]["response"]


def previewed(document: Json) -> dict[str, str]:
    """The fingerprint of the files that Core holds."""
    compose = document["config"]["file_paths"]
    return {
        f"{'compose' if file['path'] in compose else 'config'} {file['path']}": digest(file["contents"])
        for file in document["info"]["remote_contents"]
    }


def document(
    contents: Mapping[str, str], missing: tuple[str, ...] = (), errors: Mapping[str, str] | None = None, **config: Any
) -> Json:
    """An answer of GetStack in which Core and the agent hold these files."""
    files = [{"path": path, "contents": text} for path, text in contents.items()]
    return {
        "config": {"repo": "someone/fleet", "branch": "main", "file_paths": [NAMED[0]], **config},
        "info": {
            "remote_contents": [file | {"services": [], "requires": "None"} for file in files],
            "remote_errors": [{"path": path, "contents": text} for path, text in (errors or {}).items()],
            "missing_files": list(missing),
            "latest_hash": "1234567",
            "latest_message": "the newest\n\nmore",
            "deployed_contents": files,
            "deployed_hash": "1234567",
            "deployed_message": "the newest",
        },
    }


def checked_out(repository: Repository, paths: tuple[str, ...] = NAMED) -> dict[str, str]:
    """The files of the stack as whoever clones the repository has them."""
    return {path: (repository.root / path).read_text(encoding="utf-8") for path in paths}


# As recorded


def test_core_holds_what_was_previewed() -> None:
    answer = recorded("61-deploy-git-stack-two-files", 4)
    assert seen(answer, previewed(answer)) == Seen(commit="<hash:2>", message="web with two files")


def test_after_a_push_core_holds_other_files_of_another_commit() -> None:
    before = previewed(recorded("61-deploy-git-stack-two-files", 4))
    after = recorded("61-deploy-git-stack-two-files", 14)
    found = seen(after, before)
    assert (found.commit, found.message) == ("<hash:4>", "web in green")
    assert found.differences == (
        "docker/web/compose.override.yaml differs from the one that was previewed",
        "docker/web/conf/app.conf differs from the one that was previewed",
    )
    assert not found.errors


def test_until_the_push_is_deployed_the_deployed_files_are_the_old_ones() -> None:
    before = previewed(recorded("61-deploy-git-stack-two-files", 4))
    after = recorded("61-deploy-git-stack-two-files", 14)
    assert deployed(after, before) == Seen("<hash:2>", "web with two files", deployed=True)
    assert deployed(after, previewed(after)).differences == seen(after, before).differences
    assert deployed(recorded("61-deploy-git-stack-two-files", 18), previewed(after)).differences == ()


def test_a_push_within_the_pull_cache_is_an_older_commit_on_the_host() -> None:
    answer = recorded("61b-pull-cache", 16)
    # The newer commit changes no file of this stack, so the commits alone tell them apart.
    assert seen(answer, previewed(answer)) == Seen("<hash:4>", answer["info"]["latest_message"])
    assert deployed(answer, previewed(answer)) == Seen("<hash:2>", answer["info"]["deployed_message"], deployed=True)


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (45, "fatal: Remote branch release not found in upstream origin"),
        (50, "fatal: repository 'http://127.0.0.1:9330/fleet/missing/' not found"),
    ],
)
def test_when_git_fails_its_words_are_told_and_no_file_is_blamed(step: int, error: str) -> None:
    answer = recorded("64-deploy-failures-before-compose", step)
    found = seen(answer, {"compose web/compose.yaml": "0" * 12})
    assert found.differences == found.unreadable == ()
    assert len(found.errors) == 1
    assert found.errors[0].startswith("Failed at: Clone Repo: Cloning into")
    assert found.errors[0].endswith(error)
    text = str(problem(WHERE, found, answer["config"]))
    assert text.startswith(f"{WHERE}: Komodo cannot read the files of the repository\n    Failed at: Clone Repo: ")
    branch = answer["config"]["branch"]
    assert text.endswith(
        f"\n  hint: does branch {branch} exist, and may the Stack's git account read it? mend that, then run again"
    )


def test_a_missing_file_is_missing_in_the_repository_and_no_error() -> None:
    answer = recorded("64-deploy-failures-before-compose", 55)
    found = seen(answer, {"compose compose.yaml": "0" * 12})
    assert (found.differences, found.errors) == (("compose.yaml is missing in the repository",), ())
    # Missing at home as well is no difference; the deploy itself will say it.
    assert seen(answer, {"compose compose.yaml": "missing"}).differences == ()


@pytest.mark.parametrize(
    ("name", "step"), [("60-deploy-ui-stack", 12), ("63-deploy-files-on-host", 8), ("63-deploy-files-on-host", 16)]
)
def test_files_that_are_in_no_repository_are_not_compared(name: str, step: int) -> None:
    answer, parts = recorded(name, step), {"komodo server_id": "1" * 12}
    assert seen(answer, parts) == Seen()
    assert deployed(answer, parts).differences == ()
    assert live_fingerprint(answer["info"], parts) == parts


def test_an_env_file_that_the_hook_made_is_no_difference() -> None:
    answer = recorded("74-sops-age-pre-deploy", 15)
    parts = {"compose web/compose.yaml": previewed(answer)["compose web/compose.yaml"]}
    assert seen(answer, parts).differences == deployed(answer, parts).differences == ()
    info = {**answer["info"], "remote_contents": answer["info"]["remote_contents"][:1]}
    error = {"path": "web/.env", "contents": "No such file or directory"}
    absent = {**answer, "info": {**info, "missing_files": ["web/.env"], "remote_errors": [error]}}
    assert (seen(absent, parts).differences, seen(absent, parts).errors) == ((), ())


# With a repository


def test_files_and_secrets_of_the_repository_are_the_same_through_komodo(repository: Repository) -> None:
    answer, parts = document(checked_out(repository)), repository.fingerprints()["web"]
    # One secret file, keys.sops.yaml, is not among what this Stack names, which is no difference.
    assert seen(answer, parts).differences == deployed(answer, parts).differences == ()
    assert live_fingerprint(answer["info"], parts) == parts


def test_a_secret_that_was_not_pushed_is_named_by_its_key(repository: Repository) -> None:
    answer = document(checked_out(repository))
    repository.run("set", NAMED[2], '["TOKEN"]', '"another"')
    repository.run("set", NAMED[3], '["list"][1]', '"another"')
    repository.run("set", NAMED[3], '["new"]', '"one"')
    repository.run("unset", NAMED[2], '["PASSWORD"]')
    assert set(seen(answer, repository.fingerprints()["web"]).differences) == {
        f"secret {NAMED[2]} TOKEN differs from the one that was previewed",
        f"secret {NAMED[2]} PASSWORD is there, and was not in what was previewed",
        f"secret {NAMED[3]} list[1] differs from the one that was previewed",
        f"secret {NAMED[3]} new is missing",
    }


def test_a_secret_file_that_was_not_pushed_is_missing(repository: Repository) -> None:
    contents = checked_out(repository)
    del contents[NAMED[2]]
    found = seen(document(contents, missing=(NAMED[2],)), repository.fingerprints()["web"])
    assert found.differences == (f"{NAMED[2]} is missing in the repository",)


def test_a_broken_secret_file_differs_and_stops_nothing_else(repository: Repository) -> None:
    contents, parts = checked_out(repository) | {NAMED[3]: "{"}, repository.fingerprints()["web"]
    found = seen(document(contents), parts)
    assert found.differences
    assert all(text.startswith(f"secret {NAMED[3]} ") and text.endswith(" is missing") for text in found.differences)


def test_a_file_that_komodo_cannot_read_as_text_is_an_error_and_no_difference(repository: Repository) -> None:
    (repository.root / NAMED[1]).write_bytes(b"\xff\xfe\x00")
    parts = repository.fingerprints()["web"]
    contents = checked_out(repository, NAMED[:1] + NAMED[2:])
    words = '<span style="color: red">ERROR</span>: Failed to read file contents\n\tstream did not contain valid UTF-8'
    found = seen(document(contents, errors={NAMED[1]: words}), parts)
    assert found.differences == ()
    assert found.unreadable == (NAMED[1],)
    assert str(problem(WHERE, found, document(contents)["config"])) == (
        f"{WHERE}: Komodo cannot read the files of the repository\n"
        f"    {NAMED[1]}: ERROR: Failed to read file contents\n"
        "      \tstream did not contain valid UTF-8\n"
        "  hint: Komodo deploys only text files: leave these out of config_files"
    )


def test_a_file_that_the_stack_no_longer_names_is_a_difference(repository: Repository) -> None:
    contents = checked_out(repository)
    del contents[NAMED[1]]
    found = seen(document(contents), repository.fingerprints()["web"])
    assert found.differences == (f"{NAMED[1]} is not among the files that Komodo's Stack names",)


def test_without_a_record_nothing_is_said_of_what_was_deployed(repository: Repository) -> None:
    parts, answer = repository.fingerprints()["web"], document({})
    answer["info"] |= {"deployed_contents": None, "deployed_hash": None, "deployed_message": None}
    assert deployed(answer, parts) == Seen(deployed=True)
    assert live_fingerprint(answer["info"], parts) == parts


def test_a_refresh_shows_what_somebody_else_deployed(repository: Repository) -> None:
    parts = repository.fingerprints()["web"]
    contents = checked_out(repository) | {NAMED[0]: "services: {}\n"}
    repository.run("set", NAMED[2], '["TOKEN"]', '"another"')
    contents[NAMED[2]] = (repository.root / NAMED[2]).read_text(encoding="utf-8").replace("PASSWORD=", "PASSPHRASE=")
    del contents[NAMED[1]]
    live = live_fingerprint(document(contents)["info"], parts)
    assert {part for part in live | parts if live.get(part) != parts.get(part)} == {
        f"compose {NAMED[0]}",
        f"config {NAMED[1]}",
        f"secret {NAMED[2]} TOKEN",
        f"secret {NAMED[2]} PASSWORD",
        f"secret {NAMED[2]} PASSPHRASE",
    }
    assert f"config {NAMED[1]}" not in live
    assert list(live)[: len(parts) - 2] == [part for part in parts if part in live]


# What is said


def test_other_files_in_core_are_named_with_commit_and_branch() -> None:
    parts = {f"compose {NAMED[0]}": "0" * 12}
    answer = document({NAMED[0]: "services: {}\n"})
    assert str(problem(WHERE, seen(answer, parts), answer["config"])) == (
        f"{WHERE}: Komodo would deploy other files than those that were previewed "
        '(commit 1234567 "the newest" of branch main)\n'
        f"    {NAMED[0]} differs from the one that was previewed\n"
        "  hint: not pushed yet? git push; did someone else push? git pull, and preview again"
    )
    assert str(problem(WHERE, deployed(answer, parts), answer["config"])) == (
        f"{WHERE}: the host deployed other files than those that were previewed "
        '(commit 1234567 "the newest" of branch main)\n'
        f"    {NAMED[0]} differs from the one that was previewed\n"
        "  hint: did someone push in the meantime? git pull, preview, and run again"
    )


def test_a_pinned_stack_is_told_its_commit() -> None:
    answer = document({NAMED[0]: "services: {}\n"}, commit="89abcdef0123456789")
    found = problem(WHERE, seen(answer, {f"compose {NAMED[0]}": "0" * 12}), answer["config"])
    assert found.hint == (
        "the stack is pinned to commit 89abcde: preview from there, or pin it to the one that you mean"
    )


def test_the_branch_of_a_linked_repository_is_not_guessed() -> None:
    answer = document({NAMED[0]: "services: {}\n"}, linked_repo="ours", repo="")
    found = problem(WHERE, seen(answer, {f"compose {NAMED[0]}": "0" * 12}), answer["config"])
    assert '(commit 1234567 "the newest" of its linked repository)' in found.what


def test_many_differences_are_counted() -> None:
    parts = {f"config {number}": "0" * 12 for number in range(14)}
    answer = document({str(number): "" for number in range(14)})
    lines = problem(WHERE, seen(answer, parts), answer["config"]).what.splitlines()
    assert len(lines) == 12
    assert lines[-1] == "    and 4 more"


FILES = st.dictionaries(st.from_regex(r"[a-z]{1,4}/[a-z .]{1,8}", fullmatch=True), st.text(), min_size=1, max_size=5)


@given(FILES, st.data())
def test_exactly_the_files_that_differ_are_named(files: dict[str, str], data: st.DataObject) -> None:
    kinds = {path: data.draw(st.sampled_from(("compose", "config", "env_file"))) for path in files}
    parts = {f"{kinds[path]} {path}": digest(text) for path, text in files.items()} | {"env A": "1" * 12}
    assert seen(document(files), parts).differences == ()
    assert live_fingerprint(document(files)["info"], parts) == parts
    altered = data.draw(st.sets(st.sampled_from(sorted(files))))
    theirs = {path: text + ("+" if path in altered else "") for path, text in files.items()}
    wanted = {f"{path} differs from the one that was previewed" for path in altered}
    assert set(seen(document(theirs), parts).differences) == wanted
    assert set(deployed(document(theirs), parts).differences) == wanted
    live = live_fingerprint(document(theirs)["info"], parts)
    assert {part for part in parts if live[part] != parts[part]} == {f"{kinds[path]} {path}" for path in altered}
