"""What the competition's own published scorer would have said of a submission.csv.

That scorer reads both files with pandas, which guesses the type of each column, and joins whatever comes out: `1.0`
finds `1`, `NA` is nobody, a repeated row counts again, a query without rows isn't missed, and no limit of rows is
held. Here its answers are worked out in numpy, for pandas 3 and to the last bit, errors included; the tests hold
them against pandas itself. Beyond 262,144 rows pandas guesses types piece by piece; that isn't followed.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np

from whaledo.challenge.columns import BoolArray, FloatArray, Ids, ids_of, read_columns
from whaledo.challenge.rules import ROWS_PER_QUERY
from whaledo.challenge.sheet import IntArray, Sheet, open_sheet
from whaledo.challenge.truth import Labels
from whaledo.errors import Problems
from whaledo.scoring.metric import mean, measure
from whaledo.scoring.rankings import COLUMNS, IMAGE, QUERY, SCORE, is_right

NOT_AVAILABLE = frozenset({"", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "-NaN", "-nan"}) | {
    *("#N/A", "#N/A N/A", "#NA", "<NA>", "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN")
}
"""What pandas takes for a missing value."""

BOOLEANS = MappingProxyType(
    {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
)
_INTEGER = re.compile(r"\s*[+-]?\d{1,4000}\s*", re.ASCII)  # of more digits, Python makes no integer
_FLOAT = re.compile(r"\s*[+-]?(((\d+\.?\d*|\.\d+)(e[+-]?\d+)?)|inf(inity)?)\s*", re.ASCII | re.IGNORECASE)

_NO_GROUPS = "Object of type Series is not JSON serializable"
_NO_GROUPS_OF_TEXT = "Can only string multiply by an integer."


@dataclass(frozen=True, slots=True)
class Official:
    """The published scorer's answer.

    Attributes:
        value: its mean average precision; None where it gave none.
        refusal: why it gave none, beginning with the name of the Python error.
    """

    value: float | None
    refusal: str | None = None


class _Refused(Exception):
    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as pandas reads it.

    Attributes:
        kind: the name of its type.
        codes: shape (rows,): the place of each row's value in `values`.
        values: Python values, None where missing; two places may hold the same.
    """

    kind: str
    codes: IntArray
    values: Sequence[Any]

    @property
    def is_number(self) -> bool:
        return self.kind in ("int64", "uint64", "float64", "bool")

    @property
    def is_missing(self) -> BoolArray:
        return np.array([value is None for value in self.values], np.bool_)[self.codes]


def official_score(path: Path, labels: Labels) -> Official:
    """Score a submission.csv as the published scorer does, whatever is wrong with it."""
    try:
        value = _score(path, labels)
    except _Refused as refused:
        return Official(None, str(refused))
    if np.isnan(value):
        return Official(None, "NaN: no query of the file is labelled")
    return Official(value)


def _score(path: Path, labels: Labels) -> float:
    query, image, scores = _read(path)
    right_query, right_image = _column(labels.queries, is_index=True), _column(labels.images)
    if not len(scores):
        raise _Refused("TypeError", _NO_GROUPS)
    query_key, right_query_key, names = _matched(query, right_query, QUERY)
    image_key, right_image_key, images = _matched(image, right_image, IMAGE)
    right = np.sort(right_query_key * len(images) + right_image_key)
    row = query_key * len(images) + image_key
    first, after = np.searchsorted(right, row), np.searchsorted(right, row, side="right")
    # A row stands once for each label that it matches, and once if it matches none; a missing query is dropped.
    times = np.where(query.is_missing, 0, np.maximum(after - first, 1))
    is_hit = np.repeat(after > first, times)
    if not len(is_hit):
        raise _Refused("TypeError", _NO_GROUPS_OF_TEXT if image.kind == "str" else _NO_GROUPS)
    if SCORE in labels.columns and is_hit.any():
        raise _Refused("KeyError", "'score'")
    query_key = np.repeat(query_key, times)
    by_query = np.argsort(query_key, kind="stable")
    measured = measure(query_key[by_query], np.repeat(scores, times)[by_query], is_hit[by_query], len(names))
    relevant = np.bincount(right_query_key[~right_query.is_missing], minlength=len(names))
    is_counted = (relevant > 0) & (np.bincount(query_key, minlength=len(names)) > 0)
    if not is_counted.any():
        return np.nan
    values = np.where(is_counted, measured.adjusted(relevant, ROWS_PER_QUERY), 0.0)
    known = [number for number in range(len(names)) if names[number] is not None]
    order = sorted(known, key=names.__getitem__)
    return mean(values[order], is_counted[order])


def _matched(left: _Column, right: _Column, name: str) -> tuple[IntArray, IntArray, list[Any]]:
    """Join two columns: the values of both as places in one list."""
    if left.kind != right.kind and not _is_comparable(left, right):
        raise _Refused(
            "ValueError",
            f"You are trying to merge on {left.kind} and {right.kind} columns for key '{name}'. "
            "If you wish to proceed you should use pd.concat",
        )
    as_float = {left.kind, right.kind} <= {"int64", "uint64", "float64"} and left.kind != right.kind
    place: dict[Any, int] = {}
    keys = []
    for column in (left, right):
        values = [float(v) if as_float and v is not None else v for v in column.values]
        places = [place.setdefault(value, len(place)) for value in values]
        keys.append(np.array(places, np.int64)[column.codes])
    return keys[0], keys[1], list(place)


def _is_comparable(left: _Column, right: _Column) -> bool:
    """Whether pandas joins columns of different types: text and numbers it refuses, other pairs just don't match."""
    if left.is_number == right.is_number:
        return True
    number, other = (left, right) if left.is_number else (right, left)
    is_integers = other.kind == "object" and all(type(value) is int for value in other.values)
    return number.kind == "bool" or is_integers


