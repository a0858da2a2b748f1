"""Unpack a zip into an empty folder, believing nothing that it says about itself.

Every byte is counted as it comes, against the size that was checked before; checksums have to be right; modes
and times are ours. Files are opened one folder after the other by descriptor, never through a link and never
over something that is there, so nothing can be written outside. If anything fails the folder is emptied: code
that is half there is not run. Times are all the same, 1980 as in the zips that whaledo makes, so that a run
can't depend on when it was unpacked.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from whaledo.archive.directory import ZipBytes
from whaledo.archive.inspection import Content, survey
from whaledo.archive.listing import ArchiveLimits, ArchiveListing
from whaledo.archive.records import DEFLATED
from whaledo.errors import MachineError
from whaledo.units import show_size

CHUNK_BYTES = 1 << 20
UNPACKED_TIME_S = 315532800
"""1 January 1980 in UTC, in seconds since 1970."""


def extract_archive(path: Path, folder: Path, limits: ArchiveLimits | None = None) -> ArchiveListing:
    """Check a zip as `inspect_archive` does, then unpack it.

    Args:
        path: the zip.
        folder: an empty folder that nobody else may write to.
        limits: how much the zip may hold.

    Returns:
        What was unpacked: files with mode 0644, or 0755 if executable, and folders with mode 0755.

    Raises:
        BadArchive: the zip is refused or damaged; the folder is empty again.
        UsageError: there is no such zip, or it may not be read.
        MachineError: no room, or the folder can't be used; what had been written is gone again.
    """
    with ZipBytes(path) as archive:
        found = survey(archive, limits or ArchiveLimits())
        with _opened(folder) as root:
            needed_bytes = found.listing.total_bytes
            free = os.fstatvfs(root)
            if needed_bytes > free.f_bavail * free.f_frsize:
                raise _no_room(archive.name, folder, needed_bytes)
            try:
                with closing(_Tree(root)) as tree:
                    for content in found.contents:
                        _unpack(archive, content, tree)
            except OSError as error:
                _empty(root)
                if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                    raise _no_room(archive.name, folder, needed_bytes) from None
                reason = error.strerror or str(error)
                raise MachineError(f"{archive.name} can't be unpacked into {folder}: {reason}") from error
            except BaseException:
                _empty(root)
                raise
    return found.listing


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """The descriptor of the folder to fill."""
    try:
        root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise MachineError(f"{folder} can't be unpacked into: {error.strerror}") from None
    try:
        _require_private_and_empty(root, folder)
        yield root
    finally:
        os.close(root)


def _require_private_and_empty(root: int, folder: Path) -> None:
    if os.fstat(root).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise MachineError(f"{folder} can't be unpacked into: other users may write to it")
    if os.listdir(root):
        raise MachineError(f"{folder} can't be unpacked into: it isn't empty")


def _empty(root: int) -> None:
    for name in os.listdir(root):
        if stat.S_ISDIR(os.stat(name, dir_fd=root, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=root)
        else:
            os.unlink(name, dir_fd=root)


def _no_room(archive: str, folder: Path, needed_bytes: int) -> MachineError:
    return MachineError(
        f"there is no room to unpack {archive}: {show_size(needed_bytes)} are needed in {folder}",
        hint="free some space there",
    )


class _Tree:
    """The folder that is being filled; its folders are made as they are needed.

    Members mostly come folder by folder, so the last folder is kept open.
    """

    def __init__(self, root: int) -> None:
        self.root = root
        self.name = ""
        self.fd = os.dup(root)

    def enter(self, name: str) -> int:
        """The descriptor of the folder `name`, open until the next call."""
        if name != self.name:
            self.close()
            self.name, self.fd = "", os.dup(self.root)
            for part in name.split("/") if name else ():
                inner = _folder(self.fd, part)
                self.close()
                self.fd = inner
            self.name = name
        return self.fd

    def close(self) -> None:
        """Close the folder that is open."""
        os.close(self.fd)


def _folder(parent: int, name: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, 0o755, dir_fd=parent)
    made = os.open(name, flags, dir_fd=parent)
    os.fchmod(made, 0o755)
    return made


def _unpack(archive: ZipBytes, content: Content, tree: _Tree) -> None:
    name = content.member.name
    if content.member.is_folder:
        tree.enter(name)
        return
    folder, _, last = name.rpartition("/")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(last, flags, 0o600, dir_fd=tree.enter(folder)), "wb") as file:
        for chunk in _checked(archive, content):
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), 0o755 if content.member.executable else 0o644)
        os.utime(file.fileno(), (UNPACKED_TIME_S, UNPACKED_TIME_S))


def _checked(archive: ZipBytes, content: Content) -> Iterator[bytes]:
    """The contents, piece by piece, as long as they are what the zip claims."""
    entry = content.entry
    size_bytes, crc = 0, 0
    for chunk in _inflated(archive, content) if entry.method == DEFLATED else _raw(archive, content):
        size_bytes += len(chunk)
        crc = zlib.crc32(chunk, crc)
        if size_bytes > entry.size_bytes:
            text = f"unpacks to more than the {show_size(entry.size_bytes)} that the zip claims"
            raise archive.bad(text, member=entry.raw_name)
        yield chunk
    if size_bytes < entry.size_bytes:
        text = f"holds only {show_size(size_bytes)} of the {show_size(entry.size_bytes)} that the zip claims"
        raise archive.bad(text, member=entry.raw_name)
    if crc != entry.crc:
        raise archive.bad("is damaged: its checksum is wrong", member=entry.raw_name)


def _raw(archive: ZipBytes, content: Content) -> Iterator[bytes]:
    end = content.offset + content.entry.compressed_bytes
    for offset in range(content.offset, end, CHUNK_BYTES):
        yield archive.read_at(offset, min(CHUNK_BYTES, end - offset))


def _inflated(archive: ZipBytes, content: Content) -> Iterator[bytes]:
    """Unpacked pieces, none longer than `CHUNK_BYTES` however densely they are packed."""
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    name = content.entry.raw_name
    try:
        for chunk in _raw(archive, content):
            data = chunk
            while piece := inflate.decompress(data, CHUNK_BYTES):
                yield piece
                data = inflate.unconsumed_tail
            if inflate.eof and (inflate.unused_data or inflate.unconsumed_tail):
                raise archive.bad("is followed by bytes that belong to nothing", member=name)
    except zlib.error as error:
        raise archive.bad(f"is damaged: {error}", member=name) from None
    if not inflate.eof:
        raise archive.bad("is damaged: its compressed contents end too early", member=name)
