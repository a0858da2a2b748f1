"""From evidence to how a run ended: one pure function, in the order in which causes exclude each other.

What is recognised: our own kills (time, cancellation, memory, disk, flood), the kernel's counters (out-of-memory
kills, refused processes), a writable place that is full, what `collect` found, and what the checker said of the
csv. What deliberately isn't: exit codes. Code can end with 137 as if it had been killed, so a status tells
whether `main.py` ended well and nothing more. Where only the log names the cause (a missing import, an
exception), the verdict says that it is inferred.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass

from whaledo.environment.names import profiles_with
from whaledo.errors import Fault, Severity
from whaledo.execution.contract import (
    LOG_FLOOD,
    MAIN,
    OUTPUT_CSV,
    WRITABLE_ENTRIES,
    Limits,
)
from whaledo.execution.engines.base import Ending
from whaledo.execution.failure import Failure, Setting, explain
from whaledo.execution.records import Check, Code, Step, Verdict
from whaledo.execution.supervisor import EndedBy, Watched
from whaledo.units import show_duration, show_size

NO_SPACE = ("No space left on device", "File too large")
"""What the system says when a place is full, and when a single file is as large as all of them may be."""

FULL = 0.99
"""A writable place is full when this share of it is used: the last block never fits a larger write."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of a run whose processes are gone, before its output is looked at.

    Attributes:
        watched: what the supervisor saw.
        ending: what the engine says.
        limits: what the run was allowed.
        failure: the last traceback in its log, if there is one.
        log_error: why the log could not be kept; empty where it could.
        last_words: the last line of the log that isn't blank.
        setting: what explains failures.
    """

    watched: Watched
    ending: Ending
    limits: Limits
    failure: Failure | None
    log_error: str
    last_words: str
    setting: Setting


def judge_check(check: Check) -> Verdict | None:
    """Say why a submission isn't even started; None if nothing that was found is certain to fail."""
    errors = check.lines(Severity.ERROR)
    if not errors:
        return None
    missing = check.lines(Severity.ERROR, "missing_import")
    total = check.total(Severity.ERROR)
    what = (missing or errors)[0]
    if total > 1:
        what += f", and {total - 1:,} more error{'s' if total > 2 else ''}"
    return Verdict(
        Code.MISSING_IMPORT if missing else Code.CRASHED,
        Step.CHECK,
        Fault.SUBMISSION,
        f"not started, because it would fail: {what}",
        f"{'mend it' if total == 1 else 'mend them'} and pack anew; `# whaledo: ignore` on a line silences what is "
        "said of it, and --no-check starts it all the same",
        details=errors if total > 1 else (),
    )


def cancelled_before() -> Verdict:
    """Stopped by hand before anything was unpacked."""
    return Verdict(Code.CANCELLED, Step.CHECK, None, "stopped by hand before it was started")


def changed_zip(path: str, step: Step) -> Verdict:
    """Somebody wrote to the zip, or put another in its place, while it was read."""
    return Verdict(
        Code.BAD_ARCHIVE,
        step,
        Fault.SUBMISSION,
        f"{path} was changed while it was read, so nobody could say which of the two had run",
        "run it again when nothing writes to it",
    )


def judge_run(evidence: Evidence) -> Verdict | None:
    """Say how a run failed; None if `main.py` ended well, so that its output decides."""
    return (
        _our_fault(evidence)
        or _ended_by_us(evidence)
        or (None if evidence.ending.exit_status == 0 else _failed(evidence))
    )


def _submission(
    code: Code,
    message: str,
    hint: str = "",
    *,
    used: float | None = None,
    limit: float | None = None,
    limit_name: str | None = None,
    proven: bool = True,
) -> Verdict:
    return Verdict(
        code, Step.RUN, Fault.SUBMISSION, message, hint, used, limit, limit_name=limit_name, proven=proven
    )


def _our_fault(evidence: Evidence) -> Verdict | None:
    if evidence.ending.setup_error:
        text = f"{MAIN} was never started: {evidence.ending.setup_error}"
    elif evidence.watched.unkillable:
        text = "the run's processes are still there long after they were killed"
    elif evidence.log_error:
        text = evidence.log_error
    else:
        return None
    return Verdict(
        Code.PLATFORM_ERROR,
        Step.RUN,
        Fault.MACHINE,
        text,
        hint="this is not the submission's fault: run it again",
    )


