"""Read a submission.csv: its rows as columns, and everything that is wrong with the file itself.

Strict where the published scorer is lax: ids are text and stay so, a score is a decimal number. The first line
holds exactly the three names, in the order that the published scorer wants too. Whether the ids mean anything,
and whether there are too many rows, is for `checks.py`. A good file takes one pass of pyarrow; what a bad one
costs, it pays for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from whaledo.challenge.columns import BoolArray, Columns, FloatArray, Ids, Pairs, read_columns
from whaledo.challenge.problems import listed, nearest, shown
from whaledo.challenge.sheet import IntArray, Lines, Sheet, open_sheet, report
from whaledo.errors import SHOWN_PER_CODE, Problem, Problems

QUERY, IMAGE, SCORE = COLUMNS = ("query_id", "database_image_id", "score")
HEADER = ",".join(COLUMNS)

MANY_COLUMNS = 50
"""Among more names than this, nobody looks for the ones that are meant."""

FILE_PROBLEMS = MappingProxyType(
    {
        "missing_file": "there is no such file",
        "unreadable_file": "it can't be opened, or is no plain file",
        "file_too_large": "it has more bytes or lines than are read",
        "other_format": "it is something else: an Excel workbook, a zip archive, a web page",
        "empty_file": "it holds nothing",
        "undecodable_text": "a line isn't UTF-8 text, or the whole file is UTF-16",
        "nul_byte": "a line holds a NUL byte",
        "broken_quotes": "the quotes in the first line don't end",
        "row_too_long": "a line is longer than any row can be",
        "no_header": "the first line is a row, not the names of the columns",
        "other_separator": "the columns are separated by tabs, semicolons or bars",
        "wrong_columns": f"the first line isn't `{HEADER}`",
        "no_rows": "there is nothing below the first line",
        "ragged_row": "a row has more or fewer values than three",
        "repeated_header": "the first line stands again further down",
        "blank_id": "an id is empty",
        "not_a_number": "a score isn't a finite number",
        "out_of_range": "a score is below 0 or above 1",
    }
)
"""What can be wrong with the file itself; `checks.py` has what can be wrong with its answers."""


@dataclass(frozen=True, slots=True)
class Rankings:
    """The rows of a submission.csv, those of one query together.

    Attributes:
        path: the file.
        queries: the query of each row; its codes never fall.
        images: the database image of each row.
        scores: shape (rows,), in [0, 1] if the file has no problems.
        pairs: the rows in the order of query and image.
        lines: where the rows are in the file.
        places: each row's number among those that `lines` knows.
    """

    path: Path
    queries: Ids
    images: Ids
    scores: FloatArray
    pairs: Pairs
    lines: Lines
    places: IntArray

    @classmethod
    def of(
        cls, path: Path, queries: Ids, images: Ids, scores: FloatArray, lines: Lines, places: IntArray
    ) -> Rankings:
        """Bring the rows of each query together, in file order, unless they are already."""
        if (queries.codes[1:] < queries.codes[:-1]).any():
            order = np.argsort(queries.codes, kind="stable")
            queries, images = queries.chosen(order), images.chosen(order)
            scores, places = scores[order], places[order]
        return cls(path, queries, images, scores, Pairs.of(queries, images), lines, places)

    def __len__(self) -> int:
        return len(self.scores)

    def first_of(self, rows: IntArray) -> list[int]:
        """The first of these rows in the file: those that are told."""
        in_file = np.argsort(self.places[rows], kind="stable")[:SHOWN_PER_CODE]
        return [int(row) for row in rows[in_file]]

    def problem(self, code: str, message: str, hint: str = "", *, row: int) -> Problem:
        """A problem of this file, at a row."""
        return Problem(code, message, hint, str(self.path), self.line(row))

    def line(self, row: int) -> int | None:
        """The line of a row."""
        return self.lines.of(int(self.places[row]))


def is_right(header: Sequence[str]) -> bool:
    """Whether these are the columns of a submission: as the published scorer has it, query_id stands anywhere."""
    return len(header) == len(COLUMNS) and [name for name in header if name != QUERY] == [IMAGE, SCORE]


def read_rankings(path: Path, problems: Problems) -> Rankings | None:
    """Read a submission.csv.

    Returns:
        The rows that are rows: without those that repeat the header or lack an id; None where there are no
        columns to read. Ask `problems.errors` before scoring them.
    """
    sheet = open_sheet(path, problems)
    if sheet is None:
        return None
    if not is_right(sheet.header):
        problems.add(_wrong_header(sheet))
        return None
    columns = read_columns(sheet, problems, ids=(QUERY, IMAGE), number=SCORE)
    if columns is None:
        return None
    if not len(columns.number) and not problems.errors:
        hint = "was the file written before any query was answered?"
        problems.add(Problem("no_rows", "there are no rows below the first line", hint, str(path)))
    is_row = _check_ids(columns, problems)
    _check_scores(columns, is_row, problems)
    queries, images, scores = columns.ids[QUERY], columns.ids[IMAGE], columns.number
    if not is_row.all():
        queries, images, scores = queries.chosen(is_row), images.chosen(is_row), scores[is_row]
    return Rankings.of(path, queries, images, scores, columns.lines, np.flatnonzero(is_row))


def _check_ids(columns: Columns, problems: Problems) -> BoolArray:
    """Which rows are rows; adds those that aren't."""
    queries, images = columns.ids[QUERY], columns.ids[IMAGE]
    is_row = np.ones(len(queries), np.bool_)
    headers = queries.rows_of(QUERY)
    headers = headers[np.isin(headers, images.rows_of(IMAGE))]
    said, hint = "the first line stands here again", "were two files joined? Write the header once"
    told = headers[:SHOWN_PER_CODE].tolist()
    report(problems, [columns.problem("repeated_header", said, hint, row=row) for row in told], len(headers))
    is_row[headers] = False
    for name, ids in columns.ids.items():
        blank = ids.rows_of("")
        said, hint = f"{name} is empty", "every row needs both ids"
        told = blank[:SHOWN_PER_CODE].tolist()
        report(problems, [columns.problem("blank_id", said, hint, row=row) for row in told], len(blank))
        is_row[blank] = False
    return is_row