def _column(ids: Ids, *, is_index: bool = False) -> _Column:
    """Guess a column's type as pandas does: integers, numbers, booleans, else text."""
    texts = ids.distinct()
    present = [text for text in texts if text not in NOT_AVAILABLE]
    has_missing = len(present) < len(texts)

    def column(kind: str, read: Callable[[str], Any]) -> _Column:
        return _Column(kind, ids.codes, [None if t in NOT_AVAILABLE else read(t) for t in texts])

    if not present:
        return column("float64" if texts else "object", float)
    if all(map(_INTEGER.fullmatch, present)):
        low, high = min(map(int, present)), max(map(int, present))
        fits = low >= -(2**63) and high < 2**63
        if fits or (has_missing and is_index and not (2**63 <= high < 2**64)):
            return column("float64", float) if has_missing else column("int64", int)
        if high < 2**64:
            is_unsigned = low >= 0 and not has_missing
            return column("uint64", int) if is_unsigned else column("str", str)
        return column("object", int)
    if all(map(_FLOAT.fullmatch, present)):
        is_huge = any(_INTEGER.fullmatch(text) and not -(2**63) <= int(text) < 2**64 for text in present)
        return column("str", str) if is_huge else column("float64", float)
    if all(text in BOOLEANS for text in present):
        if not has_missing:
            return column("bool", BOOLEANS.__getitem__)
        return (
            column("float64", lambda t: float(BOOLEANS[t]))
            if is_index
            else column("object", BOOLEANS.__getitem__)
        )
    return column("str", str)


def _read(path: Path) -> tuple[_Column, _Column, FloatArray]:
    """The query, the image and the score of each row."""
    problems = Problems()
    sheet = open_sheet(path, problems, keep_nul=True)
    if sheet is None:
        raise _unreadable(path, problems)
    is_there = [name for name in COLUMNS if sheet.header.count(name) == 1]
    ids = [name for name in (QUERY, IMAGE) if name in is_there]
    columns = read_columns(sheet, problems, ids=ids, number=SCORE if SCORE in is_there else None)
    codes = {problem.code for problem in problems}
    if "undecodable_text" in codes:
        raise _unreadable(path, problems)
    lacks_scores = bool(codes) and _has_short_rows(sheet) and sheet.header[-1] == SCORE
    if columns is None:
        raise _Refused("ParserError", "Error tokenizing data. C error: out of memory")
    if QUERY not in sheet.header:
        raise _Refused("ValueError", f"Index {QUERY} invalid")
    if SCORE not in sheet.header:
        raise _Refused("KeyError", f"'{SCORE}'")
    scores = columns.number
    if columns.number_text is not None:
        texts = cast("list[str]", columns.number_text.to_pylist()) + [""] * lacks_scores
        scores = _scores(_column(ids_of(texts)))
    if not ((scores >= 0) & (scores <= 1)).all():
        raise _Refused("ValueError", "Scores must be in range [0, 1].")
    if not is_right(sheet.header):
        wanted, names = [IMAGE, SCORE], [name for name in _renamed(sheet.header) if name != QUERY]
        raise _Refused("ValueError", f"Columns of submission must be named '{wanted}', got {names}.")
    return _column(columns.ids[QUERY], is_index=True), _column(columns.ids[IMAGE]), scores


def _scores(column: _Column) -> FloatArray:
    if column.kind == "str":
        raise _Refused("TypeError", "Invalid comparison between dtype=str and float")
    values = [np.nan if value is None else float(value) for value in column.values]
    return np.array(values)[column.codes]


def _renamed(header: Sequence[str]) -> Iterator[str]:
    """The names of columns as pandas has them: none empty, none twice."""
    seen: Counter[str] = Counter()
    for place, name in enumerate(header):
        name = name or f"Unnamed: {place}"
        yield f"{name}.{seen[name]}" if seen[name] else name
        seen[name] += 1


def _unreadable(path: Path, problems: Problems) -> _Refused:
    """What Python says of a file that isn't text, or isn't anything."""
    codes = {problem.code for problem in problems}
    if "empty_file" in codes:
        return _Refused("EmptyDataError", "No columns to parse from file")
    if "undecodable_text" in codes:
        # pandas decodes value by value, and counts bytes from the value's beginning.
        for value in re.split(rb"[,\r\n]", path.read_bytes()):
            try:
                value.decode()
            except UnicodeDecodeError as error:
                return _Refused("UnicodeDecodeError", str(error))
    return _Refused("not asked", "; ".join(problem.message for problem in problems))


def _has_short_rows(sheet: Sheet) -> bool:
    """Whether a row lacks its last value, which pandas fills up.

    Raises:
        _Refused: a row has too many.
    """
    width, lines = len(sheet.header), sheet.lines
    reader = csv.reader(io.StringIO(lines.text, newline=""), strict=True)
    widths: list[int] = []
    try:
        for record in reader:
            if not record or (len(record) == 1 and not record[0].strip()):
                continue
            widths.append(len(record))
            if len(record) > width:
                break
    except csv.Error:
        said = f"Error tokenizing data. C error: EOF inside string starting at row {len(widths) + 1}"
        raise _Refused("ParserError", said) from None
    if not widths or widths[-1] <= width:
        return min(widths, default=width) < width
    if len(widths) == 1 and widths[0] == width + 1:
        # pandas takes the surplus value of a first row for an index without a name.
        raise _Refused("KeyError", f"'{QUERY}'")
    line = lines.first + reader.line_num - 1
    said = f"Error tokenizing data. C error: Expected {width} fields in line {line}, saw {widths[-1]}"
    raise _Refused("ParserError", said)
