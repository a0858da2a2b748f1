"""The right answers: pairs of a query and a database image that shows the same animal.

They come from a labels file, or follow from the identities in metadata.csv (`identities.py`). Either way they are
kept as columns of coded ids, because a hundred thousand queries have a million labels. A query that has no right
answer has no label: it isn't scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from whaledo.challenge.columns import Columns, Ids, Pairs, find, ids_of, read_columns
from whaledo.challenge.identities import identity_labels
from whaledo.challenge.problems import counted, listed, nearest, shown
from whaledo.challenge.sheet import MAX_HEADER_BYTES, Sheet, open_sheet, report
from whaledo.errors import SHOWN_PER_CODE, BadData, Problem, Problems

if TYPE_CHECKING:
    from whaledo.challenge.model import Challenge

QUERY, IMAGE = LABEL_COLUMNS = ("query_id", "database_image_id")


@dataclass(frozen=True, slots=True)
class Labels:
    """The right answers of a challenge, no pair twice.

    Attributes:
        source: where they come from, as a message names it.
        columns: the columns of the labels file; further ones than the two are ignored.
        queries: the query of each label.
        images: the database image of each label.
    """

    source: str
    columns: tuple[str, ...]
    queries: Ids
    images: Ids


def read_labels(path: Path) -> Labels:
    """Read a labels file: a CSV with the columns query_id and database_image_id, and any others.

    Raises:
        BadData: with every problem of the file at once.
    """
    problems = Problems()
    sheet = open_sheet(path, problems)
    columns = None
    if sheet is not None and _check_header(sheet, problems):
        columns = read_columns(sheet, problems, ids=LABEL_COLUMNS)
    if columns is not None:
        _check_rows(columns, problems)
    if sheet is None or columns is None or problems.errors:
        said = f"the labels {path} can't be used: {counted(problems.errors, 'problem')}"
        raise BadData(said, problems=problems)
    if not len(columns.ids[QUERY]):
        raise BadData(
            f"the labels {path} name no query: there is nothing to score",
            hint=f"each line below {','.join(LABEL_COLUMNS)} pairs a query with an image of the same animal",
        )
    return Labels(str(path), sheet.header, columns.ids[QUERY], columns.ids[IMAGE])


def is_metadata(path: Path) -> bool:
    """Whether a file is a metadata.csv rather than a labels file, by its first line."""
    try:
        with path.open("rb") as file:
            names = (
                file.readline(MAX_HEADER_BYTES)
                .decode("utf-8-sig", "replace")
                .strip()
                .replace('"', "")
                .split(",")
            )
    except OSError:
        return False
    return "image_id" in names and QUERY not in names


def labels_of(challenge: Challenge) -> Labels:
    """The labels that follow from the identities in a challenge's metadata.csv.

    Raises:
        BadData: if metadata.csv has no identities, or no query has a right answer.
    """
    pairs = identity_labels(challenge)
    source = f"the identities in {challenge.folder / 'metadata.csv'}"
    if not pairs:
        raise BadData(
            f"by {source}, no query has another image of its animal in its database: there is nothing to score"
        )
    queries, images = zip(*pairs, strict=True)
    return Labels(source, LABEL_COLUMNS, ids_of(queries), ids_of(images))


def check_labels(labels: Labels, challenge: Challenge) -> None:
    """Make sure that labels from a file fit a data folder.

    Raises:
        BadData: if they name a query that no scenario has, or an image that isn't in its database.
    """
    scenarios = {
        query.query_id: number for number, s in enumerate(challenge.scenarios) for query in s.queries
    }
    databases = [set(scenario.database) for scenario in challenge.scenarios]
    problems = Problems()
    known = find(labels.queries.names, ids_of(tuple(scenarios)).names)
    for code in np.flatnonzero(known < 0).tolist():
        said = f"no scenario has the query {shown(labels.queries.names[code].as_py())}"
        problems.add(Problem("unknown_query", said, file=labels.source))
    pairs = zip(labels.queries.texts(), labels.images.texts(), strict=True)
    for query, image in pairs:
        if query in scenarios and image not in databases[scenarios[query]]:
            scenario = challenge.scenarios[scenarios[query]].scenario_id
            said = f"{shown(image)}, an answer to {shown(query)}, isn't in the database of {shown(scenario)}"
            problems.add(Problem("not_in_database", said, file=labels.source))
    if problems:
        raise BadData(
            f"the labels {labels.source} don't fit the data folder {challenge.folder}",
            hint="give the folder that the labels were made for, or the labels alone",
            problems=problems,
        )


def _check_header(sheet: Sheet, problems: Problems) -> bool:
    """Whether the two columns are there, once each; adds what is wrong with them."""
    wrong = [name for name in LABEL_COLUMNS if sheet.header.count(name) != 1]
    for name in wrong:
        times = sheet.header.count(name)
        said = f"column {name!r} stands {times} times" if times else f"column {name!r} is missing"
        meant = nearest(name, (other for other in sheet.header if other not in LABEL_COLUMNS))
        hint = "keep one of them" if times else f"the first line must be: {','.join(LABEL_COLUMNS)}"
        if meant is not None and not times:
            hint = f"rename {shown(meant)} to {name!r}"
        code = "repeated_column" if times else "missing_column"
        said = f"{said}; there is {listed(sheet.header)}"
        problems.add(Problem(code, said, hint, str(sheet.path), sheet.line))
    return not wrong


def _check_rows(columns: Columns, problems: Problems) -> None:
    for name, ids in columns.ids.items():
        empty = ids.rows_of("")
        told = empty[:SHOWN_PER_CODE].tolist()
        found = [columns.problem("empty_value", f"{name} is empty", row=row) for row in told]
        report(problems, found, len(empty))
    queries, images = columns.ids[QUERY], columns.ids[IMAGE]
    rows, firsts = Pairs.of(queries, images).repeated()
    found = []
    for row, first in zip(rows[:SHOWN_PER_CODE].tolist(), firsts.tolist(), strict=False):
        said = f"query {shown(queries.text(row))} has the answer {shown(images.text(row))} again"
        line = columns.lines.of(first)
        hint = (
            "remove one of the two" if line is None else f"line {line} has it already: remove one of the two"
        )
        found.append(columns.problem("repeated_label", said, hint, row=row))
    report(problems, found, len(rows))
