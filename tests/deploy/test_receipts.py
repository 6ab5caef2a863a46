"""Receipts: written whole by whoever deploys at once, read again whatever became of the file."""

import json
import stat
import subprocess
import sys
from pathlib import Path

from homeops.deploy.receipts import Journal, Receipt, journal_directory

BEGAN = "2026-01-02T03:04:05+00:00"
FULL = Receipt(
    stack="web",
    host="one",
    result="healthy",
    began=BEGAN,
    seconds=1.5,
    commit="b" * 40,
    commit_before="a" * 40,
    images_before={"app": "nginx@sha256:1"},
    images_after={"app": "nginx@sha256:2"},
    update="66f0",
    why=["compose docker/stacks/one/web/compose.yaml", "env TZ"],
    by="homeops rollback",
)

WRITER = """
import sys
from pathlib import Path
from homeops.deploy.receipts import Journal, Receipt

journal = Journal(Path(sys.argv[1]), "test")
for number in range(50):
    journal.append(Receipt(sys.argv[2], "one", "healthy", "today", why=["part"] * 2000, update=str(number)))
"""


def test_what_is_written_is_read_again_for_its_owner_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "made", "test")
    assert journal.receipts() == []
    other = Receipt("db", "two", "failed", BEGAN, reason="port is taken")
    journal.append(FULL)
    journal.append(other)
    assert journal.receipts() == [FULL, other]
    assert journal.receipts("db") == [other]
    assert Journal(tmp_path / "made", "prod").receipts() == []
    assert stat.S_IMODE(journal.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.file.parent.stat().st_mode) == 0o700


def test_a_journal_that_is_forgotten_leaves_the_others(tmp_path: Path) -> None:
    lab, prod = (Journal(tmp_path / "made", stack) for stack in ("lab", "prod"))
    assert not lab.forget()
    lab.append(FULL)
    prod.append(FULL)
    assert lab.forget()
    assert (lab.receipts(), prod.receipts()) == ([], [FULL])
    assert prod.forget()
    assert not (tmp_path / "made").exists()


def test_processes_that_append_at_once_lose_and_mix_nothing(tmp_path: Path, root: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], cwd=root, env={"PYTHONPATH": str(root)})
        for name in "abcd"
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4
    journal = Journal(tmp_path, "test")
    for name in "abcd":
        assert [receipt.update for receipt in journal.receipts(name)] == [str(number) for number in range(50)]
    assert len(journal.file.read_bytes().splitlines()) == 200


def test_a_line_that_a_killed_run_tore_costs_no_other_receipt(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "test")
    journal.append(FULL)
    whole = journal.file.read_bytes()
    for cut in range(1, len(whole)):
        journal.file.write_bytes(whole + whole[:cut])
        assert journal.receipts()[0] == FULL
        journal.append(FULL)
        assert journal.receipts()[0] == journal.receipts()[-1] == FULL


def test_lines_of_another_version_are_read_as_far_as_they_are_known(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "test")
    known = {"stack": "web", "host": "one", "result": "failed", "began": BEGAN}
    lines = ["[]", "7", "{}", "\x00", json.dumps(known | {"schema": 2, "new": "field"})]
    journal.file.write_text("\n".join(lines) + "\n")
    assert journal.receipts() == [Receipt("web", "one", "failed", BEGAN)]


def test_a_reason_is_one_line_without_secrets(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "test")
    journal.append(Receipt("web", "one", "failed", BEGAN, reason="no login with PASSWORD=hunter2\nmore\n"))
    journal.append(Receipt("web", "one", "failed", BEGAN, reason="x" * 1000))
    first, second = journal.receipts()
    assert first.reason == "no login with PASSWORD=[secret]"
    assert len(second.reason) == 300
    assert "hunter2" not in journal.file.read_text()


def test_a_journal_that_cannot_be_written_is_told_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    told: list[str] = []
    Journal(tmp_path / "taken", "test").append(FULL, told.append)
    assert len(told) == 1
    assert told[0].startswith(f"warning: the receipt of web is not in {tmp_path}/taken/receipts.test.jsonl: ")


def test_the_journal_is_in_the_checkout_unless_the_environment_says_where(tmp_path: Path) -> None:
    assert journal_directory(tmp_path, {}) == tmp_path / ".homeops"
    assert journal_directory(tmp_path, {"HOMEOPS_RECEIPTS": ""}) == tmp_path / ".homeops"
    assert journal_directory(tmp_path, {"HOMEOPS_RECEIPTS": "/elsewhere"}) == Path("/elsewhere")
    assert journal_directory(tmp_path, {"HOMEOPS_RECEIPTS": "~/kept"}) == Path("~/kept").expanduser()
