"""The first process of a container, as this machine sees it: with it all the others end.

It is found by a pipe that it alone holds. The engine knows its number too, but takes a process of its own, and
tens of milliseconds on two processors that the run wants, to say it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from whaledo.execution.cgroups.base import Counters
from whaledo.execution.cgroups.observe import Observed, observe
from whaledo.execution.contract import Limits
from whaledo.execution.engines.base import processors
from whaledo.execution.watch import ProcessTree, filled


@dataclass(slots=True)
class FirstProcess:
    """The first process of a container.

    Attributes:
        pidfd: a descriptor of it.
        group: its control group; None where that isn't in sight.
        has_seccomp: whether the kernel says that its calls are filtered.
        tmp, shm: the container's /tmp and /dev/shm, open; None where we may not look into them.
        tree: its processes, to be watched from outside where no group holds them to their limits.
        is_kept: whether its processes stay on as many processors as they may use, because no group counts time.
    """

    pidfd: int
    group: Observed | None
    has_seccomp: bool
    tmp: int | None
    shm: int | None
    tree: ProcessTree | None
    is_kept: bool

    @classmethod
    def find(cls, pid: int, limits: Limits) -> FirstProcess | None:
        """Find it by its number; None where it has gone already."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return None
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            os.close(pidfd)
            return None
        group, has_seccomp = observe(pid, limits), "\nSeccomp:\t2\n" in status
        is_held = group is not None and group.memory and group.processes
        tree = None if is_held else ProcessTree(pid)
        is_kept = group is not None and not group.cpus and _keep(pid, limits.cpus)
        places = _open_folder(pid, "tmp"), _open_folder(pid, "dev/shm")
        return cls(pidfd, group, has_seccomp, *places, tree, is_kept)

    def counters(self) -> Counters | None:
        """What was counted so far; None where no group of its own counts, or once that has gone."""
        return self.group.counters() if self.group is not None and self.tree is None else None

    def watched(self) -> tuple[int | None, int | None, float | None]:
        """Bytes of memory, processes and threads, and processor seconds, where all are watched from outside."""
        if self.tree is None:
            return None, None, None
        return self.tree.look(sum(filled(place)[0] for place in (self.tmp, self.shm) if place is not None))

    def filled_tmp(self) -> tuple[int, int]:
        """Bytes and entries in the container's /tmp, as far as we may look."""
        return filled(self.tmp) if self.tmp is not None else (0, 0)

    def kill(self) -> bool:
        """Kill it, and all with it; whether we may."""
        try:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return True

    def close(self) -> None:
        """Let go of it."""
        for descriptor in (self.pidfd, self.tmp, self.shm):
            if descriptor is not None:
                os.close(descriptor)


def _keep(pid: int, cpus: float | None) -> bool:
    """Keep a process, and what it starts, on as many processors as it may use; whether it was asked and done."""
    if cpus is None:
        return False
    try:
        os.sched_setaffinity(pid, processors(cpus))
    except OSError:
        return False
    return True


def _open_folder(pid: int, path: str) -> int | None:
    """A folder as a process sees it; None where we may not look."""
    try:
        return os.open(f"/proc/{pid}/root/{path}", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None


def holder(pipe: int, uid: int) -> int | None:
    """The first process of a namespace that has the same pipe open as we, by its number on this host.

    Args:
        pipe: our descriptor of the pipe.
        uid: the user that the process runs as.

    Returns:
        None where there is none, or we may not look.
    """
    ours = os.fstat(pipe)
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it has ended, or isn't ours to look at
            if (
                process.name.isdecimal()
                and process.stat().st_uid == uid
                and _is_first((process / "status").read_text())
                and any(os.path.samestat(ours, each.stat()) for each in (process / "fd").iterdir())
            ):
                return int(process.name)
    return None


def _is_first(status: str) -> bool:
    """Whether a process is the first of its own namespace: `NSpid` in `/proc/PID/status`, proc(5)."""
    numbers = next((line.split() for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(numbers) > 2 and numbers[-1] == "1"
