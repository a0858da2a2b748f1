"""The runs that the doctor makes with each engine, and what each of them proves: pure functions of what was seen.

One run looks around and attacks all walls at once; the others each hit a limit, which has to be small so that a
host without walls survives it. What an engine claims decides how it is judged: what is enforced may never be
passed, what is done as well as possible may be passed for a moment but has to be noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whaledo.doctor.records import Attempt, Outcome
from whaledo.execution.contract import WRITABLE_ENTRIES, Limits
from whaledo.execution.records import Code, Guarantee, Level, RunResult
from whaledo.units import show_duration, show_size

MIB = 1024**2

LIMITS = Limits(
    wall_s=15.0,
    memory_bytes=512 * MIB,
    cpus=1.0,
    processes=16,
    disk_bytes=16 * MIB,
    log_bytes=64 * 1024,
    shm_bytes=64 * MIB,
)
"""What a trial may use, but for what it is about."""

PRINTED_BYTES = 16 * LIMITS.log_bytes
"""What the trial of the log prints."""

PATIENCE_S = 2.0
"""How much later than its limit a run may end: what is left on a busy machine."""

PAUSE_S = 1.0
"""How long a trial keeps what it took, so that who looks ten times a second has seen it."""

SPARE_BYTES = 8 * 1024
"""Our own lines in log.txt, and what is written beside the bytes of files."""

CPU_SLACK = 1.25
"""Processor time is handed out in slices, and the clock stops a little late."""

BUSY_SHARE = 0.25
"""A run that got less than this share of its processors didn't come near the limit."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one run showed.

    Attributes:
        result: the record of the run.
        said: the JSON document that the probe printed; None where it came to nothing.
        log_bytes: size of log.txt.
        alive: whether a process of the run was there after its end; None where none was ever in sight.
        uid: the host's number of the user that it ran as; None where none was ever in sight.
        killed: whether the process that was held out to it is dead.
        processors: how many the host has.
    """

    result: RunResult
    said: Mapping[str, Any] | None
    log_bytes: int = 0
    alive: bool | None = None
    uid: int | None = None
    killed: bool = False
    processors: int = 2

    def enforces(self, guarantee: Guarantee) -> bool:
        """Whether the engine claims to enforce it."""
        return bool(self.result.engine["guarantees"][guarantee.value]["level"] == Level.ENFORCED)

    @property
    def ending(self) -> str:
        """How it ended, for a person."""
        return f"{self.result.verdict.code.value}: {self.result.verdict.message}"


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the probe.

    Attributes:
        name: what the probe knows it by.
        limits: what it may use.
        judge: what it proves.
        guarantees: those that it is about.
        bait: further figures that the probe is told.
    """

    name: str
    limits: Limits
    judge: Callable[[Seen], Sequence[Attempt]]
    guarantees: tuple[Guarantee, ...]
    bait: Mapping[str, Any] = field(default_factory=dict)


def _attempt(guarantee: Guarantee, what: str, broke: bool | None, saw: str) -> Attempt:
    """An attempt that broke in, or didn't; None: it says nothing."""
    outcome = {True: Outcome.BROKE, False: Outcome.WITHSTOOD, None: Outcome.SAYS_NOTHING}[broke]
    return Attempt(guarantee, what, outcome, saw)


def judge_look(seen: Seen) -> list[Attempt]:
    """Every attack on the walls, as the probe tells it, and what only the host can see."""
    if seen.said is None:
        about = (Guarantee.NETWORK, Guarantee.FILES, Guarantee.PROCESSES, Guarantee.PRIVILEGES)
        return [_attempt(each, "look around", None, seen.ending) for each in (*about, Guarantee.SYSTEM_CALLS)]
    attempts = [
        _attempt(Guarantee(each["guarantee"]), each["what"], each["broke"], each["saw"])
        for each in seen.said["attacks"]
        if each["what"] != KILL
    ]
    saw = "it is dead" if seen.killed else "it lives"
    return [*attempts, _attempt(Guarantee.PROCESSES, KILL, seen.killed, saw)]


KILL = "kill a process of this host"


def without_control(attempts: Sequence[Attempt], control: Mapping[str, bool]) -> list[Attempt]:
    """Attacks that fail on the bare host too prove nothing about walls, and are said to.

    Args:
        attempts: what came of the attacks behind the walls.
        control: by attack, whether it succeeded on the bare host, of those that were tried there.
    """
    return [
        Attempt(each.guarantee, each.what, Outcome.SAYS_NOTHING, "fails on this host without walls too")
        if each.outcome is Outcome.WITHSTOOD and not control.get(each.what, True)
        else each
        for each in attempts
    ]


def judge_end(seen: Seen) -> list[Attempt]:
    """A run that never ends by itself, prints too much, and leaves a daemon."""
    usage, limits = seen.result.usage, seen.result.limits
    late = usage.wall_s > limits.wall_s + PATIENCE_S
    in_time = seen.result.verdict.code is Code.TIMEOUT and not late
    known = seen.result.verdict.code is Code.TIMEOUT
    took = f"ended after {show_duration(usage.wall_s)} of {show_duration(limits.wall_s)}"
    kept = f"printed {show_size(usage.log_bytes)}, kept {show_size(seen.log_bytes)}"
    kept += f" of {show_size(limits.log_bytes)}"
    over = seen.log_bytes > limits.log_bytes + SPARE_BYTES
    counted = usage.log_bytes == PRINTED_BYTES
    left = {True: "one was there after the end", False: "none was there after the end"}
    saw = (
        left.get(seen.alive is True) if seen.alive is not None else "its processes are not in sight from here"
    )
    who = f"it is user {seen.uid} on this host" if seen.uid is not None else "not in sight from here"
    return [
        _attempt(Guarantee.WALL_TIME, "ignore every signal and never end", not in_time if known or late else None,
                 took if known else seen.ending),
        _attempt(Guarantee.LOG, "print more than is kept", over if counted or over else None, kept),
        _attempt(Guarantee.PROCESSES, "leave a daemon behind", seen.alive, saw or ""),
        _attempt(Guarantee.PRIVILEGES, "be root on this host", None if seen.uid is None else seen.uid == 0, who),
    ]  # fmt: skip


