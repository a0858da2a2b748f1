"""Groups of version 2, in folders that look like the kernel's."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.errors import MachineError
from whaledo.execution.cgroups import v2
from whaledo.execution.cgroups.base import Unavailable, write
from whaledo.execution.cgroups.scope import Scope
from whaledo.execution.cgroups.v2 import V2, make_below_top, remove_below_top
from whaledo.execution.contract import Limits

if TYPE_CHECKING:
    from tests.execution.cgroups.conftest import FakeKernel

FILES = {
    "cgroup.controllers": "cpu memory pids\n",
    "cgroup.subtree_control": "",
    "cgroup.kill": "",
    "memory.max": "max",
    "memory.swap.max": "max",
    "memory.oom.group": "0",
    "memory.current": "1000",
    "memory.peak": "2000",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 1\noom_kill 3\noom_group_kill 1\n",
    "pids.max": "max",
    "pids.current": "4",
    "pids.events": "max 5\n",
    "cpu.max": "max 100000",
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
}


@pytest.fixture
def top(fake_kernel: FakeKernel, tmp_path: Path) -> Path:
    """A part of the tree that is ours to divide."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in ("cgroup.controllers", "cgroup.subtree_control"):
        (folder / name).write_text(FILES[name])
    fake_kernel.files[folder] = dict(FILES)
    return folder


def test_the_limits_are_set_and_a_run_is_killed_as_a_whole(top: Path) -> None:
    group = V2(top / "run", Limits(memory_bytes=10**8, processes=50, cpus=1.5))
    said = {name: (top / "run" / name).read_text() for name in FILES}
    assert (said["memory.max"], said["memory.swap.max"], said["memory.oom.group"]) == ("100000000", "0", "1")
    assert (said["pids.max"], said["cpu.max"]) == ("50", "150000 100000")
    assert group.limits_cpus


def test_the_controllers_are_handed_on_before_the_group_is_made(top: Path) -> None:
    V2(top / "run", Limits())
    assert (top / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_controllers_that_are_handed_on_already_are_left_alone(top: Path) -> None:
    """Where others' processes stand in the parent the kernel would refuse, needed or not."""
    (top / "cgroup.subtree_control").write_text("cpu memory pids")
    (top / "cgroup.subtree_control").chmod(0o400)
    V2(top / "run", Limits())
    assert (top / "cgroup.subtree_control").read_text() == "cpu memory pids"


def test_without_a_controller_of_processors_the_rest_holds_and_it_says_so(top: Path) -> None:
    (top / "cgroup.controllers").write_text("memory pids")
    group = V2(top / "run", Limits(cpus=0.5, processes=50))
    assert not group.limits_cpus
    assert (top / "run/cpu.max").read_text() == "max 100000"
    assert (top / "run/pids.max").read_text() == "50"


def test_a_part_of_the_tree_that_has_processes_cannot_be_divided(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is in a container, where everything is in the group at the top."""

    def refuse(path: Path, value: int | str) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy", str(path))

    monkeypatch.setattr(v2, "write", refuse)
    with pytest.raises(Unavailable, match=f"{top} has processes of its own"):
        make_below_top(top, "r1", Limits())


@pytest.mark.parametrize(("given", "missing"), [("pids", "no memory "), ("cpu", "no memory and no pids ")])
def test_without_a_controller_that_is_needed_there_is_none(top: Path, given: str, missing: str) -> None:
    (top / "cgroup.controllers").write_text(given)
    with pytest.raises(Unavailable, match=missing):
        V2(top / "run", Limits())
    assert not (top / "run").exists()


def test_swap_that_is_not_accounted_is_done_without(fake_kernel: FakeKernel, top: Path) -> None:
    del fake_kernel.files[top]["memory.swap.max"]
    V2(top / "run", Limits(processes=50))
    assert (top / "run/pids.max").read_text() == "50"


def test_the_counters_are_what_the_files_say(top: Path) -> None:
    counters = V2(top / "run", Limits()).counters()
    assert (counters.memory_bytes, counters.peak_memory_bytes, counters.processes) == (1000, 2000, 4)
    assert (counters.cpu_s, counters.oom_kills, counters.refused_forks) == (1.5, 3, 5)


def test_before_linux_5_19_no_peak_is_claimed(fake_kernel: FakeKernel, top: Path) -> None:
    del fake_kernel.files[top]["memory.peak"]
    assert V2(top / "run", Limits()).counters().peak_memory_bytes is None


def test_before_linux_5_14_its_processes_are_killed_one_by_one(
    fake_kernel: FakeKernel, top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del fake_kernel.files[top]["cgroup.kill"]
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr("os.kill", lambda pid, signal: killed.append((pid, signal)))
    group = V2(top / "run", Limits())
    (top / "run/cgroup.procs").write_text("12\n13\n")
    group.close()
    assert killed == [(12, 9), (13, 9)]
    assert not (top / "run").exists()


def test_a_group_that_somebody_removed_is_the_machines_fault(fake_kernel: FakeKernel, top: Path) -> None:
    group = V2(top / "run", Limits())
    fake_kernel.remove(top / "run")
    with pytest.raises(MachineError, match=r"control group .*/run has gone"):
        group.counters()
    group.close()


def test_a_scope_that_has_ended_is_noticed_though_its_files_are_still_there(top: Path) -> None:
    class Ended(Scope):
        def __init__(self) -> None:
            pass

        def check(self) -> None:
            raise MachineError("systemd has ended the run")

        def close(self) -> None:
            pass

    with pytest.raises(MachineError, match="systemd has ended the run"):
        V2(top / "run", Limits(), Ended()).counters()


def test_a_process_that_the_kernel_does_not_let_us_move_is_reported(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = V2(top / "run", Limits())

    def refuse(path: Path, value: int | str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(v2, "write", refuse)
    with pytest.raises(PermissionError):
        group.admit(4242)


def test_what_the_kernel_refuses_to_be_told_is_named_with_its_file() -> None:
    with pytest.raises(OSError, match="No space left") as refused:
        write(Path("/dev/full"), 1)
    assert refused.value.filename == "/dev/full"


def test_below_the_top_all_runs_share_one_group_and_a_dead_run_is_removed_by_name(top: Path) -> None:
    make_below_top(top, "r1", Limits(processes=50))
    make_below_top(top, "r2", Limits(processes=60))
    assert (top / "whaledo/r1/pids.max").read_text() == "50"
    assert (top / "whaledo/r2/pids.max").read_text() == "60"
    remove_below_top(top, "r1")
    assert [path.name for path in (top / "whaledo").iterdir() if path.is_dir()] == ["r2"]
