"""Look at a process tree and a folder tree from outside, where the kernel keeps no account of them for us.

Sampling sees what is there at the moment that it looks. What comes and goes in between, and memory that no
process maps, is missed; everything that rests on this module is therefore reported as best effort. psutil is
imported where it is used: a run that has a control group never waits for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

LONG_PATH = 200
"""Characters of a path from which on a folder is kept open to start from."""


class ProcessTree:
    """The processes below one process: their memory, number and processor time."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._cpu_s: dict[tuple[int, float], float] = {}

    def look(self) -> tuple[int, int, float]:
        """Return bytes of memory, number of processes and threads, and processor seconds so far."""
        import psutil

        memory_bytes = threads = 0
        try:
            top = psutil.Process(self._pid)
            processes = [top, *top.children(recursive=True)]
        except psutil.Error:
            processes = []
        for process in processes:
            try:
                with process.oneshot():
                    memory_bytes += _memory(process)
                    threads += process.num_threads()
                    times = process.cpu_times()
                    self._cpu_s[process.pid, process.create_time()] = times.user + times.system
            except psutil.Error:
                continue
        return memory_bytes, threads, sum(self._cpu_s.values())


def _memory(process: psutil.Process) -> int:
    """Proportional share of memory, so that pages shared by forks count once; else what is resident."""
    import psutil

    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


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
