"""Holding a submission.csv to the rules, here and in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from whaledo.challenge.model import Challenge
from whaledo.scoring.validate import validate_rankings

Write = Callable[..., Path]

GOOD = [("one-a1", "b1", 0.9), ("one-z1", "b1", 0.5), ("two-b1", "b2", 0.9), ("two-a2", "a4", 0.5)]


def ask(csv: Path, data: Path, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "whaledo.scoring.validate"] if not code else [sys.executable, "-c", code]
    request = json.dumps({"csv": str(csv), "data": str(data)})
    return subprocess.run(command, input=request, capture_output=True, text=True, check=False)


def answer(csv: Path, data: Path) -> dict[str, Any]:
    done = ask(csv, data)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def test_a_good_file_has_no_problems(write: Write, challenge: Challenge, folder: Path) -> None:
    path = write(GOOD)

    assert not validate_rankings(path, challenge)
    assert answer(path, folder) == {"rows": 4, "queries": 4, "answered": 4, "unanswered": 0, "problems": []}


def test_a_bad_file_is_told_the_same_in_both_ways(write: Write, challenge: Challenge, folder: Path) -> None:
    path = write([*GOOD[:2], ("one-a1", "b1", 2.0), ("two-x", "b1", 0.5)])
    problems = validate_rankings(path, challenge)

    assert {code for _, code in problems.kinds} == {
        "repeated_row",
        "out_of_range",
        "unknown_query",
        "unanswered_query",
    }
    said = answer(path, folder)
    assert said["problems"] == problems.to_json()
    assert (said["rows"], said["answered"], said["unanswered"]) == (4, 2, 2)


def test_a_file_without_columns_answers_nothing(write: Write, folder: Path) -> None:
    said = answer(write("no,such,columns\n"), folder)

    assert (said["rows"], said["answered"], said["unanswered"]) == (0, 0, 4)
    assert said["problems"][0]["code"] == "wrong_columns"


def test_the_process_imports_nothing_large_that_it_doesnt_need(write: Write, folder: Path) -> None:
    code = (
        "import json, sys; from whaledo.scoring.validate import answer;"
        "answer(json.load(sys.stdin)); print(*sys.modules)"
    )
    done = ask(write(GOOD), folder, code)

    assert done.returncode == 0
    unneeded = {"pandas", "pyarrow.compute", "numpy.random", "numpy.ma", "typer", "rich", "PIL"}
    assert unneeded.isdisjoint(done.stdout.split())
