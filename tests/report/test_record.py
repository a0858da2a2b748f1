from __future__ import annotations

import json
from pathlib import Path

import pytest

from whaledo.report.record import RunSummary, read_log_tail, read_record

RECORD = {
    "run_id": "x",
    "whaledo": "0.1.0",
    "started": "2026-01-02T03:04:05+00:00",
    "verdict": {"code": "ok", "message": "submission.csv is valid", "hint": "", "details": []},
    "engine": {
        "name": "bubblewrap",
        "version": "0.8.0",
        "guarantees": {"memory": {"level": "best_effort", "by": "no cgroup"}},
    },
    "environment": {"profile": "core"},
    "limits": {
        "wall_s": 60.0,
        "memory_bytes": 1024**3,
        "processes": 64,
        "disk_bytes": 1024,
        "log_bytes": 100,
    },
    "usage": {
        "wall_s": 30.0,
        "peak_memory_bytes": None,
        "max_processes": 3,
        "output_bytes": 512,
        "log_bytes": 99,
    },
    "warnings": ["look at this"],
}
"""A `run.json`, as far as a report reads it."""


def test_a_record_tells_the_verdict_the_limits_and_what_was_not_enforced(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(RECORD))

    run, why_not = read_record(tmp_path)

    assert why_not == ""
    assert run is not None
    assert run.is_ok
    assert run.weak == ("memory: best effort (no cgroup)",)
    assert {limit.name: limit.share for limit in run.limits} == {
        "time": 0.5,
        "processes and threads": 3 / 64,
        "disk": 0.5,
        "log": 0.99,
    }
    assert (run.limits[0].used, run.limits[0].limit) == ("30.0 s", "1 min 0 s")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"verdict": 1}', '{"verdict": {}, "engine": {}}', "[" * 100_000, "\x00"]
)
def test_a_record_that_cannot_be_read_is_said_and_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)

    run, why_not = read_record(tmp_path)

    assert run is None
    assert "run the submission again" in why_not


def test_no_record_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert read_record(tmp_path) == (None, "")
    assert read_log_tail(tmp_path) == []


def test_the_log_of_a_run_is_read_from_its_end(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_bytes(b"line\n" * 1_000_000 + b"the end\n")

    assert read_log_tail(tmp_path)[-2:] == ["line", "the end"]


def test_what_a_submission_put_into_the_verdict_is_made_visible(tmp_path: Path) -> None:
    verdict = {"code": "crashed", "message": "ValueError: \x1b[2J\u202e", "details": ["\x07"] * 50}
    (tmp_path / "run.json").write_text(json.dumps({**RECORD, "verdict": verdict}))

    run, _ = read_record(tmp_path)

    assert run is not None
    assert run.message == "ValueError: \\x1b[2J\\u202e"
    assert run.details[0] == "\\x07"
    assert run.details[-1] == "… and 10 more"


FOUND = {
    "profile": "core",
    "modules": 2,
    "not_checked": "",
    "problems": [
        {
            "code": "missing_import",
            "severity": "error",
            "total": 1,
            "shown": [{"file": "main.py", "line": 3, "message": "`timm` isn't there", "hint": "pack it"}],
        },
        {
            "code": "own_path",
            "severity": "warning",
            "total": 3,
            "shown": [{"file": "a.py", "line": None, "message": "'/home/\u202eme'", "hint": ""}],
        },
    ],
}
TRIED = {
    "queries": 6,
    "images": 70,
    "first": {"verdict": {"code": "ok"}, "steps": {"run": 1.5, "validate": 0.5}},
    "second": {"verdict": {"code": "ok"}},
    "comparison": {"agreement": "same_ranking", "largest_difference": 1e-6},
}


def read(tmp_path: Path, **changes: object) -> RunSummary:
    """What is read of a record with these changes."""
    (tmp_path / "run.json").write_text(json.dumps({**RECORD, **changes}))
    run, why_not = read_record(tmp_path)
    assert run is not None, why_not
    return run


def test_what_the_check_found_is_told_once(tmp_path: Path) -> None:
    run = read(tmp_path, check=FOUND, warnings=["look at this", "a.py: '/home/\u202eme'"])

    assert run.before.check == "2 modules read for core: 1 error, 3 warnings."
    assert run.before.errors == ("main.py:3: `timm` isn't there (pack it)",)
    assert run.before.warnings == (r"a.py: '/home/\u202eme'", "… and 2 more like these")
    assert run.warnings == ("look at this",)


def test_a_check_that_fell_and_one_that_found_nothing_are_told(tmp_path: Path) -> None:
    fell = read(tmp_path, check={**FOUND, "problems": [], "not_checked": "it took too long"})
    assert fell.before.check == "The code couldn't be read: it took too long."
    clean = read(tmp_path, check={**FOUND, "problems": [], "modules": 1, "profile": None})
    assert clean.before.check == "1 module read: nothing was found."


def test_a_smoke_run_is_a_sentence(tmp_path: Path) -> None:
    run = read(tmp_path, smoke=TRIED)
    assert run.before.smoke == (
        "ok on 6 queries and 70 images in 2.0 s; run twice: same ranking, scores differ by up to 1e-06."
    )
    second = {**TRIED, "comparison": None, "second": {"verdict": {"code": "out_of_memory"}}}
    assert read(tmp_path, smoke=second).before.smoke.endswith("; the second time: out of memory.")


@pytest.mark.parametrize(
    ("step", "folder"), [("smoke", "smoke"), ("smoke_again", "smoke/again"), ("run", "")]
)
def test_the_log_is_that_of_the_step_that_failed(tmp_path: Path, step: str, folder: str) -> None:
    for each in ("smoke/again", "smoke", ""):
        (tmp_path / each).mkdir(exist_ok=True, parents=True)
        (tmp_path / each / "log.txt").write_text(f"this is {each}")
    run = read(tmp_path, verdict={"code": "crashed", "message": "it fell", "step": step})
    assert read_log_tail(tmp_path, run) == [f"this is {folder}".rstrip()]


@pytest.mark.parametrize("odd", [{"check": {"problems": 3}}, {"smoke": {"first": []}}, {"check": [1]}])
def test_an_odd_record_of_what_came_before_is_no_record(tmp_path: Path, odd: dict[str, object]) -> None:
    (tmp_path / "run.json").write_text(json.dumps({**RECORD, **odd}))
    assert read_record(tmp_path)[0] is None
