"""Read big CSV files of ids, fast: a submission's rankings and files of labels, with millions of rows.

`tables.py` reads what people make by hand, row by row, and mends as it goes. This module reads what programs
write: whole columns at once with pyarrow, ids as text coded by first appearance, without a loop over rows. Only
when something is wrong does it go over the bytes again to say on which physical line; a good file never pays for
that. What the values mean is for others to check.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, TypeVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from whaledo.challenge.problems import counted, shown
from whaledo.challenge.sheet import UNCLOSED, IntArray, Lines, Sheet, holds, owned, report
from whaledo.challenge.tables import SAVE_AS_UTF8
from whaledo.errors import SHOWN_PER_CODE, Problem, Problems

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

Scalar = TypeVar("Scalar", np.int32, np.float64)

BLOCK_BYTES = 4 * 1024**2
"""How much is parsed at a time, and so the longest row that is surely taken."""

_NUMBER = r"^[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t]*$"
_TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Ids:
    """A column of ids, coded.

    Attributes:
        codes: shape (rows,): the place of each row's id in `names`.
        names: the distinct ids, in order of first appearance.
    """

    codes: IntArray
    names: pa.StringArray

    def __len__(self) -> int:
        return len(self.codes)

    def chosen(self, rows: BoolArray | IntArray) -> Ids:
        """The chosen rows only."""
        return Ids(self.codes[rows], self.names)

    def text(self, row: int) -> str:
        """The id in a row."""
        return str(self.names[int(self.codes[row])].as_py())

    def distinct(self) -> list[str]:
        """The distinct ids, in order of first appearance; don't change them."""
        return self._distinct

    @cached_property
    def _distinct(self) -> list[str]:
        return cast("list[str]", self.names.to_pylist())

    def texts(self) -> list[str]:
        """The ids of all rows."""
        names = self.distinct()
        return [names[code] for code in self.codes.tolist()]

    def rows_of(self, name: str) -> IntArray:
        """The rows that hold an id, in file order."""
        names = self.distinct()
        return np.flatnonzero(self.codes == names.index(name)) if name in names else np.empty(0, np.int64)


