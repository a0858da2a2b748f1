"""Prints, after the tests, which point of the contract holds with which engine."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

_HERE = Path(__file__).parent.name
_MARKS = {"passed": "✓", "failed": "✗", "skipped": "-"}
_outcomes: dict[str, dict[str, str]] = defaultdict(dict)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember how a test of a point ended."""
    case = re.search(rf"{_HERE}/test_contract\.py::test_(\w+)\[([\w-]+)", report.nodeid)
    if case is not None and (report.when == "call" or report.outcome != "passed"):
        _outcomes[case[1].replace("_", " ")][case[2]] = _MARKS[report.outcome]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table: points down, engines across."""
    if not _outcomes:
        return
    engines = sorted({engine for row in _outcomes.values() for engine in row})
    widest = max(map(len, _outcomes))
    terminalreporter.section("the contract, engine by engine")
    terminalreporter.write_line(f"{'':<{widest}}  {'  '.join(engines)}")
    for point, row in _outcomes.items():
        marks = "  ".join(f"{row.get(engine, ' '):^{len(engine)}}" for engine in engines)
        terminalreporter.write_line(f"{point:<{widest}}  {marks}")
