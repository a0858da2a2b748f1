"""Synthetic challenges small enough for tests."""

from __future__ import annotations

import pytest

from whaledo.challenge.demo.schedule import Plan
from whaledo.challenge.demo.write import write_demo
from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Challenge


@pytest.fixture(scope="session")
def tiny() -> Plan:
    """Quick to draw again and again; fills every scenario for the seeds that tests use."""
    return Plan(images=24, whales=7, singletons=2)


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Challenge:
    """Enough photographs for averages to mean something, drawn once; don't write into its folder."""
    folder = tmp_path_factory.mktemp("demo") / "small"
    write_demo(folder, plan=Plan(images=150, whales=40, singletons=8))
    return load_challenge(folder)
