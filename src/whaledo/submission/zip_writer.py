"""Write a zip whose bytes depend on nothing but what is packed: no times, no owners, no order of a disk.

Files are read in pieces and never held whole. What a few samples show to be incompressible (weights, images) is
stored, which is many times as fast and makes the zip hardly bigger; the rest is deflated. Deflating is the one
thing that isn't the same everywhere: zlib and its successors find different, equally good encodings. With
`store` nothing is deflated, and then the zip is the same bytes on every machine. The standard library's
`zipfile` isn't used to write: what it puts into headers has changed between releases of Python.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from whaledo.archive import shown
from whaledo.archive.records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    FULL16,
    FULL32,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
    STORED,
    UTF8_FLAG,
    ZIP64_EXTRA,
)
from whaledo.errors import BadSubmission
from whaledo.submission.folder import Source

CHUNK_BYTES = 1 << 20
SAMPLES = 16
SAMPLE_BYTES = 16 << 10
WORTH_DEFLATING = 0.75
"""Deflate what gets smaller than this. Weights reach 0.93, as bfloat16 0.80, both at 10 to 20 MB/s: not worth it."""

ZIP64_FROM = FULL32
"""Sizes and offsets from here on are written as zip64, smaller ones never."""

_LEVEL = 6
_VERSION, _VERSION64 = 20, 45
_UNIX = 3
_TIME, _DATE = 0, 1 << 5 | 1
"""Midnight of 1 January 1980, the first moment that a zip knows."""
_FOLDER, _FILE, _PROGRAM = 0o40755 << 16 | 0x10, 0o100644 << 16, 0o100755 << 16


@dataclass(frozen=True, slots=True)
class _Header:
    """What both headers of a member say about it."""

    name: bytes
    attributes: int
    method: int
    offset: int
    wide: bool
    size_bytes: int
    crc: int = 0
    compressed_bytes: int = 0

    def local(self) -> bytes:
        """The header before the contents; as long before they are written as afterwards."""
        extra = _zip64_extra(self.size_bytes, self.compressed_bytes) if self.wide else b""
        sizes = (FULL32, FULL32) if self.wide else (self.compressed_bytes, self.size_bytes)
        record = LOCAL.pack(LOCAL_SIGNATURE, *self._shared(self.wide), *sizes, len(self.name), len(extra))
        return record + self.name + extra

    def central(self) -> bytes:
        """The header in the directory."""
        values = (self.size_bytes, self.compressed_bytes, self.offset)
        long = [value for value in values if value >= ZIP64_FROM]
        extra = _zip64_extra(*long) if long else b""
        size, compressed, offset = map(_narrow, values)
        version = _UNIX << 8 | (_VERSION64 if long else _VERSION)
        shared = self._shared(bool(long))
        lengths = (len(self.name), len(extra), 0, 0, 0)
        record = CENTRAL.pack(
            CENTRAL_SIGNATURE, version, *shared, compressed, size, *lengths, self.attributes, offset
        )
        return record + self.name + extra

    def _shared(self, wide: bool) -> tuple[int, ...]:
        return (_VERSION64 if wide else _VERSION, UTF8_FLAG, self.method, _TIME, _DATE, self.crc)


def write_zip(
    file: BinaryIO, sources: Iterable[Source], *, store: bool, on_bytes: Callable[[int], None]
) -> None:
    """Write the sources in the order given.

    Args:
        file: empty, open for writing at any place.
        sources: what goes in.
        store: deflate nothing.
        on_bytes: told the number of bytes after each piece of a file.

    Raises:
        BadSubmission: a file is gone or changed its size meanwhile.
        OSError: the zip can't be written.
    """
    headers = [_write_member(file, source, store, on_bytes) for source in sources]
    start = file.tell()
    file.writelines(header.central() for header in headers)
    file.write(_end(len(headers), start, file.tell()))


def _write_member(file: BinaryIO, source: Source, store: bool, on_bytes: Callable[[int], None]) -> _Header:
    member, offset = source.member, file.tell()
    name = member.name.encode()
    if source.path is None:
        header = _Header(name + b"/", _FOLDER, STORED, offset, wide=False, size_bytes=0)
        file.write(header.local())
        return header
    attributes = _PROGRAM if member.executable else _FILE
    # Deflating can make contents longer than they were, by a few bytes in ten thousand.
    wide = member.size_bytes + member.size_bytes // 1000 >= ZIP64_FROM
    with _opened(source.path, name) as content:
        deflate = not store and is_worth_deflating(content, member.size_bytes)
        method = DEFLATED if deflate else STORED
        header = _Header(name, attributes, method, offset, wide, member.size_bytes)
        file.write(header.local())
        begin, crc = file.tell(), 0
        packer = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS) if deflate else None
        for piece in _pieces(content, header):
            crc = zlib.crc32(piece, crc)
            file.write(packer.compress(piece) if packer else piece)
            on_bytes(len(piece))
        if packer:
            file.write(packer.flush())
    end = file.tell()
    header = _Header(name, attributes, method, offset, wide, member.size_bytes, crc, end - begin)
    file.seek(offset)
    file.write(header.local())
    file.seek(end)
    return header


def _opened(path: Path, name: bytes) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _changed(name) from error


def _changed(name: bytes) -> BadSubmission:
    hint = "pack again once nothing writes to the folder"
    return BadSubmission(f"{shown(name)} changed while it was packed", hint=hint)


def _pieces(content: BinaryIO, header: _Header) -> Iterator[bytes]:
    left = header.size_bytes
    while left >= 0 and (piece := content.read(CHUNK_BYTES)):
        left -= len(piece)
        yield piece
    if left:
        raise _changed(header.name)


def is_worth_deflating(content: BinaryIO, size_bytes: int) -> bool:
    """Whether pieces from all over a file get notably smaller; leaves the file at its beginning."""
    step = max(SAMPLE_BYTES, size_bytes // SAMPLES)
    read, packed = 0, 0
    for offset in range(0, size_bytes, step):
        content.seek(offset)
        piece = content.read(SAMPLE_BYTES)
        read += len(piece)
        packed += len(zlib.compress(piece, _LEVEL))
    content.seek(0)
    return packed < WORTH_DEFLATING * read


def _narrow(value: int) -> int:
    return FULL32 if value >= ZIP64_FROM else value


def _zip64_extra(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", ZIP64_EXTRA, 8 * len(values), *values)


def _end(members: int, start: int, end: int) -> bytes:
    counts, place = (members, members), (end - start, start)
    wide = b""
    if members >= FULL16 or max(place) >= ZIP64_FROM:
        version = (_UNIX << 8 | _VERSION64, _VERSION64)
        length = END64.size - 12
        wide = END64.pack(END64_SIGNATURE, length, *version, 0, 0, *counts, *place)
        wide += LOCATOR.pack(LOCATOR_SIGNATURE, 0, end, 1)
    narrow = (*(min(count, FULL16) for count in counts), *map(_narrow, place))
    return wide + END.pack(END_SIGNATURE, 0, 0, *narrow, 0)
