"""Take submission.csv out of a folder that hostile code could write to.

By now every process of the run is dead. Whatever lies under the name is opened once, without following a link
or waiting for a writer, and judged by that one descriptor; only a regular file of bounded size is copied, to a
new file under a temporary name that becomes the result in one step.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from whaledo.errors import MachineError
from whaledo.execution.contract import CSV_BYTES, OUTPUT_CSV
from whaledo.units import show_size

CHUNK_BYTES = 1024**2

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Collected:
    """A csv that was fetched: how long it is, and its sha256."""

    size_bytes: int
    sha256: str


class NoOutput(Exception):
    """There is no submission.csv. The text names what lies there instead, if anything does."""


class HostileOutput(Exception):
    """Something lies under the name that isn't a readable regular file of a sensible size."""


def collect_csv(folder_fd: int, destination: Path) -> Collected:
    """Copy submission.csv from an open folder to a new file.

    Raises:
        NoOutput: there is nothing of that name.
        HostileOutput: it isn't a regular file, can't be read by its owner, or is too large.
        MachineError: the copy can't be written.
    """
    source = _open_regular(folder_fd)
    temporary = destination.with_name(f".{destination.name}.part")
    try:
        temporary.unlink(missing_ok=True)
        copied = _copy(source, temporary)
        temporary.replace(destination)
    except OSError as error:
        raise MachineError(
            f"{destination} can't be written: {error.strerror}", hint="free some space in that folder"
        ) from error
    finally:
        os.close(source)
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return copied


def _open_regular(folder_fd: int) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        before = os.stat(OUTPUT_CSV, dir_fd=folder_fd, follow_symlinks=False)
        if not stat.S_ISREG(before.st_mode):
            raise HostileOutput(f"it is {_KINDS.get(stat.S_IFMT(before.st_mode), 'not a regular file')}")
        if not before.st_mode & stat.S_IRUSR:
            raise HostileOutput(f"it can't be read (mode {stat.S_IMODE(before.st_mode):04o})")
        source = os.open(OUTPUT_CSV, flags, dir_fd=folder_fd)
    except FileNotFoundError:
        others = sorted(os.listdir(folder_fd))
        raise NoOutput(_beside(others)) from None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EACCES, errno.ENXIO):
            raise HostileOutput(f"it can't be opened: {error.strerror}") from error
        raise MachineError(f"{OUTPUT_CSV} can't be fetched: {error.strerror}") from error
    found = os.fstat(source)
    if (found.st_dev, found.st_ino) != (before.st_dev, before.st_ino) or found.st_size > CSV_BYTES:
        os.close(source)
        raise HostileOutput(f"it is {show_size(found.st_size)}, more than {show_size(CSV_BYTES)}")
    return source


def _beside(others: list[str]) -> str:
    if not others:
        return "the submission folder is empty"
    shown = ", ".join(repr(name[:60]) for name in others[:5])
    return f"the submission folder holds {shown}{' …' if len(others) > 5 else ''}"


def _copy(source: int, path: Path) -> Collected:
    digest, size = hashlib.sha256(), 0
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(target, "wb") as file:
        while chunk := os.read(source, CHUNK_BYTES):
            digest.update(chunk)
            size += file.write(chunk)
            if size > CSV_BYTES:
                raise HostileOutput(f"it grew past {show_size(CSV_BYTES)} while it was fetched")
    return Collected(size, digest.hexdigest())
