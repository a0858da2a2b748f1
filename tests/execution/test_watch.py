"""Looking at processes and folders from outside, where no counter does it for us."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from whaledo.execution import watch
from whaledo.execution.watch import DiskWatch, ProcessTree, measure_tree

MIB = 1024**2
PLENTY = 10**12


def test_a_process_tree_is_added_up() -> None:
    code = (
        "import os, threading, time\nif os.fork() == 0:\n    x = bytearray(b'x') * (40 << 20)\n"
        "for _ in range(3): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "end = time.process_time() + 0.1\nwhile time.process_time() < end: pass\n"
        "os.write(1, b'.')\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(2)
        tree = ProcessTree(process.pid)
        memory_bytes, threads, cpu_s = tree.look()
        for child in psutil.Process(process.pid).children():
            child.kill()
        process.kill()
        process.wait()
        after = tree.look()
    assert 40 * MIB < memory_bytes < 100 * MIB
    assert threads == 8
    assert 0.15 < cpu_s < 5
    assert after == (0, 0, cpu_s), "what the dead have used is remembered"


@contextmanager
def running(code: str) -> Iterator[int]:
    """Run Python until the block is left; it prints a dot when it is ready."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        yield process.pid
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()


def test_memory_behind_a_first_thread_that_has_ended_counts() -> None:
    code = (
        "import ctypes, os, threading, time\nheld = bytearray(b'x') * (80 << 20)\n"
        "def go():\n    time.sleep(0.1)\n    os.write(1, b'.')\n    time.sleep(60)\n"
        "threading.Thread(target=go).start()\nctypes.CDLL(None).pthread_exit(None)"
    )
    with running(code) as pid:
        assert 80 * MIB < ProcessTree(pid).look()[0] < 130 * MIB


def test_what_lies_on_file_systems_in_memory_counts_beside_what_is_mapped_of_it_once() -> None:
    code = "import mmap, os, time\nheld = mmap.mmap(-1, 40 << 20)\nheld[::4096] = bytes(len(held[::4096]))\n"
    with running(f"{code}os.write(1, b'.')\ntime.sleep(60)") as pid:
        tree = ProcessTree(pid)
        mapped, partly, wholly = (tree.look(size)[0] for size in (0, 30 * MIB, 60 * MIB))
    assert abs(partly - mapped) < MIB
    assert 19 * MIB < wholly - mapped < 21 * MIB


def test_a_process_that_isnt_there_is_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert ProcessTree(process.pid).look() == (0, 0, 0)


def test_bytes_on_disk_and_entries_are_counted_and_links_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    before = measure_tree(str(tmp_path), PLENTY, PLENTY)
    assert before[1] == 2
    (tmp_path / "a" / "b" / "file").write_bytes(bytes(MIB))
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 1 << 40)
    (tmp_path / "link").symlink_to("/usr")
    size_bytes, entries = measure_tree(str(tmp_path), PLENTY, PLENTY)
    assert entries == 5
    assert MIB <= size_bytes - before[0] < 1.2 * MIB


def test_a_huge_tree_is_left_when_it_is_known_to_be_too_large(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "file").touch()
    assert measure_tree(str(tmp_path), PLENTY, 20)[1] == 21


def test_what_lies_deeper_than_any_path_is_counted_in_a_blink(tree: Path) -> None:
    tree.mkdir()
    inner = os.open(tree, os.O_RDONLY)
    for _ in range(2500):
        os.mkdir("d", dir_fd=inner)
        deeper = os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(inner)
        inner = deeper
    hidden = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=inner)
    os.write(hidden, bytes(20 * MIB))
    os.close(hidden)
    os.close(inner)
    files = len([*Path("/proc/self/fd").iterdir()])
    began = time.process_time()
    size_bytes, entries = measure_tree(str(tree), PLENTY, PLENTY)
    assert time.process_time() - began < 0.5
    assert entries == 2501
    assert size_bytes >= 20 * MIB
    assert len([*Path("/proc/self/fd").iterdir()]) == files


