"""Read the small text files that people make: CSV tables, and lists of one id a line.

Whatever the bytes are, reading them collects problems, each with the physical line where its record starts, and
raises nothing. Reading goes on past a problem as well as it can, so that a table may come back although it must
be refused: ask `problems.errors` before using it. Values are text, always: nothing here turns `001` into 1 or
`NA` into nothing. What the ids mean is for others to check.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from whaledo.challenge.problems import counted, listed, nearest, problem, shown
from whaledo.errors import Problems

SAVE_AS_UTF8 = "save it as UTF-8; in Excel as 'CSV UTF-8 (Comma delimited)'"

OTHER_FORMATS = (
    (b"pk\x03\x04", "a zip archive or an Excel workbook", "unzip it, or save it from Excel as 'CSV UTF-8'"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it with gunzip"),
    (b"<!doctype html", "a web page", "download it again: a login or an error page came instead of the file"),
    (b"<html", "a web page", "download it again: a login or an error page came instead of the file"),
    (b"version https://git-lfs", "a Git LFS pointer", "get the file itself with `git lfs pull`"),
)
"""How a file of another kind begins (in lower case), what it is, and what to do."""

MAX_BYTES = 64 * 1024**2
"""The largest file that is read: half a million photographs take less."""

Value = TypeVar("Value", str, list[str])


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file, read.

    Attributes:
        path: the file.
        columns: the names in its first line, in file order.
        rows: the values of each row, one a column.
        lines: the 1-based physical line where each row starts.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]

    def select(self, *names: str) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Each row's line, and its values of the columns `names`, in that order."""
        places = [self.columns.index(name) for name in names]
        for line, row in zip(self.lines, self.rows, strict=True):
            yield line, tuple(row[place] for place in places)


def read_table(
    path: Path, problems: Problems, *, required: Sequence[str], may_be_empty: Sequence[str] = ()
) -> Table | None:
    """Read a CSV file whose columns `required` hold ids or paths.

    Args:
        path: the file; problems name it as it is given here.
        problems: where to add what is wrong.
        required: columns that must be there, with a clean value (no blanks around it, nothing invisible) in
            every row. Values come back without the blanks that they shouldn't have.
        may_be_empty: columns whose values must be clean too, if the column is there and the value not empty.

    Returns:
        The table, or None where no columns could be made out. A row with too few or too many values is filled
        up or cut.
    """
    text = read_text(path, problems)
    if text is None:
        return None
    records = list(_without_blank_lines(_records(text, path, problems), path, problems))
    if not records:
        wanted = ",".join(required)
        problems.add(problem("empty_file", "the file is empty", hint=f"it starts with: {wanted}", file=path))
        return None
    header_line, header = records.pop(0)
    if (separator := _other_separator(header, required)) is not None:
        said = f"the columns are separated by {separator!r}, not by ','"
        hint = "save it with commas; Excel takes the separator from the computer's region"
        problems.add(problem("missing_column", said, hint=hint, file=path, line=header_line))
        return None
    usable = _check_header(header, header_line, path, required, problems)
    ids = [(header.index(name), name, False) for name in required if name in header]
    ids += [(header.index(name), name, True) for name in may_be_empty if name in header]
    rows = [_check_row(row, line, len(header), ids, path, problems) for line, row in records]
    return Table(path, tuple(header), rows, [line for line, _ in records]) if usable else None


def read_ids(path: Path, problems: Problems) -> list[tuple[int, str]] | None:
    """Read a text file of one id a line, without a header.

    Returns:
        Each id with its 1-based line, or None where the file can't be read.
    """
    text = read_text(path, problems)
    if text is None:
        return None
    plain = text.removesuffix("\n").split("\n")
    if "".join(plain).isprintable() and " " not in text and all(plain):
        return list(enumerate(plain, 1))
    lines = ((number, line.rstrip("\r\n")) for number, line in enumerate(io.StringIO(text, newline=""), 1))
    return [
        (line, cleaned)
        for line, value in _without_blank_lines(lines, path, problems)
        if (cleaned := _clean(value, "the id", path, line, problems))
    ]


def read_text(path: Path, problems: Problems) -> str | None:
    """The text of a UTF-8 file, without its byte order mark; None where there is no text to go on with.

    A line that isn't UTF-8 is a problem, and is read as Windows-1252 so that the rest can be checked.
    """
    try:
        if not path.exists():
            there = sorted(other.name for other in path.parent.iterdir() if not other.name.startswith("."))
            hint = f"{path.parent} holds {listed(there)}"
            problems.add(problem("missing_file", "the file isn't there", hint=hint, file=path))
            return None
        if not path.is_file():
            problems.add(problem("unreadable_file", "this must be a file, and it isn't", file=path))
            return None
        if (size := path.stat().st_size) > MAX_BYTES:
            said = f"the file has {size:,} bytes, and at most {MAX_BYTES // 1024**2} MiB are read"
            problems.add(problem("unreadable_file", said, hint="is this the right file?", file=path))
            return None
        raw = path.read_bytes()
    except OSError as error:
        problems.add(problem("unreadable_file", f"it can't be read: {error.strerror}", file=path))
        return None
    return _decoded(raw, path, problems)


def other_format(head: bytes) -> tuple[str, str] | None:
    """What a file that begins with these bytes is instead of what it should be, and what to do about it."""
    begin = head.lstrip()[:32].lower()
    for magic, what, hint in OTHER_FORMATS:
        if begin.startswith(magic):
            return what, hint
    return None


