"""What is wrong with the answers of a submission.csv: against the rules, the data folder and the labels.

The file itself is `rankings.py`'s. What refuses a file here are the ways in which the published scorer can be
gamed, knowingly or not: rows repeated, too many of them, images from elsewhere, the query's own image. What is
only odd is a warning. Checks run over whole columns; a row is looked at alone only to say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from whaledo.challenge.columns import BoolArray, find, ids_of, repeated_pairs
from whaledo.challenge.model import Challenge
from whaledo.challenge.problems import counted, listed, shown
from whaledo.challenge.sheet import IntArray, report
from whaledo.challenge.truth import Labels
from whaledo.errors import SHOWN_PER_CODE, Problem, Problems, Severity
from whaledo.scoring.lookalike import lookalikes
from whaledo.scoring.rankings import Rankings

ANSWER_PROBLEMS = MappingProxyType(
    {
        "repeated_row": "a (query, image) pair stands in more than one row",
        "too_many_rows": "a query has more than 20 rows, or than challenge.toml allows",
        "unknown_query": "the data folder has no such query; with labels alone: they name none of the queries",
        "own_image": "a query is answered with its own image",
        "not_in_database": "an image isn't in the database of the query's scenario",
    }
)
"""What refuses a file for its answers; the last two can only be seen with a data folder."""

ANSWER_WARNINGS = MappingProxyType(
    {
        "unanswered_query": "queries have no rows: they count 0",
        "unlabelled_query": "with labels alone: rows of queries that they don't name are left out of the mean",
        "resembling_query": "with labels alone: a query that they don't name resembles one that they do",
        "resembling_image": "with labels alone: an image that they don't name resembles one that they do",
    }
)
"""What is only said."""


def check_answers(
    rankings: Rankings, *, rows_per_query: int, challenge: Challenge | None, labels: Labels | None
) -> Problems:
    """Everything that is wrong or odd with the answers.

    Args:
        rankings: the file, read.
        rows_per_query: the most rows that a query may have.
        challenge: the data folder; without it, neither databases nor queries without a right answer are known.
        labels: the right answers; without them, every query of the challenge is taken to be scored.
    """
    problems = Problems()
    _check_repeated(rankings, problems)
    _check_counts(rankings, rows_per_query, problems)
    if challenge is not None:
        _check_against_data(rankings, challenge, problems)
    elif labels is not None:
        _check_against_labels(rankings, labels, problems)
    if labels is not None:
        _warn_of_unanswered(rankings, labels.queries.names, problems)
    elif challenge is not None:
        queries = [query.query_id for scenario in challenge.scenarios for query in scenario.queries]
        _warn_of_unanswered(rankings, ids_of(queries).names, problems)
    return problems


def warning(code: str, message: str, hint: str = "") -> Problem:
    """A warning about a submission.csv as a whole."""
    return Problem(code, message, hint, severity=Severity.WARNING)


def _rows_of_each(rankings: Rankings) -> IntArray:
    """How many rows each distinct query has; 0 where the rows were left out in reading."""
    return np.bincount(rankings.queries.codes, minlength=len(rankings.queries.names))


def _check_repeated(rankings: Rankings, problems: Problems) -> None:
    rows, firsts = repeated_pairs(rankings.queries, rankings.images)
    half, odd = divmod(len(rankings), 2)
    hint = "keep one row a pair: the best"
    if not odd and len(rows) == half and (firsts == np.arange(half)).all():
        hint = "the whole file stands twice in it: is it opened for appending?"
    found = []
    for row, first in zip(rows[:SHOWN_PER_CODE].tolist(), firsts.tolist(), strict=False):
        query, image = shown(rankings.queries.text(row)), shown(rankings.images.text(row))
        line = rankings.problem("", "", row=first).line
        said = f"query {query} has image {image} again" + (f"; line {line} has it already" if line else "")
        found.append(rankings.problem("repeated_row", said, hint, row=row))
    report(problems, found, len(rows))


def _check_counts(rankings: Rankings, limit: int, problems: Problems) -> None:
    counts = _rows_of_each(rankings)
    too_many = np.flatnonzero(counts > limit)
    found = []
    for code in too_many[:SHOWN_PER_CODE].tolist():
        row = int(np.flatnonzero(rankings.queries.codes == code)[limit])
        said = f"query {shown(rankings.queries.text(row))} has {counts[code]:,} rows, and at most {limit} are allowed"
        hint = f"keep the {limit} with the highest scores; this is row {limit + 1}"
        found.append(rankings.problem("too_many_rows", said, hint, row=row))
    report(problems, found, len(too_many))


def _report_unknown_queries(
    rankings: Rankings, unknown: IntArray, known: Sequence[str], whose: str, problems: Problems
) -> None:
    counts = _rows_of_each(rankings)
    names = [str(rankings.queries.names[code].as_py()) for code in unknown[:SHOWN_PER_CODE].tolist()]
    meant = lookalikes(names, known)
    found = []
    for name, code in zip(names, unknown.tolist(), strict=False):
        row = int(np.argmax(rankings.queries.codes == code))
        said = f"{whose} no query {shown(name)} ({counted(int(counts[code]), 'row')})"
        found.append(rankings.problem("unknown_query", said, meant.get(name, ""), row=row))
    report(problems, found, len(unknown))


def _check_against_data(rankings: Rankings, challenge: Challenge, problems: Problems) -> None:
    queries = [query for scenario in challenge.scenarios for query in scenario.queries]
    query_ids = [query.query_id for query in queries]
    place = find(rankings.queries.names, ids_of(query_ids).names)
    unknown = np.flatnonzero((place < 0) & (_rows_of_each(rankings) > 0))
    _report_unknown_queries(rankings, unknown, query_ids, "the data folder has", problems)

    query_of_row = place[rankings.queries.codes]
    own = ids_of([query.image_id for query in queries])
    own_image = find(own.names, rankings.images.names)[own.codes]
    is_known = query_of_row >= 0
    is_own = is_known & (own_image[query_of_row] == rankings.images.codes)
    found = [
        rankings.problem(
            "own_image",
            f"query {shown(rankings.queries.text(row))} is answered with its own image "
            f"{shown(rankings.images.text(row))}",
            "leave the query's image out of its ranking",
            row=row,
        )
        for row in np.flatnonzero(is_own)[:SHOWN_PER_CODE].tolist()
    ]
    report(problems, found, int(is_own.sum()))

    sizes = [len(scenario.queries) for scenario in challenge.scenarios]
    scenario_of_row = np.repeat(np.arange(len(sizes)), sizes)[query_of_row]
    outside = is_known & ~is_own & ~_in_database(rankings, challenge, scenario_of_row)
    _report_outside(rankings, challenge, np.flatnonzero(outside), scenario_of_row, problems)


def _in_database(rankings: Rankings, challenge: Challenge, scenario_of_row: IntArray) -> BoolArray:
    """Whether each row's image is in the database of its scenario."""
    database = ids_of([image for scenario in challenge.scenarios for image in scenario.database])
    sizes = [len(scenario.database) for scenario in challenge.scenarios]
    inside = np.repeat(np.arange(len(sizes)), sizes) * len(database.names) + database.codes
    image = find(rankings.images.names, database.names)[rankings.images.codes]
    return (image >= 0) & np.isin(scenario_of_row * len(database.names) + image, inside)