def test_folders_that_cant_be_entered_or_are_gone_are_nothing(tmp_path: Path) -> None:
    assert measure_tree(str(tmp_path / "nothing"), PLENTY, PLENTY) == (0, 0)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A disk whose free space is ours to say, and a tree that takes so long that one measure is all there is."""
    room = [10**12]
    monkeypatch.setattr(DiskWatch, "_room", lambda _: (room[0], 10**9))
    monkeypatch.setattr(watch, "MEASURE_PAUSE", 10**9)

    def take(size_bytes: int) -> None:
        room[0] -= size_bytes

    return take


def test_what_lay_there_before_isnt_the_runs(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "submission").mkdir()
    (tmp_path / "code" / "weights").write_bytes(bytes(3 * MIB))
    disk = DiskWatch((tmp_path / "code", tmp_path / "submission"), MIB, 100)
    assert disk.look(closely=True) == (0, 0)
    (tmp_path / "code" / "cache").write_bytes(bytes(MIB))
    (tmp_path / "submission" / "csv").write_bytes(bytes(MIB))
    size_bytes, entries = disk.look(closely=True)
    assert 2 * MIB <= size_bytes < 2.2 * MIB
    assert entries == 2


def test_removing_what_lay_there_makes_no_room_below_nothing(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(MIB))
    disk = DiskWatch((tmp_path,), MIB, 100)
    (tmp_path / "weights").unlink()
    assert disk.look(closely=True) == (0, 0)


def test_a_folder_with_more_in_it_than_the_limit_is_no_reason_not_to_see_what_is_added(
    tmp_path: Path,
) -> None:
    for number in range(30):
        (tmp_path / f"code-{number}").touch()
    disk = DiskWatch((tmp_path,), MIB, 10)
    (tmp_path / "new").touch()
    assert disk.look(closely=True)[1] == 1


def test_more_than_the_limit_is_seen_to_be_more_however_much_it_is(tmp_path: Path) -> None:
    disk = DiskWatch((tmp_path,), MIB, 10)
    for number in range(60):
        (tmp_path / f"new-{number}").touch()
    assert 10 < disk.look(closely=True)[1] < 60


@pytest.mark.usefixtures("slow_disk")
def test_a_tree_that_takes_long_to_measure_is_measured_seldom_unless_closely(tmp_path: Path) -> None:
    disk = DiskWatch((tmp_path,), MIB, 100)
    disk.look()
    (tmp_path / "new").write_bytes(bytes(MIB))
    assert disk.look() == (0, 0)
    assert disk.look(closely=True)[0] >= MIB


def test_a_disk_that_loses_much_of_a_limit_is_looked_at_at_once(
    tmp_path: Path, slow_disk: Callable[[int], None]
) -> None:
    disk = DiskWatch((tmp_path,), 8 * MIB, 100)
    disk.look()
    (tmp_path / "new").write_bytes(bytes(MIB))
    slow_disk(MIB)
    assert disk.look() == (0, 0), "an eighth isn't much"
    slow_disk(1)
    assert disk.look()[0] >= MIB
    (tmp_path / "newer").write_bytes(bytes(MIB))
    assert disk.look()[1] == 1, "the alarm counts from the last measure on"


def test_a_tmpfs_of_its_own_says_what_is_in_it() -> None:
    """Where we may make one: the figures are those of the file system, whoever writes to it."""
    code = (
        "import os, subprocess, sys\n"
        "from whaledo.execution.watch import filled\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', '/mnt'], check=True)\n"
        "folder = os.open('/mnt', os.O_RDONLY)\nbefore = filled(folder)\n"
        "open('/mnt/file', 'wb').write(bytes(1 << 20))\nafter = filled(folder)\n"
        "print(after[0] - before[0], after[1] - before[1])\n"
    )
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"this host lets nobody mount: {done.stderr.strip().splitlines()[-1]}")
    assert done.stdout.split() == [str(MIB), "1"]
