"""A checkout for each test."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.adoption.checkout import Checkout, checkout_with_core


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Checkout]:
    """All of it is in Komodo, as declared."""
    with checkout_with_core(tmp_path, monkeypatch) as made:
        yield made
