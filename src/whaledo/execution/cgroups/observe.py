"""The control group that somebody else made for a run: its counters, and whether our limits really stand in it.

Container engines take limits on their command line, and on some hosts (rootless, version 1) drop them with a
warning or without one. So nothing is believed: what the kernel holds the run to is read from the group itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from whaledo.execution.cgroups.base import Counters, read_number
from whaledo.execution.cgroups.means import UNIFIED, V1_CONTROLLERS, mounted_controllers, own_groups
from whaledo.execution.cgroups.v1 import read_v1
from whaledo.execution.cgroups.v2 import read_v2
from whaledo.execution.contract import Limits


@dataclass(frozen=True, slots=True)
class Observed:
    """A group that is only looked at.

    Attributes:
        kind: `cgroup v1` or `cgroup v2`.
        memory, processes, cpus: whether the kernel holds the run to at most that limit of ours.
    """

    kind: str
    memory: bool
    processes: bool
    cpus: bool
    _read: Callable[[], Counters]

    def counters(self) -> Counters | None:
        """What was counted so far; None once the group has gone."""
        try:
            return self._read()
        except OSError:
            return None


def observe(pid: int, limits: Limits) -> Observed | None:
    """Find the group of a process; None where it has ended or its group isn't in sight from here.

    Args:
        pid: a process of the run, as this host numbers it.
        limits: what the group ought to hold the run to.
    """
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text()
        mounts = Path("/proc/self/mounts").read_text(errors="replace")
    except OSError:
        return None
    return find(groups, mounts, limits)


def find(of_process: str, mounted: str, limits: Limits) -> Observed | None:
    """The same from the text of the two files that say where it is: `/proc/PID/cgroup`, `/proc/self/mounts`."""
    groups, mounts = own_groups(of_process), mounted_controllers(mounted)
    if "memory" in mounts:
        if not all(each in mounts and each in groups for each in V1_CONTROLLERS):
            return None
        return _in_v1({c: Path(mounts[c] + groups[c]) for c in mounts.keys() & groups.keys()}, limits)
    if UNIFIED in mounts and UNIFIED in groups:
        return _in_v2(Path(mounts[UNIFIED] + groups[UNIFIED]), limits)
    return None


def _in_v1(at: dict[str, Path], limits: Limits) -> Observed | None:
    if not (at["memory"] / "cgroup.procs").exists():
        return None
    quota, period = 0, 1
    with contextlib.suppress(OSError, KeyError):
        quota = read_number(at["cpu"] / "cpu.cfs_quota_us")
        period = read_number(at["cpu"] / "cpu.cfs_period_us")
    return Observed(
        "cgroup v1",
        memory=_within(at["memory"] / "memory.limit_in_bytes", limits.memory_bytes),
        processes=_within(at["pids"] / "pids.max", limits.processes),
        cpus=quota > 0 and (limits.cpus is None or quota <= limits.cpus * period * 1.01),
        _read=lambda: read_v1(at),
    )


def _in_v2(at: Path, limits: Limits) -> Observed | None:
    if not (at / "cgroup.procs").exists():
        return None
    quota = "max"
    with contextlib.suppress(OSError):
        quota, period = (at / "cpu.max").read_text().split()
    return Observed(
        "cgroup v2",
        memory=_within(at / "memory.max", limits.memory_bytes),
        processes=_within(at / "pids.max", limits.processes),
        cpus=quota != "max" and (limits.cpus is None or int(quota) <= limits.cpus * int(period) * 1.01),
        _read=lambda: read_v2(at),
    )


def _within(file: Path, limit: int) -> bool:
    """Whether the number in a file of a group is at most the limit; `max` is none."""
    try:
        return read_number(file) <= limit
    except (OSError, ValueError):
        return False