def judge_memory(seen: Seen) -> list[Attempt]:
    """Children below the limit that together are three times above it."""
    limit, code = seen.result.limits.memory_bytes, seen.result.verdict.code
    held = int((seen.said or {}).get("held_bytes", 0))
    peak = seen.result.usage.peak_memory_bytes or 0
    what = "take three times the limit, of four kinds"
    if seen.enforces(Guarantee.MEMORY):
        broke: bool | None = held > limit or peak > limit * 1.05
        saw = f"held {show_size(max(held, peak))} of {show_size(limit)}"
        if not broke and code is not Code.OUT_OF_MEMORY and seen.said is None:
            broke, saw = None, seen.ending
    else:
        broke = code is not Code.OUT_OF_MEMORY and held > limit
        saw = seen.ending
        if not broke and code is not Code.OUT_OF_MEMORY:
            broke = None
    return [_attempt(Guarantee.MEMORY, what, broke, saw)]


def judge_crowd(seen: Seen) -> list[Attempt]:
    """Four times as many processes and threads as allowed, all of them busy."""
    limits = seen.result.limits
    many, busy = f"start {4 * limits.processes} processes and as many threads", "keep every processor busy"
    if seen.said is None:
        return [
            _attempt(Guarantee.PROCESS_COUNT, many, None, seen.ending),
            _attempt(Guarantee.CPUS, busy, None, seen.ending),
        ]
    at_once, cpu_s, wall_s = seen.said["at_once"], seen.said["cpu_s"], seen.said["wall_s"]
    allowed = limits.cpus or seen.processors
    took = f"{show_duration(cpu_s)} of processor time in {show_duration(wall_s)}"
    over: bool | None = cpu_s > allowed * wall_s * CPU_SLACK
    if seen.processors <= allowed:
        over, took = None, f"this host has {seen.processors} processor, no more than the limit"
    elif cpu_s < allowed * wall_s * BUSY_SHARE:
        over, took = None, f"{took}: this host was too busy with other things to tell"
    elif not seen.enforces(Guarantee.CPUS):
        over, took = (None if over else False), f"{took}; code that undoes it may use more"
    count = f"had {at_once} of {limits.processes} at a time"
    return [
        _attempt(Guarantee.PROCESS_COUNT, many, at_once > limits.processes, count),
        _attempt(Guarantee.CPUS, busy, over, took),
    ]


def _judge_filled(
    seen: Seen, what: str, figure: str, limit: int, show: Callable[[int], str]
) -> list[Attempt]:
    used, full = int((seen.said or {}).get(figure, 0)), seen.result.verdict.code is Code.DISK_FULL
    broke: bool | None = None
    if full or (seen.said is not None and not (seen.said.get("gave_up") and used <= limit)):
        noticed = full and not seen.enforces(Guarantee.DISK)
        broke = used > limit and not noticed
    saw = seen.ending if seen.said is None else f"had {show(used)} of {show(limit)}"
    return [_attempt(Guarantee.DISK, what, broke, saw)]


def judge_disk(seen: Seen) -> list[Attempt]:
    """Every writable place, filled."""
    limit = seen.result.limits.disk_bytes
    return _judge_filled(seen, "fill every place that it may write to", "written_bytes", limit, show_size)


def judge_files(seen: Seen) -> list[Attempt]:
    """Files without end, of no size."""

    def count(number: int) -> str:
        return f"{number:,} files"

    return _judge_filled(seen, "make files without end", "made", WRITABLE_ENTRIES, count)


def _limits(**changes: Any) -> Limits:
    return Limits(**{**LIMITS.to_json(), **changes})


WALLS = (
    Guarantee.NETWORK,
    Guarantee.FILES,
    Guarantee.PROCESSES,
    Guarantee.PRIVILEGES,
    Guarantee.SYSTEM_CALLS,
)

TRIALS = (
    Trial("look", LIMITS, judge_look, WALLS),
    Trial(
        "end",
        _limits(wall_s=1.0),
        judge_end,
        (Guarantee.WALL_TIME, Guarantee.LOG, Guarantee.PROCESSES, Guarantee.PRIVILEGES),
        {"printed_bytes": PRINTED_BYTES, "patience_s": 30.0},
    ),
    Trial(
        "memory",
        _limits(memory_bytes=64 * MIB),
        judge_memory,
        (Guarantee.MEMORY,),
        {"memory_bytes": 64 * MIB, "pause_s": PAUSE_S},
    ),
    Trial(
        "crowd",
        LIMITS,
        judge_crowd,
        (Guarantee.PROCESS_COUNT, Guarantee.CPUS),
        {"processes": LIMITS.processes, "pause_s": PAUSE_S},
    ),
    Trial("disk", LIMITS, judge_disk, (Guarantee.DISK,), {"disk_bytes": LIMITS.disk_bytes, "pause_s": 0.5}),
    Trial(
        "files",
        _limits(memory_bytes=1024 * MIB),
        judge_files,
        (Guarantee.DISK,),
        {"entries": WRITABLE_ENTRIES, "within_s": 6.0, "pause_s": 0.5},
    ),
)
"""The runs, in order. The first shows whether the engine can run anything at all."""
