"""Open a big CSV file: its bytes, the names in its first line, and the physical line of each row.

What comes in may be anything, from a workbook to a file of 3 GB or one of a million columns: all of that is told
before it takes memory. The bytes lie in memory of pyarrow's own, because its threads may still let go of them while
the interpreter is ending, and what belongs to Python must not be touched then. The rows themselves are read by
`columns.py`.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from whaledo.challenge.tables import SAVE_AS_UTF8, other_format
from whaledo.errors import SHOWN_PER_CODE, Problem, Problems

IntArray: TypeAlias = NDArray[np.int64]

MAX_BYTES = 256 * 1024**2
"""The largest file that is read: 100,000 queries of 20 rows take less than half of it."""

MAX_LINES = 5_000_000
"""The most lines that are read: 250,000 queries of 20 rows. The worst that they can hold takes 2 GB."""

MAX_HEADER_BYTES = 64 * 1024
"""The longest first line: whoever writes a million columns is told so before they are made."""

UNCLOSED = "is a quote opened here and never closed?"
"""What to look for where rows run together."""

_SMALLEST_ROW_BYTES = 6
_AT_ONCE = 256 * 1024


@dataclass(slots=True)
class Lines:
    """The physical line of each row, counted only when it is asked for.

    Attributes:
        data: the whole file, without its byte order mark.
        start: where in `data` the first row begins.
        first: the line, from 1, where the first row begins.
        skipped: which rows of the file, from 0, didn't make it into the columns; in order.
    """

    data: pa.Buffer
    start: int
    first: int
    skipped: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    _plain: IntArray | None = None
    _quoted: array[int] = field(default_factory=lambda: array("q"))
    _following: Iterator[int] | None = None

    @property
    def quoted(self) -> bool:
        """Whether there are quotes in the rows."""
        return holds(self.data, '"', self.start)

    @property
    def text(self) -> str:
        """All rows, with U+FFFD for what isn't UTF-8."""
        return self.data.slice(self.start).to_pybytes().decode(errors="replace")

    def of(self, row: int) -> int | None:
        """The line where a row of the columns begins; None where broken quotes hide it."""
        # A skipped row at or before the place moves it on by one, which may bring the next one into reach.
        reach = self.skipped - np.arange(len(self.skipped))
        return self.of_record(row + int(np.searchsorted(reach, row, side="right")))

    def of_record(self, record: int) -> int | None:
        """The line where a row of the file begins, skipped rows counted."""
        if self._following is None and self._plain is None:
            if self.quoted:
                self._following = _quoted_lines(self)
            else:
                self._plain = _plain_lines(self)
        counted: Sequence[int] | IntArray = self._quoted if self._plain is None else self._plain
        if self._following is not None:
            # Quotes can only be followed row by row, so no further than to the row that is asked for.
            self._quoted.extend(islice(self._following, max(0, record + 1 - len(self._quoted))))
        return int(counted[record]) + self.first if record < len(counted) else None

    def longest(self) -> int:
        """The line where the longest row begins."""
        if self.quoted:
            return max(_quoted_lines(self)) + self.first
        return int(np.diff(_ends(self)[0], prepend=-1).argmax()) + self.first


def _ends(lines: Lines) -> tuple[IntArray, NDArray[np.bool_]]:
    """Where each line below the header ends, and whether that end is a CRLF's second byte."""
    text = characters(lines.data)[lines.start :]
    line_feed, carriage_return = text == ord("\n"), text == ord("\r")
    of_crlf = np.zeros(len(text), np.bool_)
    of_crlf[1:] = carriage_return[:-1] & line_feed[1:]
    carriage_return[:-1] &= ~of_crlf[1:]
    ends = np.flatnonzero(line_feed | carriage_return)
    return np.append(ends, len(text)), np.append(of_crlf[ends], False)


def _plain_lines(lines: Lines) -> IntArray:
    """The line, from 0, of each row in a file without quotes: those that aren't empty."""
    ends, of_crlf = _ends(lines)
    return np.flatnonzero(np.diff(ends, prepend=-1) - 1 - of_crlf)


def _quoted_lines(lines: Lines) -> Iterator[int]:
    """The line, from 0, where each row begins in a file with quotes, as far as they can be followed."""
    reader = csv.reader(io.StringIO(lines.text, newline=""))
    line = 0
    try:
        for record in reader:
            if record:
                yield line
            line = reader.line_num
    except csv.Error:
        # A value longer than the reader takes: most likely a quote that is never closed.
        yield line


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV file whose first line has been read.

    Attributes:
        path: the file, as the person named it.
        header: the names in its first line.
        line: the line where the header stands.
        lines: where the rows below are.
    """

    path: Path
    header: tuple[str, ...]
    line: int
    lines: Lines


class _Refused(Exception):
    """The file can't be read at all."""

    def __init__(self, code: str, said: str, hint: str = "", line: int | None = None) -> None:
        super().__init__(said)
        self.code, self.said, self.hint, self.line = code, said, hint, line


