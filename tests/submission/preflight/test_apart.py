"""A check in a process of its own answers what is asked on stdin, and leaves what unpacking refuses to unpacking."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from whaledo.submission.preflight.apart import answer


def asked(path: Path) -> dict[str, Any]:
    """The question about a submission."""
    return {"submission": str(path), "profiles": {"core": {"numpy": "numpy"}}, "profile": "core"}


def test_it_answers_as_a_check_in_the_same_process_does(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import gone\n")
    (tmp_path / "ast.py").write_text("raise ValueError")
    words = [sys.executable, "-P", "-m", "whaledo.submission.preflight.apart"]
    said = subprocess.run(
        words, input=json.dumps(asked(tmp_path)), capture_output=True, text=True, cwd=tmp_path, check=True
    )
    document = json.loads(said.stdout)
    assert document == json.loads(json.dumps(answer(asked(tmp_path))))
    assert document["problems"][0]["code"] == "missing_import"


@pytest.mark.parametrize("name", ["other.py", "data/main.py"])
def test_what_unpacking_refuses_is_left_to_unpacking(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    assert answer(asked(tmp_path)) == {"refused": True}


def test_what_packing_alone_needs_is_not_imported() -> None:
    code = "import sys, whaledo.submission.preflight.apart; print('pathspec' in sys.modules)"
    said = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
