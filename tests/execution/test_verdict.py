"""From evidence to verdict: each cause alone, and which of several decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.errors import Fault, Problem, Problems, Severity
from whaledo.execution import verdict
from whaledo.execution.contract import WRITABLE_ENTRIES, Limits
from whaledo.execution.engines.base import Ending, Sample
from whaledo.execution.failure import Failure, Setting
from whaledo.execution.records import Check, Code, Step, Usage, Verdict
from whaledo.execution.supervisor import EndedBy, Watched
from whaledo.execution.verdict import Evidence, judge_check, judge_run

GIB = 1024**3
LIMITS = Limits(wall_s=60, memory_bytes=4 * GIB, processes=100, disk_bytes=GIB, log_bytes=1000)
COUNTED = Sample(memory_bytes=0, peak_memory_bytes=GIB, processes=0, oom_kills=0, refused_forks=0)
"""The last look at a run that had a control group."""

SAMPLED = Sample(memory_bytes=0, processes=0)
"""The last look at a run that had none."""

QUIET = Watched(
    EndedBy.ITSELF,
    Usage(wall_s=10, cpu_s=9, peak_memory_bytes=GIB, max_processes=3),
    COUNTED,
    peak_disk_bytes=0,
    peak_entries=0,
    unkillable=False,
)


def given_(exit_status: int | None = 1, *, failure: Failure | None = None, **seen: Any) -> Evidence:
    """Evidence of an unremarkable run, but for what is named."""
    named = {name: seen.pop(name) for name in ("log_error", "last_words", "setup_error") if name in seen}
    return Evidence(
        watched=replace(QUIET, **seen),
        ending=Ending(exit_status, setup_error=named.get("setup_error", "")),
        limits=LIMITS,
        failure=failure,
        log_error=named.get("log_error", ""),
        last_words=named.get("last_words", ""),
        setting=Setting("core", (), (), offline=True),
    )


def judged(exit_status: int | None = 1, **seen: Any) -> Verdict:
    """The verdict of a run that failed."""
    found = judge_run(given_(exit_status, **seen))
    assert found is not None
    return found


RAISED = Failure("ValueError", "no fins", "main.py", 7)
REFUSED = Failure("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "main.py", 3)
NO_THREAD = Failure("RuntimeError", "can't start new thread", "main.py", 3)
NO_SPACE = Failure("OSError", "[Errno 28] No space left on device", "main.py", 3)
MISSING = Failure("ModuleNotFoundError", "No module named 'timm'", "main.py", 1)
OOM = replace(COUNTED, oom_kills=2)
FORKS = replace(COUNTED, refused_forks=5)


def test_a_run_that_ended_well_is_left_to_its_output() -> None:
    assert judge_run(given_(0)) is None


def test_limits_hit_on_the_way_to_a_good_end_are_warnings() -> None:
    evidence = given_(0, last=replace(COUNTED, oom_kills=2, refused_forks=5), peak_disk_bytes=GIB)
    assert judge_run(evidence) is None
    assert verdict.warnings_of(evidence) == [
        "the kernel killed 2 of its processes for memory",
        "5 processes or threads were refused at the limit",
    ]


@pytest.mark.parametrize(
    ("evidence", "code", "proven", "figures"),
    [
        (given_(ended_by=EndedBy.WALL_TIME), Code.TIMEOUT, True, (10, 60, "wall_s")),
        (given_(ended_by=EndedBy.MEMORY, last=OOM), Code.OUT_OF_MEMORY, True, (GIB, 4 * GIB, "memory_bytes")),
        (given_(ended_by=EndedBy.MEMORY), Code.OUT_OF_MEMORY, True, (GIB, 4 * GIB, "memory_bytes")),
        (given_(137, last=OOM), Code.OUT_OF_MEMORY, True, (GIB, 4 * GIB, "memory_bytes")),
        (given_(last=FORKS), Code.TOO_MANY_PROCESSES, True, (100, 100, "processes")),
        (given_(last=SAMPLED, failure=REFUSED), Code.TOO_MANY_PROCESSES, False, (3, 100, "processes")),
        (given_(last=SAMPLED, failure=NO_THREAD), Code.TOO_MANY_PROCESSES, False, (3, 100, "processes")),
        (
            given_(ended_by=EndedBy.DISK, peak_disk_bytes=2 * GIB),
            Code.DISK_FULL,
            True,
            (2 * GIB, GIB, "disk_bytes"),
        ),
        (given_(peak_disk_bytes=GIB), Code.DISK_FULL, True, (GIB, GIB, "disk_bytes")),
        (
            given_(peak_entries=WRITABLE_ENTRIES),
            Code.DISK_FULL,
            True,
            (WRITABLE_ENTRIES, WRITABLE_ENTRIES, "entries"),
        ),
        (given_(failure=NO_SPACE), Code.DISK_FULL, False, (None, None, None)),
        (
            given_(ended_by=EndedBy.LOG_FLOOD, usage=replace(QUIET.usage, log_bytes=600_000)),
            Code.LOG_LIMIT,
            True,
            (600_000, 500_000, "log_bytes"),
        ),
        (given_(failure=MISSING), Code.MISSING_IMPORT, False, (None, None, None)),
        (given_(failure=RAISED), Code.CRASHED, False, (None, None, None)),
        (given_(3), Code.CRASHED, True, (None, None, None)),
        (given_(None), Code.CRASHED, True, (None, None, None)),
    ],
)
def test_each_cause_has_its_verdict_with_its_figures(
    evidence: Evidence, code: Code, proven: bool, figures: tuple[float | None, float | None, str | None]
) -> None:
    found = judge_run(evidence)
    assert found is not None
    assert (found.code, found.proven) == (code, proven)
    assert (found.used, found.limit, found.limit_name) == figures
    assert (found.step, found.fault) == (Step.RUN, Fault.SUBMISSION)
    assert found.message


def test_our_own_failures_come_before_everything_that_a_run_did() -> None:
    bad = {"ended_by": EndedBy.WALL_TIME, "last": OOM, "peak_disk_bytes": GIB, "failure": RAISED}
    for fault in ({"setup_error": "no bwrap"}, {"unkillable": True}, {"log_error": "no room for the log"}):
        for exit_status in (0, 1, None):
            found = judged(exit_status, **bad, **fault)
            assert (found.code, found.fault) == (Code.PLATFORM_ERROR, Fault.MACHINE)
            assert "not the submission's fault" in found.hint


def test_cancelling_is_nobodys_fault() -> None:
    found = judged(None, ended_by=EndedBy.CANCEL, last=OOM)
    assert (found.code, found.fault) == (Code.CANCELLED, None)


def test_what_ended_a_run_comes_before_what_happened_in_it() -> None:
    happened: dict[str, Any] = {
        "last": replace(OOM, refused_forks=1),
        "peak_disk_bytes": GIB,
        "failure": RAISED,
    }
    assert judged(ended_by=EndedBy.WALL_TIME, **happened).code == Code.TIMEOUT
    assert judged(ended_by=EndedBy.LOG_FLOOD, **happened).code == Code.LOG_LIMIT


def test_of_several_causes_the_first_in_order_decides() -> None:
    everything: dict[str, Any] = {
        "last": replace(COUNTED, oom_kills=1, refused_forks=1),
        "peak_disk_bytes": GIB,
        "failure": MISSING,
    }
    assert judged(**everything).code == Code.OUT_OF_MEMORY
    everything["last"] = FORKS
    assert judged(**everything).code == Code.TOO_MANY_PROCESSES
    everything["last"] = COUNTED
    assert judged(**everything).code == Code.DISK_FULL
    everything["peak_disk_bytes"] = 0
    assert judged(**everything).code == Code.MISSING_IMPORT


@given(st.integers(1, 255))
def test_no_exit_status_alone_makes_a_limit_of_it(exit_status: int) -> None:
    found = judged(exit_status)
    assert found.code == Code.CRASHED
    assert str(exit_status) in found.message


@pytest.mark.parametrize("exit_status", [2, 3, 134, 137, 139, None])
@pytest.mark.parametrize("failure", [RAISED, MISSING, NO_SPACE, NO_THREAD])
def test_a_traceback_isnt_blamed_when_python_didnt_end_by_an_exception(
    exit_status: int | None, failure: Failure
) -> None:
    found = judged(exit_status, failure=failure, last=SAMPLED, last_words="goodbye")
    assert (found.code, found.proven) == (Code.CRASHED, True)
    assert "its last words: goodbye" in found.message


def test_a_counter_of_the_kernel_isnt_overruled_by_the_log() -> None:
    assert judged(failure=NO_THREAD, last=COUNTED).code == Code.CRASHED


def test_a_signal_is_named_as_what_it_looks_like() -> None:
    assert "status 139, as after SIGSEGV" in judged(139).message
    assert "status 255" in judged(255).message
    assert "as after" not in judged(255).message
    assert "was killed" in judged(None).message


def test_a_crash_says_where_it_was() -> None:
    assert judged(failure=RAISED).message == "main.py raised ValueError: no fins (main.py, line 7)"
    assert judged(last_words="").message == "main.py ended with status 1; it printed nothing"


def test_a_missing_import_without_a_name_is_told_as_it_stands() -> None:
    found = judged(failure=Failure("ModuleNotFoundError", "install it first", "main.py", 1))
    assert "`install it first`" in found.message


def test_a_timeout_tells_waiting_from_computing() -> None:
    idle = replace(QUIET.usage, wall_s=60, cpu_s=0.2)
    assert "waiting, not computing" in judged(ended_by=EndedBy.WALL_TIME, usage=idle).hint
    busy = replace(QUIET.usage, wall_s=60, cpu_s=60)
    assert "waiting" not in judged(ended_by=EndedBy.WALL_TIME, usage=busy).hint
    unknown = replace(QUIET.usage, wall_s=60, cpu_s=None)
    assert "waiting" not in judged(ended_by=EndedBy.WALL_TIME, usage=unknown).hint


def test_out_of_memory_says_who_stopped_it() -> None:
    assert "the kernel killed 2 processes" in judged(last=OOM).message
    assert "the kernel killed 1 process" in judged(last=replace(OOM, oom_kills=1)).message
    assert "it was stopped" in judged(ended_by=EndedBy.MEMORY, last=SAMPLED).message
    assert "peak 1.0 GiB of 4.0 GiB" in judged(last=OOM).message


def test_the_ends_after_a_run() -> None:
    assert verdict.no_output("it is empty").code == Code.NO_OUTPUT
    assert verdict.hostile_output("it is a FIFO").code == Code.INVALID_OUTPUT
    assert verdict.hostile_output("it is a FIFO").step == Step.COLLECT
    assert verdict.invalid_output(1, ("line 2",)).message.endswith("1 place")
    assert verdict.invalid_output(2000, ()).message.endswith("2,000 places")
    assert verdict.invalid_output(1, ("line 2",)).details == ("line 2",)
    assert verdict.ok(10, 3).message == "submission.csv is valid: 7 of 10 queries answered"
    assert verdict.cancelled_check().code == Code.CANCELLED


def found(*problems: Problem) -> Verdict | None:
    """The verdict on a submission in which this was found."""
    collected = Problems()
    for problem in problems:
        collected.add(problem)
    return judge_check(Check("core", 1, tuple(collected.to_json())))


IMPORT = Problem("missing_import", "`timm` is not in `core`", "use another", "main.py", 3)
FILE = Problem("missing_file", "opens 'x'", "pack it", "main.py", 9)


def test_a_submission_without_errors_is_started() -> None:
    assert found() is None
    assert found(replace(IMPORT, severity=Severity.WARNING)) is None


def test_an_error_is_the_message_and_several_are_all_listed() -> None:
    one, several = found(FILE), found(FILE, IMPORT, replace(FILE, line=10))
    assert one is not None
    assert (one.code, one.step, one.fault, one.proven) == (Code.CRASHED, Step.CHECK, Fault.SUBMISSION, True)
    assert one.message == "not started, because it would fail: main.py:9: opens 'x' (pack it)"
    assert one.details == ()
    assert several is not None
    assert several.code is Code.MISSING_IMPORT
    assert "main.py:3: `timm` is not in `core`" in several.message
    assert several.message.endswith(", and 2 more errors")
    assert len(several.details) == 3
    assert "--no-check" in several.hint
