"""Looking at processes and folders from outside, where no counter does it for us."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

from whaledo.execution.watch import ProcessTree, measure_tree

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
