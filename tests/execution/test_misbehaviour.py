"""Processes that don't behave: they change nothing about the verdict, and none outlives its run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from whaledo.execution.records import Code
from whaledo.execution.runner import Listener
from whaledo.execution.supervisor import Progress

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import RunMain

pytestmark = pytest.mark.usefixtures("nothing_left", "nobody_left")

MIB = 1024**2


@pytest.fixture
def nobody_left(rooms: Rooms) -> Iterator[None]:
    """After the test no process of a submission of ours is alive: none sees anything of our rooms."""
    yield
    assert [pid for pid in psutil.pids() if rooms.folder.name in mounts_of(pid)] == []


def mounts_of(pid: int) -> str:
    """What a process sees of the host's file systems; nothing if it is dead or not ours to look at."""
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ""


def test_output_past_the_limit_is_dropped_from_the_middle_and_counted(run_main: RunMain) -> None:
    ran = run_main(
        "import os\nos.write(1, b'first\\n')\nfor _ in range(3200): os.write(1, b'x' * 65536)\n"
        "os.write(1, b'last words')",
        log_bytes=1 * MIB,
    )
    assert ran.code == "no_output", ran.verdict
    printed = 6 + 3200 * 65536 + 10
    dropped = printed - MIB
    assert ran.record["usage"]["log_bytes"] == printed
    assert ran.record["usage"]["log_dropped_bytes"] == dropped
    assert ran.log.startswith(b"first\nxxx")
    assert ran.log.endswith(b"xxxlast words")
    gap = f"\n[whaledo: {dropped:,} bytes dropped here, past the log limit]\n".encode()
    assert ran.log.count(gap) == 1
    assert len(ran.log) == MIB + len(gap)


def test_bytes_are_kept_as_they_came_whatever_they_are(run_here: RunMain) -> None:
    ran = run_here("import os\nfor _ in range(10): os.write(1, bytes(range(256)) * 100)")
    assert ran.log == bytes(range(256)) * 1000


def test_a_listener_that_is_slow_to_take_output_loses_nothing(rooms: Rooms) -> None:
    seen = []

    def slow(chunk: bytes) -> None:
        time.sleep(0.01)
        seen.append(chunk)

    rooms.run(
        rooms.request("import os\nfor _ in range(100): os.write(1, b'x' * 10_000)"), Listener(output=slow)
    )
    assert len(b"".join(seen)) == 1_000_000


def test_output_is_shown_while_the_run_goes_on(rooms: Rooms) -> None:
    began: list[float] = []
    request = rooms.request("print('early', flush=True)\nimport time\ntime.sleep(0.6)")
    rooms.run(request, Listener(output=lambda _: began.append(time.monotonic())))
    assert time.monotonic() - began[0] > 0.5


def test_progress_tells_what_a_run_uses(rooms: Rooms) -> None:
    code = "import os, time\nx = bytearray(b'x') * (50 << 20)\n"
    code += "for _ in range(5):\n    if os.fork() == 0: time.sleep(60)\n"
    said: list[bytes] = []
    seen: list[Progress] = []
    listener = Listener(
        output=said.append,
        progress=lambda progress: seen.append(progress) if said else None,
        cancelled=lambda: len(seen) > 2,
    )
    rooms.run(rooms.request(f"{code}print('there', flush=True)\ntime.sleep(60)"), listener)
    memory_bytes, processes = seen[-1].memory_bytes, seen[-1].processes
    assert memory_bytes is not None
    assert 50 * MIB < memory_bytes < 150 * MIB
    assert processes is not None
    assert 6 <= processes <= 10
    assert [p.elapsed_s for p in seen] == sorted(p.elapsed_s for p in seen)


def test_nothing_is_written_after_the_run_has_ended(
    rooms: Rooms, without_private_mounts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the submission folder lies on the host's disk, a late writer would be seen there."""
    sizes = []

    def collect(folder_fd: int, destination: Path) -> None:
        import os

        for _ in range(10):
            sizes.append(os.stat("x", dir_fd=folder_fd).st_size)
            time.sleep(0.02)
        raise KeyboardInterrupt

    monkeypatch.setattr("whaledo.execution.runner.collect_csv", collect)
    writers = "import os\nfor _ in range(8):\n    if os.fork() == 0: break\nelse:\n    os._exit(0)\n"
    request = rooms.request(
        f"{writers}while True:\n    with open('submission/x', 'a') as file: file.write('x' * 100)"
    )
    with pytest.raises(KeyboardInterrupt):
        rooms.run(request)
    assert len(sizes) == 10
    assert len(set(sizes)) == 1


def test_two_runs_at_once_on_one_output_folder_never_mix(rooms: Rooms) -> None:
    import threading

    from whaledo.errors import UsageError

    request = rooms.request("print('first', flush=True)\nimport time\ntime.sleep(30)")
    stop = threading.Event()
    refused = []

    def second(_: bytes) -> None:
        with pytest.raises(UsageError, match="another run is writing to") as caught:
            rooms.run(request)
        refused.append(caught.value.hint)
        stop.set()

    result = rooms.run(request, Listener(output=second, cancelled=stop.is_set))
    assert refused
    assert result.verdict.code == Code.CANCELLED
    assert rooms.printed(request.output) == b"first\n"
