"""Requests and results are plain JSON: what one machine writes, another reads."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.errors import SHOWN_PER_CODE, Fault, Problem, Problems, Severity, UsageError
from whaledo.execution.contract import LEAST, Limits, Network
from whaledo.execution.records import (
    Check,
    Code,
    Guarantee,
    Level,
    RunRequest,
    RunResult,
    Step,
    Usage,
    Verdict,
)

POSITIVE = st.integers(2**26, 2**50)
LIMITS = st.builds(
    Limits,
    wall_s=st.floats(0.1, 10**6),
    memory_bytes=POSITIVE,
    cpus=st.none() | st.floats(0.5, 64),
    processes=st.integers(8, 10**5),
    disk_bytes=POSITIVE,
    log_bytes=POSITIVE,
    shm_bytes=POSITIVE,
)
REQUESTS = st.builds(
    RunRequest,
    submission=st.text(),
    data=st.text(),
    output=st.text(),
    engine=st.text(),
    profile=st.text(),
    limits=LIMITS,
    network=st.sampled_from(Network),
    show_identities=st.booleans(),
    image=st.none() | st.text(),
    gpu=st.none() | st.booleans(),
    require=st.none() | st.sampled_from(Level),
    check=st.booleans(),
) | st.builds(
    RunRequest, st.text(), st.text(), st.text(), smoke=st.none() | st.integers(1, 50), twice=st.booleans()
)


@given(REQUESTS)
def test_a_request_survives_its_way_through_json(request_: RunRequest) -> None:
    assert RunRequest.from_json(json.loads(json.dumps(request_.to_json()))) == request_


def test_a_result_is_plain_json() -> None:
    ended = Verdict(
        Code.TIMEOUT, Step.RUN, Fault.SUBMISSION, "too slow", used=61.0, limit=60.0, limit_name="wall_s"
    )
    result = RunResult(
        "id", "0.1", "now", ended, {}, {}, {}, {}, Limits(), Usage(sampled=("cpu_s",)), {"run": 61.0}
    )
    document = json.loads(json.dumps(result.to_json()))
    assert document["verdict"]["code"] == "timeout"
    assert document["verdict"]["fault"] == "submission"
    assert document["limits"]["wall_s"] == 3 * 3600
    assert document["usage"]["sampled"] == ["cpu_s"]


def test_a_request_of_before_the_check_is_checked() -> None:
    document = RunRequest("s", "d", "o").to_json()
    del document["check"]
    assert RunRequest.from_json(document).check


def test_what_a_check_found_is_told_in_lines_and_counted_in_full() -> None:
    problems = Problems()
    for number in range(SHOWN_PER_CODE + 2):
        problems.add(Problem("missing_import", "`a` isn't there", "pack it", "main.py", number + 1))
    problems.add(Problem("own_path", "a path", file="b.py", severity=Severity.WARNING))
    check = Check("core", 2, tuple(problems.to_json()), "it broke")
    errors = check.lines(Severity.ERROR)
    assert errors[0] == "main.py:1: `a` isn't there (pack it)"
    assert errors[SHOWN_PER_CODE:] == ("… and 2 more like these",)
    assert check.total(Severity.ERROR) == SHOWN_PER_CODE + 2
    assert check.lines(Severity.ERROR, "download") == ()
    assert check.warnings == (
        "b.py: a path",
        "the submission couldn't be checked before the run: it broke",
    )


def limits(name: str, value: Any) -> Limits:
    """The default limits, but for one."""
    return Limits(**{name: value})


@pytest.mark.parametrize("name", Limits.__dataclass_fields__)
@pytest.mark.parametrize("value", [0, -1, math.inf, -math.inf, math.nan])
def test_a_limit_that_limits_nothing_is_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        limits(name, value)
    assert caught.value.hint


@pytest.mark.parametrize("name", LEAST)
def test_a_limit_below_which_nothing_starts_is_refused(name: str) -> None:
    limits(name, LEAST[name])
    with pytest.raises(UsageError, match=name) as caught:
        limits(name, LEAST[name] * 0.9)
    assert f"{LEAST[name]:,}" in caught.value.hint


def test_every_guarantee_says_what_it_promises() -> None:
    assert all(guarantee.meaning for guarantee in Guarantee)