def _ended_by_us(evidence: Evidence) -> Verdict | None:
    watched, limits = evidence.watched, evidence.limits
    if watched.ended_by is EndedBy.CANCEL:
        text = f"stopped by hand after {show_duration(watched.usage.wall_s)}"
        return Verdict(Code.CANCELLED, Step.RUN, None, text)
    if watched.ended_by is EndedBy.WALL_TIME:
        return _submission(
            Code.TIMEOUT,
            f"still running at the time limit of {show_duration(limits.wall_s)}",
            _slow_hint(evidence),
            used=watched.usage.wall_s,
            limit=limits.wall_s,
            limit_name="wall_s",
        )
    if watched.ended_by is EndedBy.MEMORY:
        return _out_of_memory(evidence)
    if watched.ended_by is EndedBy.DISK:
        return _disk_full(evidence)
    if watched.ended_by is EndedBy.LOG_FLOOD:
        return _submission(
            Code.LOG_LIMIT,
            f"printed {show_size(watched.usage.log_bytes)}, more than {LOG_FLOOD} times the log limit",
            "print less: progress once a batch, not once a row",
            used=watched.usage.log_bytes,
            limit=limits.log_bytes * LOG_FLOOD,
            limit_name="log_bytes",
        )
    return None


def _slow_hint(evidence: Evidence) -> str:
    usage = evidence.watched.usage
    if usage.cpu_s is not None and usage.cpu_s < usage.wall_s * 0.05:
        busy = f"it used {show_duration(usage.cpu_s)} of processor time, so it was waiting, not computing"
        return f"{busy}: look for input(), a lock, a download, or a child process that never ends"
    return "embed each image once and rank by one matrix product; --timeout changes the limit"


def _failed(evidence: Evidence) -> Verdict:
    last = evidence.watched.last
    if last.oom_kills or evidence.ending.oom_killed:
        return _out_of_memory(evidence)
    if last.refused_forks or _refused_by_own_word(evidence):
        return _too_many_processes(evidence)
    if _is_full(evidence):
        return _disk_full(evidence)
    if (failure := _uncaught(evidence)) and any(words in failure.text for words in NO_SPACE):
        return _no_space(failure)
    return _crashed(evidence)


def _uncaught(evidence: Evidence) -> Failure | None:
    """The exception that ended `main.py`: Python's status is 1 then, so any other had another cause."""
    return evidence.failure if evidence.ending.exit_status == 1 else None


def _out_of_memory(evidence: Evidence) -> Verdict:
    usage, limits = evidence.watched.usage, evidence.limits
    peak = usage.peak_memory_bytes or limits.memory_bytes
    killed = evidence.watched.last.oom_kills or int(evidence.ending.oom_killed)
    how = f"the kernel killed {killed} process{'es' if killed != 1 else ''}" if killed else "it was stopped"
    return _submission(
        Code.OUT_OF_MEMORY,
        f"out of memory: peak {show_size(peak)} of {show_size(limits.memory_bytes)}; {how}",
        "use smaller batches, load images one at a time, or fewer workers; what is written to disk counts too "
        "(--memory changes the limit)",
        used=peak,
        limit=limits.memory_bytes,
        limit_name="memory_bytes",
    )


def _refused_by_own_word(evidence: Evidence) -> bool:
    failure = _uncaught(evidence)
    if evidence.watched.last.refused_forks is not None or failure is None:
        return False
    return failure.kind == "BlockingIOError" or "can't start new thread" in failure.text


def _too_many_processes(evidence: Evidence) -> Verdict:
    most, limits = evidence.watched.usage.max_processes or 0, evidence.limits
    refused = evidence.watched.last.refused_forks
    return _submission(
        Code.TOO_MANY_PROCESSES,
        f"hit the limit of {limits.processes} processes and threads"
        + (f": {refused} more were refused" if refused else ""),
        "use fewer workers and threads (--pids changes the limit)",
        used=max(most, limits.processes if refused else 0),
        limit=limits.processes,
        limit_name="processes",
        proven=refused is not None,
    )


def _is_full(evidence: Evidence) -> bool:
    watched = evidence.watched
    full = watched.peak_disk_bytes >= evidence.limits.disk_bytes * FULL
    return full or watched.peak_entries >= WRITABLE_ENTRIES * FULL


def _disk_full(evidence: Evidence) -> Verdict:
    watched, limits = evidence.watched, evidence.limits
    if watched.peak_entries >= WRITABLE_ENTRIES * FULL:
        return _submission(
            Code.DISK_FULL,
            f"made {watched.peak_entries:,} of {WRITABLE_ENTRIES:,} files and folders",
            "keep many small things in one file",
            used=watched.peak_entries,
            limit=WRITABLE_ENTRIES,
            limit_name="entries",
        )
    return _submission(
        Code.DISK_FULL,
        f"wrote {show_size(watched.peak_disk_bytes)} of {show_size(limits.disk_bytes)}",
        "keep fewer files, or smaller ones (--disk changes the limit)",
        used=watched.peak_disk_bytes,
        limit=limits.disk_bytes,
        limit_name="disk_bytes",
    )


