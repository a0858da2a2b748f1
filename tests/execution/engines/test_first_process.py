"""Finding the first process of a container, in namespaces made for the purpose."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whaledo.execution.cgroups.base import Counters
from whaledo.execution.cgroups.observe import Observed
from whaledo.execution.contract import Limits
from whaledo.execution.engines import first_process
from whaledo.execution.engines.first_process import FirstProcess, holder

IN_A_NAMESPACE = ("bwrap", "--unshare-all", "--as-pid-1", "--dev-bind", "/", "/", "--")

Begin = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A named pipe, and our own descriptor of it."""
    path = tmp_path / "status"
    os.mkfifo(path)
    ours = os.open(path, os.O_RDWR)
    yield path, ours
    os.close(ours)


@pytest.fixture
def begin(pipe: tuple[Path, int]) -> Iterator[Begin]:
    """Starts a shell that opens the pipe, says so, and stays; ends it with all that it started."""
    path, ours = pipe
    begun: list[subprocess.Popen[bytes]] = []

    def start(*before: str, script: str = "sleep 60") -> subprocess.Popen[bytes]:
        words = [*before, "/bin/sh", "-c", f"exec 3>{path}; echo up >&3; {script}"]
        begun.append(subprocess.Popen(words, start_new_session=True))
        assert select.select([ours], [], [], 20)[0], "it doesn't come up"
        os.read(ours, 100)
        return begun[-1]

    yield start
    for process in begun:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def test_of_all_that_hold_the_pipe_the_first_of_a_namespace_is_found(
    pipe: tuple[Path, int], begin: Begin
) -> None:
    begin()
    begin(*IN_A_NAMESPACE, script="sleep 60 3>&-; true")
    found = holder(pipe[1], os.geteuid())
    assert found is not None
    [numbers] = [line for line in Path(f"/proc/{found}/status").read_text().splitlines() if "NSpid" in line]
    assert numbers.split()[-1] == "1"
    assert b"/bin/sh\0" in Path(f"/proc/{found}/cmdline").read_bytes()


def test_nobody_is_taken_for_it_who_is_in_our_own_namespace_or_holds_another_pipe(
    pipe: tuple[Path, int], begin: Begin
) -> None:
    begin()
    begin(*IN_A_NAMESPACE, script="exec 3>&-; sleep 60")
    time.sleep(0.1)
    assert holder(pipe[1], os.geteuid()) is None


def test_killed_it_takes_its_namespace_along(pipe: tuple[Path, int], begin: Begin) -> None:
    process = begin(*IN_A_NAMESPACE, script="(sleep 60) & wait")
    pid = holder(pipe[1], os.geteuid())
    assert pid is not None
    first = FirstProcess.find(pid, Limits())
    assert first is not None
    try:
        assert first.kill()
        assert select.select([first.pidfd], [], [], 20)[0]
        assert first.kill(), "it has gone already"
    finally:
        first.close()
    process.wait(20)
    assert FirstProcess.find(pid, Limits()) is None


@pytest.mark.parametrize("has_quota", [True, False])
def test_without_a_quota_it_stays_on_as_many_processors_as_it_may_use(
    has_quota: bool, pipe: tuple[Path, int], begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = Observed("cgroup v2", True, True, has_quota, lambda: Counters(1, 1, 1, 1.0, 0, 0))
    monkeypatch.setattr(first_process, "observe", lambda *_: group)
    begin(*IN_A_NAMESPACE)
    pid = holder(pipe[1], os.geteuid())
    assert pid is not None
    first = FirstProcess.find(pid, Limits(cpus=1.0))
    assert first is not None
    first.close()
    assert first.is_kept is not has_quota
    assert has_quota or len(os.sched_getaffinity(pid)) == 1
