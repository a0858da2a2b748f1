"""Control groups of version 1, as root: a group in each controller's own tree, below the one we are in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from whaledo.execution.cgroups.base import Counters, read_keyed, read_number, remove, write
from whaledo.execution.cgroups.means import V1_CONTROLLERS
from whaledo.execution.contract import Limits

PERIOD_US = 100_000


class V1:
    """A group in each tree; see `ControlGroup`."""

    kind = "cgroup v1"

    def __init__(self, name: str, limits: Limits, parents: Mapping[str, Path]) -> None:
        self.limits_cpus = limits.cpus is not None and "cpu" in parents
        wanted = [*V1_CONTROLLERS, "cpu"] if self.limits_cpus else V1_CONTROLLERS
        self._at = {controller: _group(parents[controller], name) for controller in wanted}
        try:
            for folder in self._folders():
                folder.mkdir()
            self._set("memory", "memory.limit_in_bytes", limits.memory_bytes)
            with contextlib.suppress(FileNotFoundError):  # not there where swap isn't accounted
                self._set("memory", "memory.memsw.limit_in_bytes", limits.memory_bytes)
            self._set("pids", "pids.max", limits.processes)
            if limits.cpus is not None and self.limits_cpus:
                self._set("cpu", "cpu.cfs_period_us", PERIOD_US)
                self._set("cpu", "cpu.cfs_quota_us", round(limits.cpus * PERIOD_US))
        except OSError:
            self.close()
            raise

    def _set(self, controller: str, file: str, value: int) -> None:
        write(self._at[controller] / file, value)

    def _folders(self) -> Iterator[Path]:
        """The groups; controllers that are mounted together share one."""
        return iter(dict.fromkeys(self._at.values()))

    def admit(self, pid: int) -> None:
        """See `ControlGroup`."""
        for folder in self._folders():
            write(folder / "cgroup.procs", pid)

    def counters(self) -> Counters:
        """See `ControlGroup`."""
        return read_v1(self._at)

    def close(self) -> None:
        """See `ControlGroup`."""
        remove(self._folders())


def read_v1(at: Mapping[str, Path]) -> Counters:
    """Read the counters of a group in the trees of `V1_CONTROLLERS`.

    Raises:
        OSError: the group has gone.
    """
    memory, pids = at["memory"], at["pids"]
    return Counters(
        memory_bytes=read_number(memory / "memory.usage_in_bytes"),
        peak_memory_bytes=read_number(memory / "memory.max_usage_in_bytes"),
        processes=read_number(pids / "pids.current"),
        cpu_s=read_number(at["cpuacct"] / "cpuacct.usage") / 1e9,
        oom_kills=read_keyed(memory / "memory.oom_control").get("oom_kill", 0),
        refused_forks=read_keyed(pids / "pids.events")["max"],
    )


def remove_v1(name: str, parents: Mapping[str, Path]) -> None:
    """Remove what a run whose whaledo was killed has left."""
    remove(_group(parent, name) for parent in parents.values())


def _group(parent: Path, name: str) -> Path:
    return parent / f"whaledo-{name}"