def ids_of(names: Iterable[str]) -> Ids:
    """Code a plain sequence of ids, which may repeat."""
    names = list(names)
    place = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.fromiter(map(place.__getitem__, names), np.int64, len(names))
    return Ids(codes, _strings(list(place)))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows in the order of their pairs of codes.

    Attributes:
        keys: shape (rows,), rising: the first code times `width`, plus the second.
        order: shape (rows,): the row of each key; rows with one key in file order.
        width: how many second codes there are.
    """

    keys: IntArray
    order: IntArray
    width: int

    @classmethod
    def of(cls, first: Ids, second: Ids) -> Pairs:
        """Sort the pairs of two columns; quick where the first is nearly in order."""
        width = len(second.names)
        keys = first.codes * width + second.codes
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order, width)

    def repeated(self) -> tuple[IntArray, IntArray]:
        """The rows whose pair stood in an earlier row, in file order, and for each the first such row."""
        is_again = self.keys[1:] == self.keys[:-1]
        if not is_again.any():
            return np.empty(0, np.int64), np.empty(0, np.int64)
        starts = np.concatenate([[True], ~is_again])
        first_row = self.order[starts][np.cumsum(starts) - 1]
        rows, firsts = self.order[~starts], first_row[~starts]
        in_file = np.argsort(rows)
        return rows[in_file], firsts[in_file]


def find(names: pa.StringArray, among: pa.StringArray) -> IntArray:
    """Where each of the distinct `names` stands in the distinct `among`; -1: nowhere."""
    # Unifying dictionaries is pyarrow's one join of strings that works without importing `pyarrow.compute`,
    # which alone would take 50 ms of every start.
    chunks = [pa.DictionaryArray.from_arrays(_counting(len(array)), array) for array in (among, names)]
    places = _ids(pa.chunked_array(chunks)).codes[len(among) :]
    places[places >= len(among)] = -1
    return places


# Where pandas is installed, `pa.array` and `to_numpy` import it, which takes longer than all the rest. So plain
# numbers and strings go between Python, numpy and pyarrow as buffers.


def _counting(number: int) -> pa.Int32Array:
    counted_off = pa.py_buffer(np.arange(number, dtype=np.int32).tobytes())
    return cast("pa.Int32Array", pa.Array.from_buffers(pa.int32(), number, [None, counted_off]))


def _strings(texts: Sequence[str]) -> pa.StringArray:
    raw = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, raw)], dtype=np.int32).tobytes()
    return pa.StringArray.from_buffers(len(raw), pa.py_buffer(ends), pa.py_buffer(b"".join(raw)))


def _as_numpy(column: pa.ChunkedArray[Any], kind: type[Scalar]) -> NDArray[Scalar]:
    """Numbers of which none is missing."""
    parts = [
        np.frombuffer(cast("memoryview", chunk.buffers()[1]), kind)[chunk.offset :][: len(chunk)]
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _ids(column: pa.ChunkedArray[Any]) -> Ids:
    chunks = cast("list[Any]", column.unify_dictionaries().chunks)
    if not chunks:
        return ids_of(())
    codes = _as_numpy(pa.chunked_array([chunk.indices for chunk in chunks]), np.int32)
    return Ids(codes.astype(np.int64), chunks[0].dictionary)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a CSV file.

    Attributes:
        path: the file.
        ids: the columns of ids that were asked for, by name.
        number: shape (rows,): the column of numbers that was asked for; nan where it holds no number.
        number_text: the same as text, if the file didn't parse in one go.
        lines: the line of each row.
    """

    path: Path
    ids: Mapping[str, Ids]
    number: FloatArray
    number_text: pa.ChunkedArray[Any] | None
    lines: Lines

    def problem(self, code: str, message: str, hint: str = "", *, row: int) -> Problem:
        """A problem of the file, at a row."""
        return Problem(code, message, hint, str(self.path), self.lines.of(row))


def read_columns(
    sheet: Sheet, problems: Problems, *, ids: Sequence[str], number: str | None = None
) -> Columns | None:
    """Read columns of a sheet; None where not even rows can be made out.

    A row with too few or too many values is a problem, and left out. Text that isn't UTF-8 is a problem, and
    read with U+FFFD in its place.

    Args:
        sheet: the opened file; each column that is asked for stands in its header once.
        problems: where to add what is wrong.
        ids: columns to read as text.
        number: a column to read as numbers: decimal, optionally with an exponent, blanks around it allowed.
    """
    if sheet.lines.start == len(sheet.lines.data):
        return Columns(sheet.path, {name: ids_of(()) for name in ids}, np.empty(0), None, sheet.lines)
    types = dict.fromkeys(ids, _TEXT) | ({number: pa.float64()} if number else {})
    try:
        table = _parse(sheet, sheet.lines.data, types)
    except pa.ArrowInvalid:
        return _read_carefully(sheet, problems, ids=ids, number=number)
    return _columns(sheet.path, table, ids, number, sheet.lines)


def _parse(
    sheet: Sheet,
    data: pa.Buffer,
    types: Mapping[str, pa.DataType],
    on_ragged: Callable[[pa_csv.InvalidRow], Literal["skip"]] | None = None,
) -> pa.Table:
    names = list(sheet.header)
    for place, name in enumerate(names):
        if name not in types:
            # Columns that nobody asks for may share a name, which pyarrow doesn't take.
            names[place] = f"unread {place}"
    return pa_csv.read_csv(
        cast("IO[Any]", pa.BufferReader(data.slice(sheet.lines.start))),
        # Rows come in file order either way, but only a single thread knows their numbers.
        pa_csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=on_ragged is None),
        pa_csv.ParseOptions(
            newlines_in_values=holds(data, '"', sheet.lines.start), invalid_row_handler=on_ragged
        ),
        pa_csv.ConvertOptions(column_types=dict(types), include_columns=list(types), null_values=[]),
    )


