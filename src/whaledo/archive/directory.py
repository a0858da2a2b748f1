"""The zip format, read strictly: the end record, the central directory and the header before each member.

A zip says most things twice, and programs differ in which they believe; every such pair has to agree here, so
that what was looked at is what any program would unpack. Damage that makes the rest unreadable is raised at
once; what is wrong with single members is left to `rules`.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from whaledo.archive.listing import ArchiveLimits, shown
from whaledo.archive.records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    EXTRA,
    FULL16,
    FULL32,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
    SIZES_FOLLOW_FLAG,
    UNICODE_PATH_EXTRA,
    ZIP64_EXTRA,
)
from whaledo.archive.rules import REMAKE
from whaledo.errors import BadArchive, MachineError, Problem, UsageError
from whaledo.units import show_size

_MAX_COMMENT = 0xFFFF
_GIT_LFS = "fetch the file itself with `git lfs pull`"
_DOWNLOAD = "download or copy it again"
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x8b", "a gzip file, perhaps a .tar.gz", ""),
    (0, b"BZh", "a bzip2 file", ""),
    (0, b"\xfd7zXZ\0", "an xz file", ""),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", ""),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", ""),
    (0, b"Rar!\x1a\x07", "a RAR archive", ""),
    (257, b"ustar", "a tar archive", ""),
    (0, b"PK\x07\x08", "one part of a split zip", ""),
    (0, b"version https://git-lfs.github.com/", "a Git LFS pointer, not the file it points to", _GIT_LFS),
    (0, b"%PDF", "a PDF", ""),
    (0, b"\x89PNG", "a PNG image", ""),
    (0, b"\xff\xd8\xff", "a JPEG image", ""),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the central directory has it, unchecked.

    Attributes:
        raw_name: the bytes of its name.
        flags: general purpose bits.
        method: how its contents are compressed.
        crc: checksum of its contents.
        compressed_bytes: its contents in the zip.
        size_bytes: its contents unpacked.
        mode: the Unix mode, 0 if none is given.
        header_offset: where its local header begins in the zip.
    """

    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed_bytes: int
    size_bytes: int
    mode: int
    header_offset: int


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where the central directory lies and how many members it lists."""

    offset: int
    size_bytes: int
    members: int


class ZipBytes:
    """A zip file, open for reading at any place.

    Attributes:
        name: the file as the person named it, fit for the screen.
        fd: its descriptor: everything is read through it, so the file can't be exchanged in between.
        size_bytes: its size.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            UsageError: there is no such file, or it may not be read.
            BadArchive: it is a folder, or no file at all.
        """
        self.name = shown(str(path))
        try:
            # Opening a named pipe would wait for a writer otherwise.
            self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            hint = f"make it with `whaledo pack FOLDER -o {self.name}`"
            raise UsageError(f"there is no {self.name}", hint=hint) from None
        except OSError as error:
            raise UsageError(f"{self.name} can't be read: {error.strerror}") from None
        status = os.fstat(self.fd)
        self.size_bytes = status.st_size
        if not stat.S_ISREG(status.st_mode):
            self.close()
            if stat.S_ISDIR(status.st_mode):
                hint = f"pack it first: `whaledo pack {self.name}`"
                raise BadArchive(f"{self.name} is a folder, not a zip", hint=hint)
            raise BadArchive(f"{self.name} is not a file")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset`.

        Raises:
            BadArchive: the file ends before that.
            MachineError: the file can't be read.
        """
        pieces = []
        while count > 0:
            if offset + count > self.size_bytes:
                raise self.bad("is cut short", hint=_DOWNLOAD)
            try:
                piece = os.pread(self.fd, count, offset)
            except OSError as error:
                raise MachineError(f"{self.name} can't be read: {error.strerror}") from None
            if not piece:
                raise self.bad("became shorter while it was read")
            pieces.append(piece)
            offset += len(piece)
            count -= len(piece)
        return b"".join(pieces)

    def bad(self, what: str, *, member: bytes | None = None, hint: str = REMAKE) -> BadArchive:
        """The error for what is wrong with the file, or with one member of it."""
        if member is None:
            return BadArchive(f"{self.name} {what}", hint=hint)
        name = shown(member)
        return BadArchive(f"{self.name} can't be opened safely: {name} {what}", hint=hint, member=name)


