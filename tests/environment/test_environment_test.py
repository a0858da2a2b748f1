"""The tests of an environment, run in it walled in and offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from whaledo.environment import self_test
from whaledo.environment.self_test import write_submission
from whaledo.environment_test import run_environment_test
from whaledo.errors import MachineError, UsageError
from whaledo.execution.runner import Listener
from whaledo.resources import HOME_VARIABLE, runtime_folder


@pytest.fixture
def home(rooms: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(rooms.home))
    return Path(rooms.home)


def test_core_does_what_submissions_count_on(home: Path) -> None:
    said = bytearray()

    result = run_environment_test("core", listener=Listener(output=said.extend))

    assert result.verdict.code == "ok", said.decode()
    assert b"test_faiss_finds_the_nearest" in said
    assert not list(home.glob("testing-*"))


def test_a_test_that_fails_is_told(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "main.py").write_bytes((runtime_folder() / "tests" / "main.py").read_bytes())
    (tests / "test_core.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n    def test_whale(self): assert 1 == 2\n"
    )
    monkeypatch.setattr(self_test, "runtime_folder", lambda: tmp_path)

    result = run_environment_test("core")

    assert result.verdict.code == "crashed"
    assert "AssertionError (test_core.py, line 3)" in result.verdict.message


def test_no_tests_at_all_are_a_fault(runtime: Any, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no tests for the environment tiny"):
        write_submission("tiny", tmp_path / "made")


def test_an_unknown_profile_is_a_mistake_of_the_command(home: Path) -> None:
    with pytest.raises(UsageError, match="no profile `orca`"):
        run_environment_test("orca")
