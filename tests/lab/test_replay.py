"""The simulated Core against recorded conversations with a real one: every step answers what was recorded."""

from pathlib import Path

import pytest

from homeops.lab.replay import play_file

_TRANSCRIPTS = Path(__file__).parent.parent / "data" / "transcripts"

# File -> why it is not matched yet. A file that matches must leave this list.
NOT_YET: dict[str, str] = {
    "99b-km.json": "steps of the km program are not played",
}


def _recordings() -> list[Path]:
    return sorted(_TRANSCRIPTS.glob("*.json"))


@pytest.mark.parametrize("file", _recordings(), ids=lambda file: file.name)
def test_every_step_answers_as_recorded(file: Path) -> None:
    wrong = [f"step {step.index}: {difference}" for step in play_file(file) for difference in step.differences]
    if file.name in NOT_YET:
        assert wrong, f"{file.name} matches: take it off the list"
    else:
        assert not wrong, "\n".join(wrong[:10])


def test_recordings_are_there() -> None:
    assert len(_recordings()) > 80
    assert set(NOT_YET) <= {file.name for file in _recordings()}