def _report_outside(
    rankings: Rankings, challenge: Challenge, rows: IntArray, scenario_of_row: IntArray, problems: Problems
) -> None:
    shown_rows = rows[:SHOWN_PER_CODE].tolist()
    meant = lookalikes(map(rankings.images.text, shown_rows), challenge.images) if shown_rows else {}
    found = []
    for row in shown_rows:
        image = rankings.images.text(row)
        scenario = challenge.scenarios[scenario_of_row[row]]
        said = f"image {shown(image)} isn't in the database of {shown(scenario.scenario_id)}"
        elsewhere = [other.scenario_id for other in challenge.scenarios if image in other.database]
        hint = meant.get(image, "")
        if elsewhere:
            hint = f"it is in the database of {listed(elsewhere, 3)}: are the scenarios mixed up?"
        elif image in challenge.images:
            hint = f"it is a photograph of the data, but not among those in {scenario.database_path}"
        found.append(rankings.problem("not_in_database", said, hint, row=row))
    report(problems, found, len(rows))


def _check_against_labels(rankings: Rankings, labels: Labels, problems: Problems) -> None:
    answered = _rows_of_each(rankings) > 0
    labelled = labels.queries.distinct()
    unknown = np.flatnonzero(answered & (find(rankings.queries.names, labels.queries.names) < 0))
    if len(unknown) and len(unknown) == answered.sum():
        _report_unknown_queries(rankings, unknown, labelled, "the labels name", problems)
    elif len(unknown):
        names = rankings.queries.distinct()
        names = [names[code] for code in unknown.tolist()]
        said = f"left out, because the labels don't name them: {_queries(names)}"
        problems.add(warning("unlabelled_query", said))
        _warn_of_lookalikes("resembling_query", "query", names, labelled, problems)
    images = labels.images.distinct()
    strange = set(rankings.images.distinct()).difference(images)
    _warn_of_lookalikes("resembling_image", "image", strange, images, problems)


def _warn_of_lookalikes(
    code: str, what: str, names: Iterable[str], known: Sequence[str], problems: Problems
) -> None:
    for name, meant in sorted(lookalikes(names, known).items()):
        problems.add(warning(code, f"the labels name no {what} {shown(name)}", meant))


def _warn_of_unanswered(rankings: Rankings, scored: pa.StringArray, problems: Problems) -> None:
    place = find(scored, rankings.queries.names)
    answered = (place >= 0) & (_rows_of_each(rankings)[place] > 0) if len(rankings) else place >= 0
    if not answered.all():
        names = [str(scored[number].as_py()) for number in np.flatnonzero(~answered).tolist()]
        said = f"of {len(scored):,} scored queries, these have no rows and count 0: {_queries(names)}"
        problems.add(warning("unanswered_query", said))


def _queries(names: Sequence[str]) -> str:
    return f"{len(names):,} {'query' if len(names) == 1 else 'queries'} ({listed(names, 5)})"