def _columns(path: Path, table: pa.Table, ids: Sequence[str], number: str | None, lines: Lines) -> Columns:
    values, text = np.empty(0), None
    if number is not None:
        text = table.column(number) if table.schema.field(number).type == pa.string() else None
        values = _as_numpy(table.column(number), np.float64) if text is None else _numbers(text)
    return Columns(path, {name: _ids(table.column(name)) for name in ids}, values, text, lines)


def _numbers(text: pa.ChunkedArray[Any]) -> FloatArray:
    import pyarrow.compute as pc

    # The csv reader's own conversion would stop at the first text that isn't a number.
    is_number = pc.match_substring_regex(text, _NUMBER)
    bare = pc.utf8_ltrim(pc.utf8_trim(pc.filter(text, is_number), " \t"), "+")
    numbers = np.full(len(text), np.nan)
    chosen = _as_numpy(cast("pa.ChunkedArray[Any]", pc.cast(is_number, pa.int32())), np.int32)
    numbers[chosen == 1] = _as_numpy(pc.cast(bare, pa.float64()), np.float64)
    return numbers


def _read_carefully(
    sheet: Sheet, problems: Problems, *, ids: Sequence[str], number: str | None
) -> Columns | None:
    """Read what didn't parse in one go: say what is wrong with it, and go on with the rest."""
    file, lines = str(sheet.path), sheet.lines
    data = _decodable(lines.data, file, problems)
    skipped = array("q")
    first: list[tuple[str, int]] = []

    def skip(row: pa_csv.InvalidRow) -> Literal["skip"]:
        if len(first) < SHOWN_PER_CODE:
            first.append((row.text, row.actual_columns))
        skipped.append((row.number or 1) - 1)
        return "skip"

    types = dict.fromkeys(ids, _TEXT) | ({number: pa.string()} if number else {})
    try:
        table = _parse(sheet, data, types, skip)
    except pa.ArrowInvalid:
        said = f"a row is longer than {BLOCK_BYTES // 1024**2} MiB"
        problems.add(Problem("row_too_long", said, UNCLOSED, file, lines.longest()))
        return None
    lines = Lines(lines.data, lines.start, lines.first, np.frombuffer(skipped, np.int64))
    found = []
    for (text, width), record in zip(first, skipped, strict=False):
        said = (
            f"{counted(width, 'value')} where there are {counted(len(sheet.header), 'column')}: {shown(text)}"
        )
        too_many = width > len(sheet.header)
        hint = "quote a value that holds a comma" if too_many else "each column needs its comma"
        hint = UNCLOSED if text.count('"') % 2 else hint
        found.append(Problem("ragged_row", said, hint, file, lines.of_record(record)))
    report(problems, found, len(skipped))
    return _columns(sheet.path, table, ids, number, lines)


def _decodable(data: pa.Buffer, file: str, problems: Problems) -> pa.Buffer:
    """The bytes as UTF-8, with U+FFFD for what isn't."""
    whole = data.to_pybytes()
    try:
        whole.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data
    text = np.frombuffer(whole, np.uint8)
    ends = np.append(np.flatnonzero(text == ord("\n")), len(text))
    found, total = [], 0
    for line in np.unique(np.searchsorted(ends, np.flatnonzero(text >= 0x80))).tolist():
        raw = whole[ends[line - 1] + 1 if line else 0 : ends[line]]
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            total += 1
            if total <= SHOWN_PER_CODE:
                said = f"byte 0x{raw[error.start]:02X}, number {error.start + 1} of the line, isn't UTF-8"
                guess = f"{said}; the line may mean {shown(raw.decode('cp1252', errors='replace'))}"
                found.append(Problem("undecodable_text", guess, SAVE_AS_UTF8, file, line + 1))
    report(problems, found, total)
    return owned(whole.decode(errors="replace").encode())