def _decoded(raw: bytes, path: Path, problems: Problems) -> str | None:
    if (other := other_format(raw[:64])) is not None:
        problems.add(problem("other_format", f"the file is {other[0]}", hint=other[1], file=path))
        return None
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or raw.count(0) > len(raw) // 4:
        said = "the file is UTF-16 text (Excel calls it 'Unicode text'), not UTF-8"
        problems.add(problem("undecodable_text", said, hint=SAVE_AS_UTF8, file=path))
        return None
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        lines = enumerate(raw.splitlines(keepends=True), 1)
        text = "".join(_decoded_line(line, number, path, problems) for number, line in lines)
    if "\0" in text:
        for number, line in enumerate(io.StringIO(text, newline=""), 1):
            if "\0" in line:
                said = "the line holds a NUL byte, which no text has"
                hint = "the file is damaged, or isn't text: make it anew"
                problems.add(problem("nul_byte", said, hint=hint, file=path, line=number))
        text = text.replace("\0", "")
    return text


def _decoded_line(raw: bytes, number: int, path: Path, problems: Problems) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        text = raw.decode("cp1252", errors="replace")
        said = f"byte 0x{raw[error.start]:02X}, number {error.start + 1} of the line, isn't UTF-8"
        guess = f"; the line may mean {shown(text.rstrip())}"
        problems.add(problem("undecodable_text", said + guess, hint=SAVE_AS_UTF8, file=path, line=number))
        return text


def _records(text: str, path: Path, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    # newline="" leaves line ends as they are, so that one inside quotes is kept and lines are counted right.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            said = "a quote is opened in this row and never closed"
            if "expected after" in str(error):
                said = "text stands right after a closing quote"
            hint = 'put the whole value in quotes, and double a quote inside it: "a ""b"" c"'
            problems.add(problem("broken_quotes", said, hint=hint, file=path, line=line))


def _without_blank_lines(
    records: Iterable[tuple[int, Value]], path: Path, problems: Problems
) -> Iterator[tuple[int, Value]]:
    """The records that hold something; a blank line is a problem unless only blank lines follow it."""
    blank: list[int] = []
    for line, record in records:
        if not record:
            blank.append(line)
            continue
        for number in blank:
            problems.add(problem("blank_line", "an empty line, skipped", file=path, line=number))
        blank.clear()
        yield line, record


def _other_separator(header: Sequence[str], required: Sequence[str]) -> str | None:
    """What separates the columns, where it isn't a comma and a needed column can be made out between it."""
    for mark in ";\t|":
        names = header[0].split(mark)
        if len(header) == 1 and len(names) > 1 and any(nearest(name, names) for name in required):
            return mark
    return None


def _check_header(
    header: Sequence[str], line: int, path: Path, required: Sequence[str], problems: Problems
) -> bool:
    """Whether the columns can be used; adds what is wrong with them."""
    missing = [name for name in required if name not in header]
    for name in missing:
        meant = nearest(name, (other for other in header if other not in required))
        said = f"column {name!r} is missing; there is {listed(header)}"
        hint = f"the first line must be: {','.join(required)}"
        if meant is not None:
            hint = f"rename {shown(meant)} to {name!r}"
        problems.add(problem("missing_column", said, hint=hint, file=path, line=line))
    repeated = [name for name, number in Counter(header).items() if number > 1 and name]
    for name in repeated:
        places = [str(place) for place, other in enumerate(header, 1) if other == name]
        said = f"column {shown(name)} stands {len(places)} times: columns {', '.join(places)}"
        problems.add(problem("repeated_column", said, hint="keep one of them", file=path, line=line))
    return not missing and not repeated


def _check_row(
    row: list[str],
    line: int,
    width: int,
    ids: Sequence[tuple[int, str, bool]],
    path: Path,
    problems: Problems,
) -> list[str]:
    """The row with clean ids, as wide as the table; `ids` are place, column, and whether it may be empty."""
    if len(row) != width:
        said = f"the row has {counted(len(row), 'value')} where there are {counted(width, 'column')}"
        hint = (
            "a value that holds a comma needs quotes" if len(row) > width else "each column needs its comma"
        )
        problems.add(problem("ragged_row", f"{said}: {listed(row, 4)}", hint=hint, file=path, line=line))
        return (row + [""] * width)[:width]
    for place, name, may_be_empty in ids:
        if row[place].strip() or not may_be_empty:
            row[place] = _clean(row[place], name, path, line, problems)
        else:
            row[place] = ""
    return row


def _clean(value: str, name: str, path: Path, line: int, problems: Problems) -> str:
    """The value without blanks around it, once what is wrong with it is said."""
    cleaned = value.strip()
    if cleaned == value != "" and value.isprintable():
        return value
    if not cleaned:
        problems.add(problem("empty_value", f"{name} is empty", file=path, line=line))
    elif cleaned != value:
        said = f"{name} has blanks around it: {shown(value)}"
        problems.add(problem("blanks_around", said, hint=f"write {shown(cleaned)}", file=path, line=line))
    if not cleaned.isprintable():
        bad = next(character for character in cleaned if not character.isprintable())
        said = f"{name} holds the invisible character U+{ord(bad):04X}: {shown(cleaned)}"
        problems.add(problem("unprintable_character", said, hint="remove it", file=path, line=line))
    return cleaned
