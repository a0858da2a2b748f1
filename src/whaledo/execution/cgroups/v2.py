"""Control groups of version 2: one group in one tree, in a part of it that is ours to divide."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

from whaledo.errors import MachineError
from whaledo.execution.cgroups.base import (
    Counters,
    Unavailable,
    read_keyed,
    read_number,
    remove,
    write,
)
from whaledo.execution.cgroups.scope import Scope
from whaledo.execution.contract import Limits

NEEDED = ("memory", "pids")
PERIOD_US = 100_000


class V2:
    """A group below one that has no processes of its own; see `ControlGroup`.

    Args:
        at: the group to make, with its limits; its parent is there.
        limits: the limits.
        scope: what its parent is part of, where systemd gave us that; it lives as long as the group.
    """

    kind = "cgroup v2"

    def __init__(self, at: Path, limits: Limits, scope: Scope | None = None) -> None:
        self._at, self._scope = at, scope
        try:
            controllers = share_controllers(at.parent)
            self.limits_cpus = limits.cpus is not None and "cpu" in controllers
            at.mkdir()
            self._set("memory.max", limits.memory_bytes)
            self._set("memory.oom.group", 1)
            with contextlib.suppress(FileNotFoundError):  # not there where swap isn't accounted
                self._set("memory.swap.max", 0)
            self._set("pids.max", limits.processes)
            if limits.cpus is not None and self.limits_cpus:
                self._set("cpu.max", f"{round(limits.cpus * PERIOD_US)} {PERIOD_US}")
        except BaseException:
            self.close()
            raise

    def _set(self, file: str, value: int | str) -> None:
        write(self._at / file, value)

    def admit(self, pid: int) -> None:
        """See `ControlGroup`."""
        try:
            self._set("cgroup.procs", pid)
        except PermissionError:
            # An ordinary user may move a process within what is theirs, not from the login session into it.
            if self._scope is None:
                raise
            self._scope.attach(pid)

    def counters(self) -> Counters:
        """See `ControlGroup`."""
        at = self._at
        try:
            if self._scope is not None:
                self._scope.check()
            return read_v2(at)
        except OSError as error:
            raise MachineError(
                f"the run's control group {at} has gone, and the run's limits with it",
                hint="somebody else removed it while the run went on: run it again",
            ) from error

    def close(self) -> None:
        """See `ControlGroup`."""
        with contextlib.suppress(OSError):  # a file of Linux 5.14; `remove` does without
            self._set("cgroup.kill", 1)
        remove([self._at])
        if self._scope is not None:
            self._scope.close()


def read_v2(at: Path) -> Counters:
    """Read the counters of a group.

    Raises:
        OSError: the group has gone.
    """
    peak = at / "memory.peak"
    return Counters(
        memory_bytes=read_number(at / "memory.current"),
        peak_memory_bytes=read_number(peak) if peak.exists() else None,
        processes=read_number(at / "pids.current"),
        cpu_s=read_keyed(at / "cpu.stat")["usage_usec"] / 1e6,
        oom_kills=read_keyed(at / "memory.events")["oom_kill"],
        refused_forks=read_keyed(at / "pids.events")["max"],
    )


def make_below_top(top: Path, name: str, limits: Limits) -> V2:
    """Make a group in a tree that nobody manages, in a group that all runs share."""
    share_controllers(top)
    at = _below_top(top, name)
    at.parent.mkdir(exist_ok=True)
    return V2(at, limits)


def remove_below_top(top: Path, name: str) -> None:
    """Remove what a run whose whaledo was killed has left."""
    remove([_below_top(top, name)])


def _below_top(top: Path, name: str) -> Path:
    return top / "whaledo" / name


def share_controllers(group: Path) -> frozenset[str]:
    """Let groups below `group` use its controllers; return which those are.

    Raises:
        Unavailable: it has no controller of memory or of processes itself, or else it has processes.
        OSError: the kernel refuses.
    """
    controllers = set((group / "cgroup.controllers").read_text().split())
    if missing := [controller for controller in NEEDED if controller not in controllers]:
        raise Unavailable(f"{group} was given no {' and no '.join(missing)} controller")
    wanted = controllers & {*NEEDED, "cpu"}
    shared = group / "cgroup.subtree_control"
    if new := sorted(wanted - set(shared.read_text().split())):
        try:
            write(shared, " ".join(f"+{controller}" for controller in new))
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise Unavailable(f"{group} has processes of its own, so it can't be divided") from error
            raise
    return frozenset(wanted)
