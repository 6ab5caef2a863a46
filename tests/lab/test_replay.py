"""The simulated Core against recorded conversations with a real one: every step answers what was recorded."""

import json
from pathlib import Path

import pytest

from homeops.lab.recorded_km import asks_core
from homeops.lab.replay import play_file

_TRANSCRIPTS = Path(__file__).parent.parent / "data" / "transcripts"


def _recordings() -> list[Path]:
    return sorted(_TRANSCRIPTS.glob("*.json"))


@pytest.mark.parametrize("file", _recordings(), ids=lambda file: file.name)
def test_every_step_answers_as_recorded(file: Path) -> None:
    wrong = [f"step {step.index}: {difference}" for step in play_file(file) for difference in step.differences]
    assert not wrong, "\n".join(wrong[:10])


def test_recordings_are_there() -> None:
    assert len(_recordings()) > 80


def test_what_is_not_judged_is_what_the_km_program_says_without_core() -> None:
    steps = json.loads((_TRANSCRIPTS / "99b-km.json").read_text(encoding="utf-8"))["steps"]
    left = {index: step["cli"][1:] for index, step in enumerate(steps) if "cli" in step and not asks_core(step)}
    assert left == {
        0: ["--version"],
        8: ["execute", "deploy-stack", "web", "-y"],
        9: ["execute", "deploy-stack", "web", "--yes"],
        10: ["execute", "deploy-stack", "web"],
        19: ["execute", "-y", "nonsense", "web"],
    }
