"""Look at a process tree and a folder tree from outside, where the kernel keeps no account of them for us.

Sampling sees what is there at the moment that it looks. What comes and goes in between is missed, and so is memory
that no process has mapped. The calls that make such memory are refused where a run is watched, and everything that
rests on this module is reported as best effort. psutil is imported where it is used: a run that has a control group
never waits for it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

MEASURE_PAUSE = 10
"""Measuring what a run has written waits this many times as long as the last time took."""

ALARM_SHARE = 8
"""Unless the disk itself lost one part in this many of a limit meanwhile: then it is measured at once."""

LONG_PATH = 200
"""Characters of a path from which on a folder is kept open to start from."""


class ProcessTree:
    """The processes below one process: their memory, number and processor time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu_s: dict[tuple[int, float], float] = {}

    def look(self, in_files_bytes: int = 0) -> tuple[int, int, float]:
        """Return bytes of memory, number of processes and threads, and processor seconds so far.

        Args:
            in_files_bytes: what lies on file systems in memory that belong to the run. Pages of files that
                processes have mapped are seen twice, in the file and in the process; they count once.
        """
        import psutil

        own_bytes = shared_bytes = threads = 0
        try:
            top = psutil.Process(self._pid)
            processes = [top, *top.children(recursive=True)]
        except psutil.Error:
            processes = []
        for process in processes:
            try:
                with process.oneshot():
                    own, shared = mapped_memory(process.pid) or (process.memory_info().rss, 0)
                    own_bytes, shared_bytes = own_bytes + own, shared_bytes + shared
                    threads += process.num_threads()
                    times = process.cpu_times()
                    self._cpu_s[process.pid, process.create_time()] = times.user + times.system
            except psutil.Error:
                continue
        return own_bytes + max(shared_bytes, in_files_bytes), threads, sum(self._cpu_s.values())


def mapped_memory(pid: int) -> tuple[int, int] | None:
    """A process's share of the memory that it has mapped: bytes of its own, and of files in memory.

    A page counts in proportion to how many processes share it, so that pages shared by forks count once. None
    where the kernel doesn't tell us.
    """
    for place in _places(pid):
        with contextlib.suppress(OSError), Path(place, "smaps_rollup").open("rb") as file:
            lines = [line.split() for line in file.readlines()[1:]]
            kib = {line[0]: int(line[1]) for line in lines}
            shared = kib.get(b"Pss_Shmem:", 0)
            return (kib[b"Pss:"] - shared + kib[b"SwapPss:"]) * 1024, shared * 1024
    return None


def _places(pid: int) -> Iterator[str]:
    """Where the kernel tells of a process: in its own folder or, if its first thread has ended, in the others'."""
    yield f"/proc/{pid}"
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/task") as threads:
        yield from (thread.path for thread in threads)


class _Folder:
    """An open folder, closed when nobody refers to it any more."""

    def __init__(self, path: str, above: _Folder | None) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        self.fd: int = os.open(path, flags, dir_fd=None if above is None else above.fd)

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


def measure_tree(folder: str, enough_bytes: int, enough_entries: int) -> tuple[int, int]:
    """Return the bytes on disk and the number of entries below a folder, no link followed.

    Stops early when either figure is past its `enough`, so that a huge tree costs no more than a full one. A
    path may be longer than the kernel takes: far down, folders are opened from an open one on the way.
    """
    size_bytes = entries = 0
    waiting: list[tuple[_Folder | None, str]] = [(None, folder)]
    while waiting and size_bytes <= enough_bytes and entries <= enough_entries:
        above, path = waiting.pop()
        try:
            here = _Folder(path, above)
            with os.scandir(here.fd) as listing:
                for entry in listing:
                    entries += 1
                    size_bytes += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        near = len(path) <= LONG_PATH
                        waiting.append((above, f"{path}/{entry.name}") if near else (here, entry.name))
                    if entries > enough_entries:
                        break
        except OSError:
            continue  # gone or closed since it was listed: the next look sees what is there then
    return size_bytes, entries


class DiskWatch:
    """What a run has written to folders that only looking can hold to a limit.

    What lies in them at the start isn't the run's. A large tree takes long to measure, and code could write
    much in the pauses; so the free space of the disk, which costs nothing to look at, says when to look closer.
    """

    def __init__(self, folders: Sequence[Path], limit_bytes: int, limit_entries: int) -> None:
        self._folders, self._limits = folders, (limit_bytes, limit_entries)
        self._at_first, self._enough = (0, 0), (sys.maxsize, sys.maxsize)
        self._at_first = self._measure()
        self._enough = self._at_first[0] + limit_bytes, self._at_first[1] + limit_entries
        self._found = 0, 0
        self._free, self._again = self._room(), 0.0

    def look(self, *, closely: bool = False) -> tuple[int, int]:
        """Return bytes and entries written; `closely`: as they are now, however lately they were measured."""
        began, room = time.monotonic(), self._room()
        alarm = any(
            before - now > limit / ALARM_SHARE
            for before, now, limit in zip(self._free, room, self._limits, strict=True)
        )
        if closely or alarm or began >= self._again:
            size_bytes, entries = self._measure()
            self._found = max(0, size_bytes - self._at_first[0]), max(0, entries - self._at_first[1])
            self._free, self._again = room, began + (1 + MEASURE_PAUSE) * (time.monotonic() - began)
        return self._found

    def _measure(self) -> tuple[int, int]:
        figures = [measure_tree(str(folder), *self._enough) for folder in self._folders]
        return sum(size for size, _ in figures), sum(entries for _, entries in figures)

    def _room(self) -> tuple[int, int]:
        figures = os.statvfs(self._folders[0])
        return figures.f_bavail * figures.f_frsize, figures.f_favail


def filled(place: int) -> tuple[int, int]:
    """Bytes and entries in use on the file system of an open folder."""
    figures = os.fstatvfs(place)
    return (figures.f_blocks - figures.f_bfree) * figures.f_frsize, figures.f_files - figures.f_ffree
