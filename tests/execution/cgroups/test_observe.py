"""A control group that an engine made: found from a process, read, and believed only in what it holds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from whaledo.execution.cgroups.observe import Observed, find, observe
from whaledo.execution.contract import Limits

LIMITS = Limits(memory_bytes=10**9, processes=50, cpus=1.5)
V1 = {
    "memory": {
        "cgroup.procs": "",
        "memory.limit_in_bytes": "1000000000",
        "memory.usage_in_bytes": "1000",
        "memory.max_usage_in_bytes": "2000",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    },
    "pids": {"pids.max": "50", "pids.current": "4", "pids.events": "max 5\n"},
    "cpu,cpuacct": {
        "cpuacct.usage": "1500000000",
        "cpu.cfs_quota_us": "150000",
        "cpu.cfs_period_us": "100000",
    },
}
V2 = {
    "cgroup.procs": "",
    "memory.max": "1000000000",
    "memory.current": "1000",
    "memory.peak": "2000",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 1\noom_kill 3\n",
    "pids.max": "50",
    "pids.current": "4",
    "pids.events": "max 5\n",
    "cpu.max": "150000 100000\n",
    "cpu.stat": "usage_usec 1500000\nuser_usec 1\nsystem_usec 1\n",
}


class Tree:
    """A host's control groups of one version, with the group of a container."""

    def __init__(self, top: Path, version: int) -> None:
        self._top, self.version = top, version
        if version == 1:
            for controllers, files in V1.items():
                self._fill(top / controllers / "docker/c1", files)
            self.mounts = "".join(f"cgroup {top}/{c} cgroup rw,nosuid,{c} 0 0\n" for c in V1)
            self.groups = "".join(f"{number}:{c}:/docker/c1\n" for number, c in enumerate(V1, 1))
        else:
            self._fill(top / "docker/c1", V2)
            self.mounts = f"cgroup2 {top} cgroup2 rw,nosuid 0 0\n"
            self.groups = "0::/docker/c1\n"

    @staticmethod
    def _fill(group: Path, files: Mapping[str, str]) -> None:
        group.mkdir(parents=True)
        for name, text in files.items():
            (group / name).write_text(text)

    def set(self, **said: str) -> None:
        """Change what files say; `memory`, `pids` and `cpu` are their limits."""
        names = {
            1: {"memory": "memory.limit_in_bytes", "pids": "pids.max", "cpu": "cpu.cfs_quota_us"},
            2: {"memory": "memory.max", "pids": "pids.max", "cpu": "cpu.max"},
        }
        for limit, text in said.items():
            [file] = self._top.rglob(names[self.version][limit])
            file.write_text(text)

    def remove(self) -> None:
        """The container has ended."""
        for file in [path for path in self._top.rglob("*") if path.is_file()]:
            file.unlink()

    def find(self, limits: Limits = LIMITS) -> Observed | None:
        return find(self.groups, self.mounts, limits)

    def found(self, limits: Limits = LIMITS) -> Observed:
        found = self.find(limits)
        assert found is not None
        return found


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    """Version 1, then version 2."""
    return Tree(tmp_path, request.param)


def test_the_counters_of_the_containers_group_are_read(tree: Tree) -> None:
    group = tree.found()
    counters = group.counters()
    assert counters is not None
    assert group.kind == f"cgroup v{tree.version}"
    assert (counters.memory_bytes, counters.peak_memory_bytes, counters.processes) == (1000, 2000, 4)
    assert (counters.cpu_s, counters.oom_kills, counters.refused_forks) == (1.5, 3, 5)


def held(group: Observed) -> tuple[bool, bool, bool]:
    return group.memory, group.processes, group.cpus


def test_limits_that_stand_are_seen_to(tree: Tree) -> None:
    assert held(tree.found()) == (True, True, True)


def test_a_limit_that_was_dropped_is_seen_to_be(tree: Tree) -> None:
    nothing = {1: ("9223372036854771712", "max", "-1"), 2: ("max", "max", "max 100000")}[tree.version]
    for name, text in zip(("memory", "pids", "cpu"), nothing, strict=True):
        tree.set(**{name: text})
    assert held(tree.found()) == (False, False, False)


def test_a_limit_that_is_larger_than_ours_isnt_ours(tree: Tree) -> None:
    tree.set(memory="1000000001", pids="51", cpu={1: "200000", 2: "200000 100000"}[tree.version])
    assert held(tree.found()) == (False, False, False)


def test_the_kernels_rounding_down_to_pages_is_still_our_limit(tree: Tree) -> None:
    tree.set(memory="999997440")
    assert tree.found().memory


def test_any_limit_of_processors_will_do_where_we_asked_for_none(tree: Tree) -> None:
    assert tree.found(Limits(memory_bytes=10**9, processes=50)).cpus


def test_a_group_without_a_controller_holds_nothing_by_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 2)
    for name in ("cpu.max", "pids.max"):
        (tmp_path / "docker/c1" / name).unlink()
    assert held(tree.found()) == (True, False, False)


def test_a_group_that_has_gone_counts_no_more(tree: Tree) -> None:
    group = tree.found()
    tree.remove()
    assert group.counters() is None


def test_a_group_that_isnt_in_sight_is_none(tree: Tree) -> None:
    """In a control group namespace of our own, others' groups lie outside of what is mounted."""
    tree.groups = tree.groups.replace("/docker/c1", "/../c1")
    assert tree.find() is None


@pytest.mark.parametrize("mounts", ["", "proc /proc proc rw 0 0\n"])
def test_without_control_groups_there_is_none(mounts: str) -> None:
    assert find("0::/docker/c1\n", mounts, LIMITS) is None


@pytest.mark.parametrize("missing", ["pids", "cpu,cpuacct"])
def test_version_1_without_what_is_to_be_counted_is_none(missing: str, tmp_path: Path) -> None:
    tree = Tree(tmp_path, 1)
    tree.mounts = "".join(line for line in tree.mounts.splitlines(True) if f"/{missing} " not in line)
    assert tree.find() is None


def test_version_1_is_taken_before_an_empty_version_2_beside_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path, 1)
    tree.mounts += f"cgroup2 {tmp_path}/unified cgroup2 rw 0 0\n"
    tree.groups += "0::/docker/c1\n"
    assert tree.found().kind == "cgroup v1"


def test_a_process_that_has_ended_has_none() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert observe(pid, LIMITS) is None
