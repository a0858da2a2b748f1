"""Groups of version 1, in folders that look like the kernel's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.execution.cgroups.v1 import V1, remove_v1
from whaledo.execution.contract import Limits

if TYPE_CHECKING:
    from tests.execution.cgroups.conftest import FakeKernel

FILES: Mapping[str, Mapping[str, str]] = {
    "memory": {
        "memory.limit_in_bytes": "9223372036854771712",
        "memory.memsw.limit_in_bytes": "9223372036854771712",
        "memory.usage_in_bytes": "1000",
        "memory.max_usage_in_bytes": "2000",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    },
    "pids": {"pids.max": "max", "pids.current": "4", "pids.events": "max 5\n"},
    "cpuacct": {"cpuacct.usage": "1500000000"},
    "cpu": {"cpu.cfs_period_us": "50000", "cpu.cfs_quota_us": "-1"},
}


@pytest.fixture
def parents(fake_kernel: FakeKernel, tmp_path: Path) -> dict[str, Path]:
    """One tree for each controller but the last two, which share one, as on most hosts."""
    folders = {"memory": tmp_path / "memory", "pids": tmp_path / "pids"}
    folders["cpuacct"] = folders["cpu"] = tmp_path / "cpu,cpuacct"
    for controller, folder in folders.items():
        folder.mkdir(exist_ok=True)
        fake_kernel.files.setdefault(folder, {}).update(FILES[controller])
    return folders


def test_the_limits_are_set_in_each_tree(parents: dict[str, Path]) -> None:
    group = V1("r1", Limits(memory_bytes=10**8, processes=50, cpus=0.5), parents)
    memory, pids, cpu = (parents[c] / "whaledo-r1" for c in ("memory", "pids", "cpu"))
    assert (memory / "memory.limit_in_bytes").read_text() == "100000000"
    assert (memory / "memory.memsw.limit_in_bytes").read_text() == "100000000"
    assert (pids / "pids.max").read_text() == "50"
    assert (cpu / "cpu.cfs_period_us").read_text() == "100000"
    assert (cpu / "cpu.cfs_quota_us").read_text() == "50000"
    assert group.limits_cpus


def test_processors_are_not_limited_unless_asked_for_and_possible(parents: dict[str, Path]) -> None:
    assert not V1("r1", Limits(), parents).limits_cpus
    without = {controller: folder for controller, folder in parents.items() if controller != "cpu"}
    assert not V1("r2", Limits(cpus=1), without).limits_cpus


def test_swap_that_is_not_accounted_is_done_without(
    fake_kernel: FakeKernel, parents: dict[str, Path]
) -> None:
    del fake_kernel.files[parents["memory"]]["memory.memsw.limit_in_bytes"]
    V1("r1", Limits(memory_bytes=10**8), parents)
    assert (parents["memory"] / "whaledo-r1/memory.limit_in_bytes").read_text() == "100000000"


def test_a_process_is_admitted_to_every_tree_once(parents: dict[str, Path]) -> None:
    V1("r1", Limits(), parents).admit(4242)
    for folder in set(parents.values()):
        assert (folder / "whaledo-r1/cgroup.procs").read_text() == "4242"


def test_the_counters_are_read_from_each_tree(parents: dict[str, Path]) -> None:
    counters = V1("r1", Limits(), parents).counters()
    assert (counters.memory_bytes, counters.peak_memory_bytes, counters.processes) == (1000, 2000, 4)
    assert (counters.cpu_s, counters.oom_kills, counters.refused_forks) == (1.5, 3, 5)


def test_nothing_is_left_of_it(parents: dict[str, Path]) -> None:
    V1("r1", Limits(), parents).close()
    assert [folder for parent in parents.values() for folder in parent.iterdir()] == []


def test_nothing_is_left_of_one_that_cannot_be_made(
    fake_kernel: FakeKernel, parents: dict[str, Path]
) -> None:
    del fake_kernel.files[parents["pids"]]["pids.max"]
    with pytest.raises(FileNotFoundError):
        V1("r1", Limits(), parents)
    assert [folder for parent in parents.values() for folder in parent.iterdir()] == []


def test_what_a_killed_whaledo_left_is_removed_by_its_name(parents: dict[str, Path]) -> None:
    V1("dead", Limits(), parents)
    V1("alive", Limits(), parents)
    began = time.monotonic()
    for name in ("dead", "nobody"):
        remove_v1(name, parents)
    assert time.monotonic() - began < 1
    assert {folder.name for parent in parents.values() for folder in parent.iterdir()} == {"whaledo-alive"}