def _check_scores(columns: Columns, is_row: BoolArray, problems: Problems) -> None:
    scores, text = columns.number, columns.number_text
    if not len(scores) or (scores.min() >= 0 and scores.max() <= 1):
        return
    finite = np.isfinite(scores)
    no_number = np.flatnonzero(~finite & is_row)
    found = []
    for row in no_number[:SHOWN_PER_CODE].tolist():
        value = repr(float(scores[row])) if text is None else str(text[row].as_py())
        found.append(columns.problem("not_a_number", *_not_a_number(value), row=row))
    report(problems, found, len(no_number))
    outside = np.flatnonzero(finite & ((scores < 0) | (scores > 1)))
    hint = _hint_of_scores(scores[finite]) if len(outside) else ""
    found = []
    for row in outside[:SHOWN_PER_CODE].tolist():
        said = f"the score {float(scores[row])!r} isn't between 0 and 1"
        found.append(columns.problem("out_of_range", said, hint, row=row))
    report(problems, found, len(outside))


def _not_a_number(value: str) -> tuple[str, str]:
    """What to say of a score that isn't a finite number, and what to do."""
    said, text = f"the score {shown(value)}", value.strip()
    if not text:
        return "the score is empty", "every row needs one"
    if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        return f"{said} isn't a finite number", "is something divided by zero, or missing?"
    if text.endswith("%"):
        return f"{said} is a percentage", "write 0.95 for 95%"
    if text in ("True", "False"):
        return f"{said} isn't a number", "write 1 and 0"
    if text.replace(",", "", 1).isdecimal():
        return f"{said} has a decimal comma", "write a point"
    return f"{said} isn't a number", "write a decimal number such as 0.95"


def _hint_of_scores(scores: FloatArray) -> str:
    """How to bring scores into [0, 1], by the look of all of them."""
    low, high = float(scores.min()), float(scores.max())
    if low >= -1e-6 and high <= 1 + 1e-6:
        return "a rounding error; clip the scores to [0, 1]"
    if low >= -1 - 1e-6 and high <= 1 + 1e-6:
        return "cosine similarities? (score + 1) / 2 keeps their order"
    if low >= 0 and 10 < high <= 100:
        return "percentages? Divide by 100"
    return "bring the scores into [0, 1] in a way that keeps their order"


def _wrong_header(sheet: Sheet) -> Problem:
    """What is wrong with a first line that isn't the three names, and what to do."""
    header = sheet.header

    def wrong(code: str, said: str, hint: str) -> Problem:
        return Problem(code, said, hint, str(sheet.path), sheet.line)

    if (mark := next((mark for mark in "\t;|" if len(header) == 1 and mark in header[0]), None)) is not None:
        said = f"the columns are separated by {mark!r}, not by ','"
        return wrong("other_separator", said, "write a file with commas")
    if len(header) == len(COLUMNS) and _is_number(header[2]):
        return wrong(
            "no_header", f"the first line is a row: {listed(header)}", f"begin with the line {HEADER}"
        )
    return wrong(
        "wrong_columns", f"the first line names {listed(header)}", "; ".join(_hints_of_header(header))
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _hints_of_header(header: Sequence[str]) -> Iterator[str]:
    """What to do about a first line with wrong names, most telling first."""
    if header[0] in ("", "Unnamed: 0") and header[1:] == COLUMNS:
        yield "leave the index out: to_csv(..., index=False)"
        return
    if sorted(header) == sorted(COLUMNS):
        yield f"the columns stand in another order: df[{list(COLUMNS)}].to_csv(..., index=False)"
        return
    if tuple(name.strip() for name in header) == COLUMNS:
        yield "remove the blanks around the names"
        return
    for name in COLUMNS if len(header) <= MANY_COLUMNS else ():
        if name not in header:
            meant = nearest(name, (other for other in header if other not in COLUMNS))
            yield f"{name!r} is missing" if meant is None else f"rename {shown(meant)} to {name!r}"
    few = header[:MANY_COLUMNS]
    if further := [name for name in few if name not in COLUMNS and nearest(name, COLUMNS) is None]:
        yield f"leave out {listed(further, 4)}"
    yield f"the first line must be {HEADER}"
