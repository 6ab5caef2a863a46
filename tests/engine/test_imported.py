"""An imported fleet in the real engine: the first preview adopts everything, and nothing differs."""

import json
import re

import pytest

from homeops.imports.fleet import imported
from homeops.imports.written import write
from homeops.model.kinds import KINDS
from tests.engine.core import TestCore, writes
from tests.engine.engine import Project
from tests.engine.everything import ENVIRON
from tests.imports.seeded import SeededCore, everything

BY_END = {"PASSKEY": "TEST_PASSKEY", "URL": "TEST_WEBHOOK", "HIDDEN": "TEST_SECRET"}


def test_the_first_preview_only_adopts_and_up_writes_nothing(
    project: Project, core: TestCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeded = SeededCore(core.core)
    with monkeypatch.context() as patch:
        for name, value in ENVIRON.items():
            patch.setenv(name, value)
        seeded.apply(everything())
    findings, _ = seeded.found()
    made = imported(findings, {}, {})
    write(project.directory / "its_fleet", made.files)
    (project.directory / "__main__.py").write_text('from homeops.program import run\n\nrun("its_fleet")\n')
    (project.directory / f"Pulumi.{project.stack}.yaml").write_text(made.settings)
    secrets = {name: ENVIRON[BY_END[name.rpartition("_")[2]]] for name in made.exports}
    core.asked()

    preview = project.preview(**secrets).check()
    assert "differs" not in preview.text
    assert "declared nowhere" not in preview.text
    adopted = set(re.findall(r'(\w+ "[^"]+") exists in Komodo and equals the declaration', preview.text))
    assert len(adopted) == len(findings.found)
    assert {name.partition(" ")[0] for name in preview.of("create")} >= set(KINDS)
    assert {op for op, _ in preview.steps} == {"create"}
    project.up(**secrets).check()
    assert not writes(core.asked())
    state = json.dumps(project.state())
    assert not [value for value in ENVIRON.values() if value in state]
