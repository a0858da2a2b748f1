"""Watching a run, with a sandbox of our own making instead of a submission's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from whaledo.execution import supervisor
from whaledo.execution.contract import WRITABLE_ENTRIES, Limits
from whaledo.execution.engines.base import Ending, Sample
from whaledo.execution.log import LogKeeper
from whaledo.execution.records import Guarantee, Held
from whaledo.execution.supervisor import EndedBy, Progress, Supervisor, Watched

LIMITS = Limits(wall_s=0.3, memory_bytes=100_000_000, disk_bytes=1000, log_bytes=1000)


@dataclass
class FakeSandbox:
    """A run whose samples are given, and which dies when told so, unless it is unkillable."""

    sample_: Callable[[], Sample] = Sample
    unkillable: bool = False
    guarantees: Mapping[Guarantee, Held] = field(default_factory=dict)
    submission_fd: int = -1
    kills: int = 0

    def __post_init__(self) -> None:
        self.done_fd, self._alive = os.pipe()
        self.log_fd, self.writer = os.pipe()

    def print(self, content: bytes) -> None:
        """Print as the submission would, while it is alive."""
        if self._alive >= 0:
            os.write(self.writer, content)

    def sample(self) -> Sample:
        return self.sample_()

    def kill(self) -> None:
        self.kills += 1
        if not self.unkillable:
            self.die()

    def die(self) -> None:
        if self._alive >= 0:
            os.close(self._alive)
            os.close(self.writer)
            self._alive = -1

    def finish(self) -> Ending:
        return Ending(0)

    def close(self) -> None:
        self.die()
        os.close(self.done_fd)
        os.close(self.log_fd)


@pytest.fixture
def sandbox() -> Iterator[FakeSandbox]:
    """A run that goes on until it is killed."""
    made = FakeSandbox()
    yield made
    made.close()


def watch(
    sandbox: FakeSandbox,
    limits: Limits = LIMITS,
    *,
    on_output: Callable[[bytes], None] = lambda _: None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[Watched, bytes]:
    """Watch a run; return what was seen of it, and its log."""
    with TemporaryFile() as file:
        log = LogKeeper(file.fileno(), limits.log_bytes)
        seen = Supervisor(
            sandbox,
            log,
            limits,
            on_output=on_output,
            on_progress=on_progress,
            cancelled=cancelled,
        ).watch()
        log.close()
        return seen, Path(f"/proc/self/fd/{file.fileno()}").read_bytes()


def test_a_run_that_ends_is_over_at_once_with_all_that_it_printed(sandbox: FakeSandbox) -> None:
    sandbox.print(b"whale")
    sandbox.die()
    seen, log = watch(sandbox)
    assert seen.ended_by is EndedBy.ITSELF
    assert seen.usage.wall_s < 0.1
    assert log == b"whale"
    assert seen.usage.log_bytes == 5
    assert sandbox.kills == 0


def test_the_time_limit_kills(sandbox: FakeSandbox) -> None:
    seen, _ = watch(sandbox)
    assert seen.ended_by is EndedBy.WALL_TIME
    assert 0.3 <= seen.usage.wall_s < 0.5


def test_the_time_limit_holds_while_output_never_stops(sandbox: FakeSandbox) -> None:
    def more(_: bytes) -> None:
        sandbox.print(b"x" * 100)

    sandbox.print(b"x")
    seen, _ = watch(sandbox, Limits(wall_s=0.3, log_bytes=10**9), on_output=more)
    assert seen.ended_by is EndedBy.WALL_TIME
    assert seen.usage.wall_s < 0.6
    assert seen.usage.log_bytes > 10_000


def test_a_cancelled_run_is_killed_within_a_tick(sandbox: FakeSandbox) -> None:
    began = time.monotonic()
    seen, _ = watch(sandbox, Limits(), cancelled=lambda: time.monotonic() > began + 0.1)
    assert seen.ended_by is EndedBy.CANCEL
    assert seen.usage.wall_s < 0.5


@pytest.mark.parametrize(
    ("sample", "ended_by"),
    [
        (Sample(memory_bytes=100_000_001), EndedBy.MEMORY),
        (Sample(memory_bytes=5, oom_kills=1), EndedBy.MEMORY),
        (Sample(disk_bytes=1001), EndedBy.DISK),
        (Sample(entries=WRITABLE_ENTRIES + 1), EndedBy.DISK),
    ],
)
def test_a_limit_that_was_broken_ends_the_run(
    sample: Sample, ended_by: EndedBy, sandbox: FakeSandbox
) -> None:
    sandbox.sample_ = lambda: sample
    seen, _ = watch(sandbox)
    assert seen.ended_by is ended_by
    assert seen.usage.wall_s < 0.2


def test_a_limit_that_is_just_reached_doesnt_end_the_run(sandbox: FakeSandbox) -> None:
    reached = Sample(memory_bytes=100_000_000, disk_bytes=1000, entries=WRITABLE_ENTRIES, oom_kills=0)
    sandbox.sample_ = lambda: reached
    assert watch(sandbox)[0].ended_by is EndedBy.WALL_TIME


def test_a_flood_ends_the_run_though_its_log_is_kept_within_the_limit(sandbox: FakeSandbox) -> None:
    def more(_: bytes) -> None:
        sandbox.print(b"x" * 10_000)

    sandbox.print(b"x")
    seen, log = watch(sandbox, Limits(wall_s=30, log_bytes=1000), on_output=more)
    assert seen.ended_by is EndedBy.LOG_FLOOD
    assert len(log) < 1100


def test_peaks_are_kept_and_the_last_look_is_taken_when_all_is_over(sandbox: FakeSandbox) -> None:
    samples = iter(
        [
            Sample(memory_bytes=10, processes=2, disk_bytes=400, entries=9),
            Sample(memory_bytes=70, processes=8, disk_bytes=900, entries=4),
        ]
    )
    after = Sample(memory_bytes=0, peak_memory_bytes=80, processes=0, cpu_s=1.5, disk_bytes=30, entries=2)
    sandbox.sample_ = lambda: next(samples, after)
    seen, _ = watch(sandbox)
    assert (seen.peak_disk_bytes, seen.peak_entries) == (900, 9)
    assert (seen.usage.peak_memory_bytes, seen.usage.max_processes, seen.usage.cpu_s) == (80, 8, 1.5)
    assert seen.usage.output_bytes == 30
    assert seen.last == after
    assert "peak_memory_bytes" not in seen.usage.sampled


def test_figures_that_nobody_counted_are_marked_as_sampled(sandbox: FakeSandbox) -> None:
    sandbox.sample_ = lambda: Sample(memory_bytes=10, processes=2, cpu_s=0.1)
    assert set(watch(sandbox)[0].usage.sampled) == {"peak_memory_bytes", "max_processes", "cpu_s"}


def test_processes_that_dont_die_are_reported_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "DEATH_PATIENCE_S", 0.3)
    sandbox = FakeSandbox(unkillable=True)
    sandbox.print(b"still here")
    seen, log = watch(sandbox)
    assert seen.unkillable
    assert seen.ended_by is EndedBy.WALL_TIME
    assert sandbox.kills > 1
    assert log == b"still here"
    sandbox.close()


def test_a_pipe_that_somebody_keeps_open_after_the_end_isnt_read_for_ever(
    monkeypatch: pytest.MonkeyPatch, sandbox: FakeSandbox
) -> None:
    monkeypatch.setattr(supervisor, "DEATH_PATIENCE_S", 0.3)
    accomplice = os.dup(sandbox.writer)
    sandbox.die()
    began, busy = time.monotonic(), time.process_time()
    seen, _ = watch(sandbox)
    assert seen.ended_by is EndedBy.ITSELF
    assert 0.2 < time.monotonic() - began < 1
    assert time.process_time() - busy < 0.1
    os.close(accomplice)


def test_a_closed_output_doesnt_end_the_run_nor_keep_us_busy(sandbox: FakeSandbox) -> None:
    os.close(sandbox.writer)
    sandbox.writer = os.open(os.devnull, os.O_WRONLY)
    busy = time.process_time()
    seen, _ = watch(sandbox)
    assert seen.ended_by is EndedBy.WALL_TIME
    assert time.process_time() - busy < 0.1


def test_progress_comes_about_ten_times_a_second(sandbox: FakeSandbox) -> None:
    seen: list[Progress] = []
    sandbox.sample_ = lambda: Sample(memory_bytes=10, processes=2)
    watch(sandbox, Limits(wall_s=0.55), on_progress=seen.append)
    assert 5 <= len(seen) <= 7
    assert {(p.memory_bytes, p.processes, p.limit_s) for p in seen} == {(10, 2, 0.55)}