def _no_space(failure: Failure) -> Verdict:
    """One write was larger than what was left, or the files are gone by now: there is only the traceback."""
    return _submission(
        Code.DISK_FULL,
        f"{MAIN} raised {failure}",
        "keep fewer files, or smaller ones (--disk changes the limit, and --shm-size that of /dev/shm)",
        proven=False,
    )


def _crashed(evidence: Evidence) -> Verdict:
    failure = _uncaught(evidence)
    if failure is None:
        last = f"; its last words: {evidence.last_words}" if evidence.last_words else "; it printed nothing"
        return _submission(
            Code.CRASHED, f"{MAIN} {_status(evidence.ending.exit_status)}{last}", "see log.txt", proven=True
        )
    if failure.kind == "ModuleNotFoundError":
        name = failure.text.partition("'")[2].partition("'")[0] or failure.text
        where = f" ({failure.file}, line {failure.line})" if failure.file else ""
        return _submission(
            Code.MISSING_IMPORT,
            f"`{name}` can't be imported{where}",
            _missing_hint(name, evidence.setting),
            proven=False,
        )
    return _submission(
        Code.CRASHED, f"{MAIN} raised {failure}", explain(failure, evidence.setting), proven=False
    )


def _missing_hint(name: str, setting: Setting) -> str:
    others = [each for each in profiles_with(name) if each != setting.profile]
    if others:
        having = " and ".join(f"`{each}`" for each in others)
        return f"it is not in `{setting.profile}`; it is in {having}: run it with --profile {others[0]}"
    return (
        f"it is neither in your zip nor in the `{setting.profile}` environment: pack it, or do without "
        f"(`whaledo env list` shows what is there)"
    )


def _status(status: int | None) -> str:
    if status is None:
        return "was killed"
    if status > 128:
        try:
            name = signal.Signals(status - 128).name
        except ValueError:
            pass
        else:
            return f"ended with status {status}, as after {name}"
    return f"ended with status {status}"


def warnings_of(evidence: Evidence) -> list[str]:
    """What deserves a look though `main.py` ended well: limits that were hit on the way."""
    watched, warnings = evidence.watched, []
    if watched.last.oom_kills:
        warnings.append(f"the kernel killed {watched.last.oom_kills} of its processes for memory")
    if watched.last.refused_forks:
        warnings.append(f"{watched.last.refused_forks} processes or threads were refused at the limit")
    return warnings


def no_output(beside: str) -> Verdict:
    """`main.py` ended well but left no csv."""
    return Verdict(
        Code.NO_OUTPUT,
        Step.COLLECT,
        Fault.SUBMISSION,
        f"{MAIN} ended well but wrote no submission/{OUTPUT_CSV}: {beside}",
        hint=f"write your rankings to ./submission/{OUTPUT_CSV}, relative to {MAIN}",
    )


def hostile_output(reason: str) -> Verdict:
    """Something lies where the csv should, but it can't be fetched."""
    return Verdict(
        Code.INVALID_OUTPUT,
        Step.COLLECT,
        Fault.SUBMISSION,
        f"submission/{OUTPUT_CSV} can't be fetched: {reason}",
        hint="write an ordinary file",
    )


def cancelled_check() -> Verdict:
    """Stopped by hand when `main.py` had ended well, but its csv wasn't checked yet."""
    return Verdict(
        Code.CANCELLED, Step.VALIDATE, None, f"stopped by hand: {OUTPUT_CSV} is there, but wasn't checked"
    )


def invalid_output(errors: int, details: tuple[str, ...]) -> Verdict:
    """The csv breaks the rules."""
    return Verdict(
        Code.INVALID_OUTPUT,
        Step.VALIDATE,
        Fault.SUBMISSION,
        f"{OUTPUT_CSV} breaks the rules in {errors:,} place{'s' if errors != 1 else ''}",
        hint="each problem is listed with its line and its likely fix",
        details=details,
    )


def ok(queries: int, unanswered: int) -> Verdict:
    """All is well."""
    text = f"{OUTPUT_CSV} is valid: {queries - unanswered:,} of {queries:,} queries answered"
    return Verdict(Code.OK, Step.VALIDATE, None, text)
