"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def _real(name: str) -> Path:
    """The folder `name` of the real data, if present; the test is skipped with the reason where it isn't."""
    given = os.environ.get("WHALEDO_REAL_DATA")
    beluga = Path(given) if given else REPOSITORY.parent / "shared" / "beluga"
    folder = beluga if name == "beluga" else beluga.parent / name
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} isn't there (set WHALEDO_REAL_DATA to the photographs' folder)")
    return folder


@pytest.fixture(scope="session")
def beluga() -> Path:
    """The folder of real beluga photographs (layout B, with labels.csv)."""
    return _real("beluga")


@pytest.fixture(scope="session")
def scoring_cases() -> Path:
    """The folder of the metric's edge cases, with the published scorer's answers."""
    return _real("scoring_cases")
