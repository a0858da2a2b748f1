"""Memory, process and processor limits of a whole run, counted by the kernel where this host lets us.

One interface, as many means as there are hosts: here control groups of version 1 and 2 as root. Where there
are none to be had, `control_group` returns the reason, and the engine watches the process tree instead. A
control group's counters are the evidence for verdicts: what the kernel killed or refused stands in them.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from whaledo.execution.contract import Limits

CONTROLLERS = ("memory", "pids", "cpu")


@dataclass(frozen=True, slots=True)
class Counters:
    """What the kernel counted of a run so far.

    Attributes:
        memory_bytes: in use now.
        peak_memory_bytes: the most in use so far.
        processes: processes and threads now.
        cpu_s: processor seconds so far.
        oom_kills: processes that the kernel killed because the memory limit was hit.
        refused_forks: times that a process or thread wasn't started because of the limit.
    """

    memory_bytes: int
    peak_memory_bytes: int
    processes: int
    cpu_s: float
    oom_kills: int
    refused_forks: int


class ControlGroup(Protocol):
    """The control group of one run."""

    kind: str
    """`cgroup v1` or `cgroup v2`: how a guarantee that rests on it is described."""

    @property
    def procs_files(self) -> tuple[str, ...]:
        """Files that a process writes `0` to in order to join."""

    def counters(self) -> Counters:
        """What was counted so far; also right when no process is left."""

    def close(self) -> None:
        """Kill what is left, and remove the group."""


def control_group(name: str, limits: Limits) -> ControlGroup | str:
    """Make a control group with these limits, or say in a few words why this host has none for us."""
    if os.geteuid() != 0:
        return "no control group: only root may make one here"
    mounts = _mounted_controllers(Path("/proc/self/mounts").read_text(encoding="utf-8"))
    own = _own_groups(Path("/proc/self/cgroup").read_text(encoding="utf-8"))
    try:
        if all(name in mounts for name in ("memory", "pids", "cpuacct")):
            return V1(name, limits, {c: Path(m + own.get(c, "/")) for c, m in mounts.items()})
        if (unified := mounts.get("")) is not None:
            return V2(name, limits, Path(unified))
    except OSError as error:
        return f"no control group: {error.strerror} ({error.filename})"
    return "no control group: no memory controller is mounted"


def _mounted_controllers(mounts: str) -> dict[str, str]:
    """Map each version-1 controller to where it's mounted, and `""` to where version 2 is."""
    found = {}
    for line in mounts.splitlines():
        _, where, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            found[""] = where
        elif kind == "cgroup":
            found.update(dict.fromkeys(options.split(","), where))
    return found


def _own_groups(text: str) -> dict[str, str]:
    """Map each controller to the group that this process is in: `/proc/self/cgroup`, cgroups(7)."""
    groups = {}
    for line in text.splitlines():
        _, controllers, group = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), group))
    return groups


def _keyed(path: Path) -> dict[str, int]:
    """Read a file of `name number` lines."""
    return {key: int(value) for key, value in (line.split() for line in path.read_text().splitlines())}


def _number(path: Path) -> int:
    return int(path.read_text())


class V1:
    """Version 1: a group in each controller's own tree, below the one that this process is in."""

    kind = "cgroup v1"

    def __init__(self, name: str, limits: Limits, parents: Mapping[str, Path]) -> None:
        wanted = ["memory", "pids", "cpuacct"]
        if limits.cpus is not None and "cpu" in parents:
            wanted.append("cpu")
        self._at = {controller: parents[controller] / f"whaledo-{name}" for controller in wanted}
        self._most_processes = 0
        try:
            for path in dict.fromkeys(self._at.values()):
                path.mkdir()
            self._set("memory", "memory.limit_in_bytes", limits.memory_bytes)
            with contextlib.suppress(FileNotFoundError):  # not there where swap isn't accounted
                self._set("memory", "memory.memsw.limit_in_bytes", limits.memory_bytes)
            self._set("pids", "pids.max", limits.processes)
            if limits.cpus is not None and "cpu" in self._at:
                self._set("cpu", "cpu.cfs_quota_us", round(limits.cpus * 100_000))
        except OSError:
            self.close()
            raise

    def _set(self, controller: str, file: str, value: int) -> None:
        (self._at[controller] / file).write_text(str(value))

    @property
    def procs_files(self) -> tuple[str, ...]:
        """See `ControlGroup`."""
        return tuple(str(path / "cgroup.procs") for path in dict.fromkeys(self._at.values()))

    def counters(self) -> Counters:
        """See `ControlGroup`."""
        memory, pids = self._at["memory"], self._at["pids"]
        return Counters(
            memory_bytes=_number(memory / "memory.usage_in_bytes"),
            peak_memory_bytes=_number(memory / "memory.max_usage_in_bytes"),
            processes=_number(pids / "pids.current"),
            cpu_s=_number(self._at["cpuacct"] / "cpuacct.usage") / 1e9,
            oom_kills=_keyed(memory / "memory.oom_control").get("oom_kill", 0),
            refused_forks=_keyed(pids / "pids.events")["max"],
        )

    def close(self) -> None:
        """See `ControlGroup`."""
        for path in dict.fromkeys(self._at.values()):
            _empty_and_remove(path)


class V2:
    """Version 2 as root: a group below `whaledo` at the top of the tree, which alone may hold controllers."""

    kind = "cgroup v2"

    def __init__(self, name: str, limits: Limits, top: Path) -> None:
        house = top / "whaledo"
        self._at = house / name
        try:
            for parent in (top, house):
                parent.mkdir(exist_ok=True)
                (parent / "cgroup.subtree_control").write_text(" ".join(f"+{c}" for c in CONTROLLERS))
            self._at.mkdir()
            self._set("memory.max", limits.memory_bytes)
            self._set("memory.oom.group", 1)
            with contextlib.suppress(FileNotFoundError):  # not there where swap isn't accounted
                self._set("memory.swap.max", 0)
            self._set("pids.max", limits.processes)
            if limits.cpus is not None:
                self._set("cpu.max", f"{round(limits.cpus * 100_000)} 100000")
        except OSError:
            self.close()
            raise

    def _set(self, file: str, value: int | str) -> None:
        (self._at / file).write_text(str(value))

    @property
    def procs_files(self) -> tuple[str, ...]:
        """See `ControlGroup`."""
        return (str(self._at / "cgroup.procs"),)

    def counters(self) -> Counters:
        """See `ControlGroup`."""
        current = _number(self._at / "memory.current")
        peak = self._at / "memory.peak"
        return Counters(
            memory_bytes=current,
            peak_memory_bytes=_number(peak) if peak.exists() else current,
            processes=_number(self._at / "pids.current"),
            cpu_s=_keyed(self._at / "cpu.stat")["usage_usec"] / 1e6,
            oom_kills=_keyed(self._at / "memory.events")["oom_kill"],
            refused_forks=_keyed(self._at / "pids.events")["max"],
        )

    def close(self) -> None:
        """See `ControlGroup`."""
        with contextlib.suppress(OSError):
            self._set("cgroup.kill", 1)
        _empty_and_remove(self._at)


def _empty_and_remove(group: Path, patience_s: float = 5.0) -> None:
    """Kill what is left in a group, and remove it as soon as the kernel has let go of the dead."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 9)
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)
        else:
            return
