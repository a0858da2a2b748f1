from __future__ import annotations

import json
from pathlib import Path

import pytest

from whaledo.report.record import read_log_tail, read_record

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
