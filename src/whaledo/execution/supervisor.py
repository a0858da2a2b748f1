"""Watch one run from its first byte to its last process: keep its log, hold it to its limits, count what it used.

One loop, one thread, no trust: the submission can print, fork, hang or die as it likes, and each turn of the loop
does a bounded amount of work. Nothing is judged here. What was seen goes to `verdict` as evidence.
"""

from __future__ import annotations

import os
import select
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from whaledo.execution.contract import LOG_FLOOD, WRITABLE_ENTRIES, Limits
from whaledo.execution.engines.base import Sample, Sandbox
from whaledo.execution.log import LogKeeper
from whaledo.execution.records import Usage

TICK_S = 0.1
CHUNK_BYTES = 64 * 1024
READS_PER_TURN = 16
"""After this many chunks the clock and the limits are looked at, however much more is waiting."""

DEATH_PATIENCE_S = 10.0
"""How long the kernel may take to end killed processes before we say that it didn't."""


class EndedBy(StrEnum):
    """What ended a run."""

    ITSELF = "itself"
    WALL_TIME = "wall_time"
    CANCEL = "cancel"
    MEMORY = "memory"
    DISK = "disk"
    LOG_FLOOD = "log_flood"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a person may want to see of a run that goes on.

    Attributes:
        elapsed_s: seconds since the start, of `limit_s`.
        memory_bytes: in use now.
        processes: processes and threads now.
        log_bytes: printed so far.
    """

    elapsed_s: float
    limit_s: float
    memory_bytes: int | None
    processes: int | None
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of a run.

    Attributes:
        ended_by: what ended it.
        usage: what it used.
        last: the last look at it, after its last process was gone; holds the kernel's counters.
        peak_disk_bytes: the most that was written and there at one time.
        peak_entries: the most files and folders at one time.
        unkillable: whether processes were still there long after they were killed.
    """

    ended_by: EndedBy
    usage: Usage
    last: Sample
    peak_disk_bytes: int
    peak_entries: int
    unkillable: bool


class Supervisor:
    """Watches one run. `watch` is called once, by the thread that started the run."""

    def __init__(
        self,
        sandbox: Sandbox,
        log: LogKeeper,
        limits: Limits,
        *,
        on_output: Callable[[bytes], None],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self._sandbox, self._log_fd, self._log, self._limits = sandbox, sandbox.log_fd, log, limits
        self._on_output, self._on_progress, self._cancelled = on_output, on_progress, cancelled
        self._peak_memory = self._most_processes = self._peak_disk = self._peak_entries = 0
        self._log_open = True

    def watch(self) -> Watched:
        """Return when the last process of the run is gone and its last byte is read."""
        started = time.monotonic()
        ended_by, unkillable = EndedBy.ITSELF, False
        next_look = started
        os.set_blocking(self._log_fd, False)
        with selectors.DefaultSelector() as ready:
            ready.register(self._log_fd, selectors.EVENT_READ)
            ready.register(self._sandbox.done_fd, selectors.EVENT_READ)
            while True:
                wait_s = min(next_look, started + self._limits.wall_s) - time.monotonic()
                events = {key.fd for key, _ in ready.select(max(0.0, wait_s))}
                if self._sandbox.done_fd in events:
                    break
                if self._log_fd in events and not self._read_log():
                    ready.unregister(self._log_fd)
                if (now := time.monotonic()) >= next_look:
                    next_look = now + TICK_S
                    reason = self._look(now - started)
                else:
                    reason = None
                if now >= started + self._limits.wall_s:
                    reason = EndedBy.WALL_TIME
                if reason is not None:
                    ended_by = reason
                    unkillable = not self._kill(ready)
                    break
        wall_s = time.monotonic() - started
        if not unkillable:
            self._read_rest()
        return self._watched(ended_by, wall_s, unkillable=unkillable)

    def _read_log(self) -> bool:
        """Take what is waiting in the pipe, up to a bound; False once nobody can write to it any more."""
        for _ in range(READS_PER_TURN):
            try:
                chunk = os.read(self._log_fd, CHUNK_BYTES)
            except BlockingIOError:
                return True
            if not chunk:
                self._log_open = False
                return False
            self._log.add(chunk)
            self._on_output(chunk)
        return True

    def _read_rest(self) -> None:
        """Read until the pipe is closed: what the engine started outlives the run's last process by a moment."""
        deadline = time.monotonic() + DEATH_PATIENCE_S
        while self._log_open and time.monotonic() < deadline:
            select.select([self._log_fd], [], [], TICK_S)
            self._read_log()

    def _look(self, elapsed_s: float) -> EndedBy | None:
        """Look at what the run uses; say which limit it broke, if the kernel didn't hold it."""
        limits, seen = self._limits, self._sandbox.sample()
        self._remember(seen)
        progress = Progress(
            elapsed_s, limits.wall_s, seen.memory_bytes, seen.processes, self._log.printed_bytes
        )
        self._on_progress(progress)
        if self._cancelled():
            return EndedBy.CANCEL
        if seen.oom_kills or (seen.memory_bytes or 0) > limits.memory_bytes:
            # After the kernel killed one process for memory the others may wait for it for ever.
            return EndedBy.MEMORY
        if (seen.disk_bytes or 0) > limits.disk_bytes or (seen.entries or 0) > WRITABLE_ENTRIES:
            return EndedBy.DISK
        if self._log.printed_bytes > limits.log_bytes * LOG_FLOOD:
            return EndedBy.LOG_FLOOD
        return None

    def _remember(self, seen: Sample) -> None:
        self._peak_memory = max(self._peak_memory, seen.memory_bytes or 0, seen.peak_memory_bytes or 0)
        self._most_processes = max(self._most_processes, seen.processes or 0)
        self._peak_disk = max(self._peak_disk, seen.disk_bytes or 0)
        self._peak_entries = max(self._peak_entries, seen.entries or 0)

    def _kill(self, ready: selectors.BaseSelector) -> bool:
        """Kill everything and wait until it is gone, reading on so that nothing waits for us."""
        deadline = time.monotonic() + DEATH_PATIENCE_S
        while time.monotonic() < deadline:
            self._sandbox.kill()
            events = {key.fd for key, _ in ready.select(TICK_S)}
            if self._sandbox.done_fd in events:
                return True
            if self._log_fd in events and not self._read_log():
                ready.unregister(self._log_fd)
        return False

    def _watched(self, ended_by: EndedBy, wall_s: float, *, unkillable: bool) -> Watched:
        last = self._sandbox.sample()
        self._remember(last)
        counted = last.peak_memory_bytes is not None
        sampled = ["max_processes"] if counted else ["peak_memory_bytes", "max_processes", "cpu_s"]
        usage = Usage(
            wall_s=wall_s,
            cpu_s=last.cpu_s,
            peak_memory_bytes=self._peak_memory,
            max_processes=self._most_processes,
            output_bytes=last.disk_bytes,
            log_bytes=self._log.printed_bytes,
            sampled=tuple(sampled),
        )
        return Watched(ended_by, usage, last, self._peak_disk, self._peak_entries, unkillable)
