"""From outside: whaledo is killed, interrupted, or has a reader who doesn't read, and nothing stays behind."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from whaledo.execution.records import RunRequest
from whaledo.resources import HOME_VARIABLE
from whaledo.units import show_size

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import OrdinaryUser

WHALEDO = [sys.executable, "-m", "whaledo"]
PATIENCE_S = 30
MIB = 1024**2


def command(request: RunRequest) -> list[str]:
    """The command line of a request."""
    given = {
        "--data": request.data,
        "--output": request.output,
        "--timeout": f"{request.limits.wall_s}s",
        "--memory": str(request.limits.memory_bytes),
        "--disk": str(request.limits.disk_bytes),
        "--log-limit": str(request.limits.log_bytes),
    }
    return [*WHALEDO, "run", request.submission, *(word for pair in given.items() for word in pair)]


class Started:
    """A `whaledo run` that goes on."""

    def __init__(self, request: RunRequest, home: Path, become: tuple[str, ...] = (), **streams: int) -> None:
        self.request, self.home = request, home
        self.process = subprocess.Popen(
            [*become, *command(request)],
            env={**os.environ, HOME_VARIABLE: str(home)},
            start_new_session=True,
            stdout=streams.get("stdout", subprocess.DEVNULL),
            stderr=streams.get("stderr", subprocess.DEVNULL),
        )

    def wait_for_log(self, text: bytes) -> None:
        """Wait until the submission has printed this."""
        log = Path(self.request.output, "log.txt")
        wait_until(lambda: log.exists() and text in log.read_bytes())

    def below(self) -> list[psutil.Process]:
        """All processes of the run."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def record(self) -> dict[str, dict[str, object]]:
        document: dict[str, dict[str, object]] = json.loads(Path(self.request.output, "run.json").read_text())
        return document


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it doesn't come about"
        time.sleep(0.01)


