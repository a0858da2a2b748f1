"""Control groups as this host's kernel has them, where we are given any: what they hold, and what they count."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from whaledo.execution import cgroups
from whaledo.execution.cgroups import ControlGroup, control_group, remove_group
from whaledo.execution.cgroups.base import Unavailable
from whaledo.execution.cgroups.means import Systemd, choose, look_at_host
from whaledo.execution.contract import Limits

MIB = 1024**2
NAME = f"test-{os.getpid()}"
WAIT = "import sys\nsys.stdin.readline()\n"
PATIENCE_S = 30


class Member:
    """A process that waits in a group, and then does something."""

    def __init__(self, name: str, code: str, limits: Limits) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WAIT + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        group = control_group(name, limits, self.process.pid)
        if isinstance(group, str):
            self.process.kill()
            self.process.communicate()
            pytest.skip(f"this host: {group}")
        self.group: ControlGroup = group

    def begin(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def go(self) -> str:
        """Let it begin; return what it prints, when it is over."""
        return self.process.communicate("\n", timeout=PATIENCE_S)[0]


Join = Callable[[str, Limits], Member]


@pytest.fixture
def join() -> Iterator[Join]:
    """Makes members, each in a group of its own; the groups are gone afterwards."""
    made: list[Member] = []

    def make(code: str, limits: Limits) -> Member:
        made.append(Member(f"{NAME}-{len(made)}", code, limits))
        return made[-1]

    yield make
    for member in made:
        member.process.kill()
        member.process.communicate()
        member.group.close()
    assert groups_left() == []


def groups_left() -> list[Path]:
    """What is there of the tests' groups in the kernel's tree."""
    return [path for path in Path("/sys/fs/cgroup").rglob(f"*{NAME}*") if path.is_dir()]


def wait_until(true: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it doesn't come about"
        time.sleep(0.01)


def is_dead(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_memory_is_held_and_counted(join: Join) -> None:
    member = join("x = bytearray(b'x') * (200 << 20)", Limits(memory_bytes=64 * MIB))
    assert member.go() == ""
    assert member.process.returncode == -signal.SIGKILL
    counters = member.group.counters()
    assert counters.oom_kills >= 1
    assert counters.refused_forks == 0
    assert counters.peak_memory_bytes is None or 60 * MIB < counters.peak_memory_bytes <= 64 * MIB


def test_memory_that_no_process_maps_is_held_too(join: Join) -> None:
    code = "import os\nfile = os.memfd_create('x')\nfor _ in range(200): os.write(file, b'x' * (1 << 20))"
    member = join(code, Limits(memory_bytes=64 * MIB))
    member.go()
    assert member.process.returncode == -signal.SIGKILL
    assert member.group.counters().oom_kills >= 1


def test_within_its_limits_nothing_happens_and_the_peak_is_kept(join: Join) -> None:
    member = join("x = bytearray(b'x') * (30 << 20)", Limits(memory_bytes=128 * MIB))
    member.go()
    assert member.process.returncode == 0
    counters = member.group.counters()
    assert counters.oom_kills == counters.refused_forks == 0
    assert counters.peak_memory_bytes is None or 30 * MIB < counters.peak_memory_bytes < 80 * MIB


def test_processes_are_held_and_counted_and_none_is_left(join: Join) -> None:
    code = "import os, time\nfor _ in range(50):\n    if os.fork() == 0: time.sleep(60)"
    member = join(code, Limits(processes=10))
    member.begin()
    member.process.wait(PATIENCE_S)
    assert member.process.returncode == 1
    counters = member.group.counters()
    assert counters.refused_forks >= 1
    assert 9 <= counters.processes <= 10
    member.group.close()
    assert groups_left() == []


def test_processor_time_is_counted_also_of_children_that_nobody_waits_for(join: Join) -> None:
    code = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nif os.fork() == 0:\n"
        "    while time.process_time() < 0.3: pass\n    os._exit(0)\ntime.sleep(1)"
    )
    member = join(code, Limits())
    member.go()
    wait_until(lambda: member.group.counters().processes == 0)
    assert 0.3 <= member.group.counters().cpu_s < 2


def test_processors_are_held(join: Join) -> None:
    code = (
        "import time\nbegan, end = time.time(), time.process_time() + 0.2\n"
        "while time.process_time() < end: pass\nprint(time.time() - began)"
    )
    member = join(code, Limits(cpus=0.2))
    if not member.group.limits_cpus:
        pytest.skip("this host hands over no controller of processors")
    assert float(member.go()) > 0.6


def test_two_runs_do_not_share_their_limits(join: Join) -> None:
    one = join("x = bytearray(b'x') * (200 << 20)", Limits(memory_bytes=64 * MIB))
    other = join("", Limits(memory_bytes=64 * MIB))
    one.go()
    assert one.group.counters().oom_kills >= 1
    assert other.group.counters().oom_kills == 0
    other.go()
    assert other.process.returncode == 0


KILLED = """
import os, signal, subprocess, sys
from whaledo.execution.cgroups import control_group
from whaledo.execution.contract import Limits

child = subprocess.Popen(["/bin/sleep", "60"], stdout=subprocess.DEVNULL)
group = control_group(sys.argv[1], Limits(), child.pid)
print("" if isinstance(group, str) else child.pid, flush=True)
if isinstance(group, str):
    child.kill()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_whaledo_that_is_killed_leaves_nothing_for_long() -> None:
    """systemd's scope ends at once, with what is in it; other groups when the next whaledo looks for them."""
    if isinstance(means := choose(look_at_host()), str):
        pytest.skip(f"this host: {means}")
    command = [sys.executable, "-c", KILLED, NAME]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    if not said.strip():
        pytest.skip("this host gives no control group after all")
    if not isinstance(means, Systemd):
        assert groups_left()
        remove_group("nobody")
        remove_group(NAME)
        assert groups_left() == []
    wait_until(lambda: is_dead(int(said)), 1)
    wait_until(lambda: groups_left() == [])


@pytest.mark.parametrize("step", ["make", "admit"])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EROFS, "Read-only file system", "/x/whaledo"), "Read-only file system (/x/whaledo)"),
        (Unavailable("systemd-run: Failed to connect to bus"), "systemd-run: Failed to connect to bus"),
    ],
)
def test_whatever_fails_is_a_reason_and_leaves_nothing(
    step: str, error: Exception, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    class Failing:
        def __init__(self) -> None:
            if step == "make":
                raise error

        def admit(self, pid: int) -> None:
            raise error

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(cgroups, "_make", lambda name, limits: Failing())
    assert control_group("r1", Limits(), 4242) == f"no control group: {says}"
    assert closed == ([True] if step == "admit" else [])