def read_directory(archive: ZipBytes, limits: ArchiveLimits) -> tuple[list[Entry], int]:
    """Read the central directory.

    Returns:
        The members in the directory's order, and where in the file it begins.

    Raises:
        BadArchive: not a zip, damaged, or a directory beyond the limits.
    """
    directory = _find_directory(archive)
    if directory.members > limits.members:
        text = f"lists {directory.members:,} members: {limits.members:,} are allowed"
        raise archive.bad(text, hint="pack many small files into one, such as a .npz")
    if directory.size_bytes > limits.directory_bytes:
        text = f"has a list of names of {show_size(directory.size_bytes)}"
        raise archive.bad(
            f"{text}: {show_size(limits.directory_bytes)} are allowed", hint="shorten the names"
        )
    data = archive.read_at(directory.offset, directory.size_bytes)
    entries = list(_entries(archive, data, directory.members))
    return entries, directory.offset


def _find_directory(archive: ZipBytes) -> _Directory:
    tail_bytes = min(archive.size_bytes, END.size + _MAX_COMMENT)
    tail_offset = archive.size_bytes - tail_bytes
    tail = archive.read_at(tail_offset, tail_bytes)
    ends = list(_ends(tail))
    if not ends:
        raise _not_a_zip(archive, has_end=END_SIGNATURE in tail)
    if len(ends) > 1:
        raise archive.bad("has two ends, so that programs differ in what they find in it")
    position = tail_offset + ends[0]
    _, disk, first_disk, here, members, size_bytes, offset, _ = END.unpack_from(tail, ends[0])
    found = _Directory(offset, size_bytes, members)
    if (wide := _find_zip64(archive, position)) is not None:
        position, disks, found64 = wide
        pairs = ((members, found64.members, FULL16), (size_bytes, found64.size_bytes, FULL32))
        for narrow, long, full in (*pairs, (offset, found64.offset, FULL32)):
            if narrow not in {long, full}:
                raise archive.bad("says two different things about where its directory is (zip64)")
        disk, first_disk, here, found = *disks, found64
    if disk or first_disk or here != found.members:
        raise archive.bad("is one part of a split zip", hint="pack it as one file")
    if found.offset + found.size_bytes != position:
        raise archive.bad("is damaged: its directory is not where its end says", hint=_DOWNLOAD)
    return found


def _ends(tail: bytes) -> Iterator[int]:
    """Where end records lie whose comment closes exactly with the file."""
    position = tail.find(END_SIGNATURE)
    while position >= 0:
        rest = len(tail) - position - END.size
        if rest >= 0 and END.unpack_from(tail, position)[-1] == rest:
            yield position
        position = tail.find(END_SIGNATURE, position + 1)


def _find_zip64(archive: ZipBytes, end: int) -> tuple[int, tuple[int, int, int], _Directory] | None:
    """The zip64 end record before the end record at `end`: where it lies, disk numbers, what it says."""
    if end < LOCATOR.size:
        return None
    locator = end - LOCATOR.size
    signature, disk, offset, disks = LOCATOR.unpack(archive.read_at(locator, LOCATOR.size))
    if signature != LOCATOR_SIGNATURE:
        return None
    if offset + END64.size > locator:
        raise archive.bad("is damaged: its zip64 end is not where it should be", hint=_DOWNLOAD)
    signature, length, _, _, here_disk, first_disk, here, members, size_bytes, directory = END64.unpack(
        archive.read_at(offset, END64.size)
    )
    if signature != END64_SIGNATURE or offset + 12 + length != locator or disk or disks > 1:
        raise archive.bad("is damaged: its zip64 end is not where it should be", hint=_DOWNLOAD)
    return offset, (here_disk, first_disk, here), _Directory(directory, size_bytes, members)


def _entries(archive: ZipBytes, data: bytes, members: int) -> Iterator[Entry]:
    position = 0
    for _ in range(members):
        if position + CENTRAL.size > len(data):
            raise archive.bad("is damaged: it lists fewer members than it says")
        fields = CENTRAL.unpack_from(data, position)
        signature, _, _, flags, method, _, _, crc, compressed, size, name_len, extra_len, comment_len = (
            fields[:13]
        )
        disk, _, attributes, offset = fields[13:]
        name_at = position + CENTRAL.size
        extra_at = name_at + name_len
        position = extra_at + extra_len + comment_len
        if signature != CENTRAL_SIGNATURE or position > len(data):
            raise archive.bad("is damaged: its directory can't be read")
        name = data[name_at:extra_at]
        extra = _extra_fields(archive, name, data[extra_at : extra_at + extra_len])
        size, compressed, offset = _widened(archive, name, extra, (size, compressed, offset))
        if disk not in {0, FULL16}:
            raise archive.bad("is in another part of a split zip", member=name)
        _check_unicode_path(archive, name, extra)
        yield Entry(name, flags, method, crc, compressed, size, attributes >> 16, offset)
    if position != len(data):
        raise archive.bad("is damaged: it lists more members than it says")