def alive(processes: list[psutil.Process], within_s: float = 1) -> list[psutil.Process]:
    """Those that are still there after a while; a zombie is dead."""
    deadline = time.monotonic() + within_s
    while left := [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return left


@pytest.fixture
def start(rooms: Rooms) -> Iterator[Callable[..., Started]]:
    """Starts runs, and ends them whatever happens."""
    started: list[Started] = []

    def begin(request: RunRequest, user: OrdinaryUser | None = None, **streams: int) -> Started:
        home, become = (user.home, user.become) if user else (rooms.home, ())
        started.append(Started(request, home, become, **streams))
        return started[-1]

    yield begin
    for each in started:
        each.process.kill()
        each.process.communicate()


FAMILY = """
import os, signal, time
for number in range(6):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(0.01 * number)
        break
os.write(1, b'up ')
while True: time.sleep(1)
"""


@pytest.mark.parametrize("ordinary", [False, True], ids=["us", "an ordinary user"])
def test_killed_in_mid_run_it_leaves_no_process_and_the_next_run_clears_the_rest(
    ordinary: bool, rooms: Rooms, start: Callable[..., Started], request: pytest.FixtureRequest
) -> None:
    user: OrdinaryUser | None = request.getfixturevalue("ordinary_user") if ordinary else None
    run = start(rooms.request(FAMILY), user)
    run.wait_for_log(b"up " * 7)
    processes = run.below()
    assert len(processes) >= 9
    run.process.kill()
    run.process.wait()
    assert alive(processes) == []
    [folder] = [path for path in (run.home / "runs").iterdir() if path.is_dir()]
    assert not Path(run.request.output, "run.json").exists()
    groups = [path for path in Path("/sys/fs/cgroup").rglob(f"*{folder.name}*") if path.is_dir()]
    start(changed(run.request, rooms.request("print('next')")), user).process.wait(PATIENCE_S)
    assert list((run.home / "runs").iterdir()) == []
    assert [path for path in groups if path.exists()] == []
    assert rooms.printed(Path(run.request.output, "previous")).startswith(b"up ")
    assert rooms.printed(run.request.output) == b"next\n"


def changed(request: RunRequest, other: RunRequest) -> RunRequest:
    """The first request with the zip of the other."""
    return RunRequest.from_json({**request.to_json(), "submission": other.submission})


@pytest.mark.parametrize("moment_s", [0.15, 0.25, 0.35, 0.5])
def test_killed_at_any_moment_it_leaves_no_process(
    moment_s: float, rooms: Rooms, start: Callable[..., Started]
) -> None:
    run = start(rooms.request(FAMILY))
    processes: set[psutil.Process] = set()
    deadline = time.monotonic() + moment_s
    while time.monotonic() < deadline:
        processes.update(run.below())
    run.process.kill()
    run.process.wait()
    assert alive(list(processes)) == []
    of_the_run = str(Path(run.request.output).parent)
    assert [p.pid for p in psutil.process_iter() if of_the_run in " ".join(cmdline(p))] == []


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_run_and_keeps_its_log(
    number: signal.Signals, rooms: Rooms, start: Callable[..., Started]
) -> None:
    run = start(rooms.request(FAMILY), stderr=subprocess.PIPE)
    run.wait_for_log(b"up " * 7)
    processes = run.below()
    began = time.monotonic()
    # As a terminal does it: to the whole group, so that whatever else is in it gets it too.
    os.killpg(run.process.pid, number)
    _, said = run.process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - began < 5
    assert run.process.returncode == 1
    assert alive(processes) == []
    assert run.record()["verdict"]["code"] == "cancelled"
    assert rooms.printed(run.request.output) == b"up " * 7
    assert b"Traceback" not in said


def test_a_second_run_on_the_same_folder_is_refused_at_once(
    rooms: Rooms, start: Callable[..., Started]
) -> None:
    first = start(rooms.request(FAMILY))
    first.wait_for_log(b"up ")
    second = start(first.request, stderr=subprocess.PIPE)
    _, said = second.process.communicate(timeout=PATIENCE_S)
    assert second.process.returncode == 2
    assert b"another run is writing to" in said
    assert first.process.poll() is None


def peak_of(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process; return the most memory that it had, in bytes.

    The kernel's own figure for a process that has ended counts what its parent had when it was forked, too.
    """
    peak_kib = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak_kib = max([peak_kib, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))])
        time.sleep(0.02)
    return peak_kib * 1024


@pytest.mark.parametrize(
    "piece", ["b'whale ' * 10_000", "b'w\\n' * 4096"], ids=["pieces", "one-letter lines"]
)
def test_a_flood_of_output_doesnt_fill_the_supervisor(
    piece: str, rooms: Rooms, start: Callable[..., Started]
) -> None:
    code = f"import os\nchunk, printed = {piece}, 0\nwhile printed < 600 << 20: printed += os.write(1, chunk)"
    run = start(rooms.request(code, log_bytes=32 * MIB))
    peak_bytes = peak_of(run.process)
    log_bytes = run.record()["usage"]["log_bytes"]
    assert isinstance(log_bytes, int)
    assert log_bytes >= 600 * MIB
    assert peak_bytes < 120 * MIB, show_size(peak_bytes)


def test_a_big_csv_doesnt_fill_the_supervisor(rooms: Rooms, start: Callable[..., Started]) -> None:
    code = (
        "with open('submission/submission.csv', 'wb') as f:\n    for _ in range(60): f.write(bytes(1 << 20))"
    )
    run = start(rooms.request(code, disk_bytes=100 * MIB))
    peak_bytes = peak_of(run.process)
    assert run.record()["verdict"]["code"] == "invalid_output"
    assert peak_bytes < 120 * MIB, show_size(peak_bytes)


def test_a_terminal_that_isnt_read_doesnt_hold_up_the_run(
    rooms: Rooms, start: Callable[..., Started]
) -> None:
    ours, theirs = pty.openpty()
    code = "import os, time\nend = time.time() + 1\nwhile time.time() < end: os.write(1, b'x' * 79 + b'\\n')"
    run = start(
        rooms.request(f"{code}\nwhile True: time.sleep(1)", wall_s=2, log_bytes=MIB),
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    wait_until(lambda: Path(run.request.output, "run.json").exists())
    assert run.record()["verdict"]["code"] == "timeout"
    wall_s = run.record()["usage"]["wall_s"]
    assert isinstance(wall_s, float)
    assert 2 <= wall_s < 2.5
    os.close(ours)


def test_a_reader_who_goes_away_doesnt_end_the_run_nor_show_a_traceback(
    rooms: Rooms, start: Callable[..., Started]
) -> None:
    code = "import time\nfor n in range(40): print(n, flush=True); time.sleep(0.01)\nraise SystemExit(7)"
    run = start(rooms.request(code), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.process.stdout is not None
    run.process.stdout.readline()
    run.process.stdout.close()
    assert run.process.stderr is not None
    said = run.process.stderr.read()
    run.process.wait()
    assert b"Traceback" not in said
    assert "status 7" in str(run.record()["verdict"]["message"])
    assert rooms.printed(run.request.output).decode().split() == [str(n) for n in range(40)]


def test_a_submission_cant_type_into_the_terminal_that_the_run_was_started_from(rooms: Rooms) -> None:
    """The attack: reopen the controlling terminal, and push input into it (TIOCSTI)."""
    code = (
        "import fcntl, os\nfor name in ('/dev/tty', '/proc/self/fd/0', '/proc/self/fd/1', '/proc/self/fd/2'):\n"
        "    try:\n        fcntl.ioctl(os.open(name, os.O_RDWR), 0x5412, b'#')\n        print('typed')\n"
        "    except OSError as error: print(error.strerror)\n"
    )
    request = rooms.request(code)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ[HOME_VARIABLE] = str(rooms.home)
        os.execv(sys.executable, command(request))
    said = b""
    try:
        while chunk := os.read(terminal, 4096):
            said += chunk
    except OSError:  # the terminal is closed with its last process
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    log = rooms.printed(request.output).decode()
    assert log.count("\n") == 4
    assert "typed" not in log
    assert b"#" not in said