def open_sheet(path: Path, problems: Problems, *, keep_nul: bool = False) -> Sheet | None:
    """Read a file, and the names of its columns; None where it has none, with the reason in `problems`.

    NUL bytes are a problem, and left out unless `keep_nul`.
    """
    try:
        data = _bytes(path)
        if not keep_nul and holds(data, "\0"):
            data = _without_nul(data, path, problems)
        header, line, start, next_line = _header(data)
    except _Refused as refused:
        problems.add(Problem(refused.code, refused.said, refused.hint, str(path), refused.line))
        return None
    return Sheet(path, header, line, Lines(data, start, next_line))


def owned(data: bytes) -> pa.Buffer:
    """A copy in memory of pyarrow's own."""
    copy = pa.allocate_buffer(len(data))
    memoryview(copy).cast("B")[:] = data
    return copy


def characters(data: pa.Buffer) -> NDArray[np.uint8]:
    """The bytes as numbers, without copying them."""
    return np.frombuffer(memoryview(data), np.uint8)


def holds(data: pa.Buffer, character: str, start: int = 0) -> bool:
    """Whether an ASCII character is in `data`, from `start` on."""
    text = characters(data)
    parts = (text[at : at + _AT_ONCE] for at in range(start, len(text), _AT_ONCE))
    return any((part == ord(character)).any() for part in parts)


def _bytes(path: Path) -> pa.Buffer:
    """The bytes of a text file, without its byte order mark."""
    try:
        if not path.exists():
            raise _Refused("missing_file", "the file isn't there")
        if not path.is_file():
            raise _Refused("unreadable_file", f"it is {'a folder' if path.is_dir() else 'no plain file'}")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                said = f"the file has {size:,} bytes, and at most {MAX_BYTES // 1024**2} MiB are read"
                raise _Refused(
                    "file_too_large", said, "a million rows take about 50 MB: is this the right file?"
                )
            whole = pa.allocate_buffer(size)
            # A file that grows under our hands isn't read further than it was long.
            data = whole.slice(0, file.readinto(memoryview(whole)))
    except OSError as error:
        raise _Refused("unreadable_file", f"it can't be read: {error.strerror}") from None
    head = data.slice(0, min(len(data), 4096)).to_pybytes()
    if (other := other_format(head[:64])) is not None:
        raise _Refused("other_format", f"the file is {other[0]}", other[1])
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head.count(0) > len(head) // 4:
        said = "the file is UTF-16 text (Excel: 'Unicode text'), not UTF-8"
        raise _Refused("undecodable_text", said, SAVE_AS_UTF8)
    if len(data) > MAX_LINES * _SMALLEST_ROW_BYTES:
        lines = np.count_nonzero(characters(data) == ord("\n"))
        if lines > MAX_LINES:
            said = f"the file has {lines:,} lines, and at most {MAX_LINES:,} are read"
            raise _Refused("file_too_large", said, "is this the right file?")
    return data.slice(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)


def _header(data: pa.Buffer) -> tuple[tuple[str, ...], int, int, int]:
    """The names in the first line; that line; the place of the first byte below it, and that byte's line."""
    first = data.slice(0, min(len(data), MAX_HEADER_BYTES)).to_pybytes()
    head = io.StringIO(first.decode("utf-8", "surrogateescape"), newline="")
    reader = csv.reader(head)
    record: list[str] = []
    line = 1
    try:
        for record in reader:
            if record:
                break
            line = reader.line_num + 1
    except csv.Error as error:
        raise _Refused("broken_quotes", f"the first line can't be read: {error}", UNCLOSED, line) from None
    start = len(head.getvalue()[: head.tell()].encode("utf-8", "surrogateescape"))
    if start == MAX_HEADER_BYTES < len(data):
        said = f"the first line is longer than {MAX_HEADER_BYTES // 1024} KiB"
        raise _Refused("row_too_long", said, "it holds the names of the columns, and nothing else", line)
    if not record:
        raise _Refused("empty_file", "the file is empty")
    header = tuple(name.encode("utf-8", "surrogateescape").decode(errors="replace") for name in record)
    return header, line, start, reader.line_num + 1


def _without_nul(data: pa.Buffer, path: Path, problems: Problems) -> pa.Buffer:
    raw = data.to_pybytes()
    places = np.flatnonzero(characters(data) == 0)
    said = "the line holds a NUL byte, which no text has"
    hint = "the file is damaged, or several processes wrote it at once: write it anew"
    lines = (1 + raw.count(b"\n", 0, int(place)) for place in places[:SHOWN_PER_CODE])
    report(problems, [Problem("nul_byte", said, hint, str(path), line) for line in lines], len(places))
    return owned(raw.replace(b"\0", b""))


def report(problems: Problems, found: Sequence[Problem], total: int) -> None:
    """Add the first problems of a kind, and count them as `total`."""
    for one in found[:-1]:
        problems.add(one)
    if found:
        problems.add(found[-1], total - len(found) + 1)