def _extra_fields(archive: ZipBytes, name: bytes, extra: bytes) -> dict[int, bytes]:
    """The extra fields of a header by their number. Up to three bytes at the end are padding, as aligners write."""
    fields: dict[int, bytes] = {}
    position = 0
    while position + EXTRA.size <= len(extra):
        number, length = EXTRA.unpack_from(extra, position)
        position += EXTRA.size
        if position + length > len(extra) or (number == ZIP64_EXTRA and number in fields):
            raise archive.bad("has a damaged extra field", member=name)
        fields[number] = extra[position : position + length]
        position += length
    return fields


def _widened(
    archive: ZipBytes, name: bytes, extra: dict[int, bytes], values: tuple[int, ...]
) -> tuple[int, ...]:
    """The 32-bit values of a header, those that are full replaced by their zip64 values, in order."""
    if ZIP64_EXTRA not in extra:
        return values
    wide = extra[ZIP64_EXTRA]
    position = 0
    widened = []
    for value in values:
        if value == FULL32:
            if position + 8 > len(wide):
                raise archive.bad("has sizes that disagree (zip64)", member=name)
            value = int.from_bytes(wide[position : position + 8], "little")
            position += 8
        widened.append(value)
    return tuple(widened)


def _check_unicode_path(archive: ZipBytes, name: bytes, extra: dict[int, bytes]) -> None:
    """A second name in UTF-8, which some programs believe, has to be the same as the first."""
    field = extra.get(UNICODE_PATH_EXTRA)
    if field is None or field[5:] == name:
        return
    # Its checksum says which first name it belongs to; with another one, programs leave it unread.
    if field[1:5] == zlib.crc32(name).to_bytes(4, "little"):
        raise archive.bad(f"has a second name, {shown(field[5:])}", member=name)


def contents_offset(archive: ZipBytes, entry: Entry, directory_offset: int) -> int | Problem:
    """Where a member's contents begin, after its local header, or in what that header disagrees."""
    file = shown(entry.raw_name)
    if entry.header_offset + LOCAL.size + len(entry.raw_name) > directory_offset:
        return Problem("local_header", "lies outside the contents of the zip", file=file)
    header = archive.read_at(entry.header_offset, LOCAL.size)
    signature, _, flags, method, _, _, crc, compressed, size, name_len, extra_len = LOCAL.unpack(header)
    if signature != LOCAL_SIGNATURE:
        return Problem("local_header", "has no header where the zip says", file=file)
    rest = archive.read_at(entry.header_offset + LOCAL.size, name_len + extra_len)
    name = rest[:name_len]
    if name != entry.raw_name:
        return Problem("local_header", f"is called {shown(name)} in its own header", file=file)
    if method != entry.method or (flags ^ entry.flags) & 1:
        return Problem("local_header", "is coded another way by its own header", file=file)
    if not flags & SIZES_FOLLOW_FLAG:
        extra = _extra_fields(archive, name, rest[name_len:])
        size, compressed = _widened(archive, name, extra, (size, compressed))
        if (crc, compressed, size) != (entry.crc, entry.compressed_bytes, entry.size_bytes):
            return Problem("local_header", "has another size or checksum in its own header", file=file)
    return entry.header_offset + LOCAL.size + len(rest)


def _not_a_zip(archive: ZipBytes, *, has_end: bool) -> BadArchive:
    if archive.size_bytes == 0:
        return archive.bad("is not a zip: it is an empty file", hint=_DOWNLOAD)
    if has_end:
        return archive.bad("is damaged: bytes were added after its end, or are missing there", hint=_DOWNLOAD)
    head = archive.read_at(0, min(archive.size_bytes, 1024))
    if head.startswith(LOCAL_SIGNATURE):
        return archive.bad("is cut short: the directory at its end is missing", hint=_DOWNLOAD)
    what, hint = looks_like(head)
    return archive.bad(f"is not a zip: it looks like {what}", hint=hint or REMAKE)


def looks_like(head: bytes) -> tuple[str, str]:
    """What a file that isn't a zip seems to be, by its first bytes, and what to do about it if that is special."""
    for offset, signature, what, hint in _SIGNATURES:
        if head.startswith(signature, offset):
            return what, hint
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page, perhaps a login or error page instead of the file", _DOWNLOAD
    if not head.strip(b"\0"):
        return "nothing but zero bytes, as an interrupted download leaves", _DOWNLOAD
    if b"\0" not in head and _is_text(head):
        return "a text file", ""
    return f"something else: it begins with the bytes {head[:8].hex(' ')}", ""


def _is_text(head: bytes) -> bool:
    # The last character may be cut in two.
    return any(_decodes(head[: len(head) - cut]) for cut in range(4))


def _decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
