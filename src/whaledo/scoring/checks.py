"""What is wrong with the answers of a submission.csv: against the rules, the data folder and the labels.

The file itself is `rankings.py`'s. What refuses a file here are the ways in which the published scorer can be
gamed, knowingly or not: rows repeated, too many of them, images from elsewhere, the query's own image. What is
only odd is a warning. Checks run over whole columns; a row is looked at alone only to say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from whaledo.challenge.columns import BoolArray, find, ids_of
from whaledo.challenge.problems import counted, listed, shown
from whaledo.challenge.sheet import IntArray, report
from whaledo.challenge.truth import Labels
from whaledo.errors import Problem, Problems, Severity
from whaledo.scoring.join import Join
from whaledo.scoring.lookalike import lookalikes
from whaledo.scoring.rankings import Rankings

if TYPE_CHECKING:
    from whaledo.challenge.model import Challenge

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


def check_answers(rankings: Rankings, challenge: Challenge) -> Problems:
    """Everything that is wrong or odd with answers whose labels aren't known."""
    problems = Problems()
    _check_repeated(rankings, problems)
    _check_counts(rankings, challenge.settings.rows_per_query, problems)
    _check_against_data(rankings, challenge, problems)
    queries = ids_of(query.query_id for scenario in challenge.scenarios for query in scenario.queries)
    place = find(queries.names, rankings.queries.names)
    counts = np.append(_rows_of_each(rankings), 0)
    names = queries.distinct()
    unanswered = [names[number] for number in np.flatnonzero(counts[place] == 0).tolist()]
    _warn_of_unanswered(unanswered, len(names), problems)
    return problems


def check_scored(
    rankings: Rankings, labels: Labels, joined: Join, *, rows_per_query: int, challenge: Challenge | None
) -> Problems:
    """Everything that is wrong or odd with answers that are to be scored.

    Args:
        rankings: the file, read.
        labels: the right answers.
        joined: the two together.
        rows_per_query: the most rows that a query may have.
        challenge: the data folder; without it, neither databases nor queries without a right answer are known.
    """
    problems = Problems()
    _check_repeated(rankings, problems)
    _check_counts(rankings, rows_per_query, problems)
    if challenge is not None:
        _check_against_data(rankings, challenge, problems)
    else:
        _check_against_labels(rankings, labels, joined, problems)
    is_scored = joined.relevant > 0
    unanswered = [
        joined.query_ids[number] for number in np.flatnonzero(is_scored & (joined.rows == 0)).tolist()
    ]
    _warn_of_unanswered(unanswered, int(is_scored.sum()), problems)
    return problems


def warning(code: str, message: str, hint: str = "") -> Problem:
    """A warning about a submission.csv as a whole."""
    return Problem(code, message, hint, severity=Severity.WARNING)


def _rows_of_each(rankings: Rankings) -> IntArray:
    """How many rows each distinct query has; 0 where the rows were left out in reading."""
    return np.bincount(rankings.queries.codes, minlength=len(rankings.queries.names))


def _check_repeated(rankings: Rankings, problems: Problems) -> None:
    rows, firsts = rankings.pairs.repeated()
    if not len(rows):
        return
    half, odd = divmod(len(rankings), 2)
    is_twice = (
        not odd and len(rows) == half and (rankings.places[rows] - rankings.places[firsts] == half).all()
    )
    hint = "the whole file stands twice in it: is it opened for appending?"
    hint = hint if is_twice else "keep one row a pair: the best"
    found = []
    for row in rankings.first_of(rows):
        said = f"query {shown(rankings.queries.text(row))} has image {shown(rankings.images.text(row))} again"
        line = rankings.line(int(firsts[np.searchsorted(rows, row)]))
        said += "" if line is None else f"; line {line} has it already"
        found.append(rankings.problem("repeated_row", said, hint, row=row))
    report(problems, found, len(rows))


def _check_counts(rankings: Rankings, limit: int, problems: Problems) -> None:
    counts = _rows_of_each(rankings)
    first_rows = np.cumsum(counts) - counts
    surplus = first_rows[counts > limit] + limit
    found = []
    for row in rankings.first_of(surplus):
        count = counts[rankings.queries.codes[row]]
        said = (
            f"query {shown(rankings.queries.text(row))} has {count:,} rows, and at most {limit} are allowed"
        )
        hint = f"keep the {limit} with the highest scores; this is row {limit + 1}"
        found.append(rankings.problem("too_many_rows", said, hint, row=row))
    report(problems, found, len(surplus))


def _report_unknown_queries(
    rankings: Rankings, is_unknown: BoolArray, known: Sequence[str], whose: str, problems: Problems
) -> None:
    """Add the queries that aren't known; `is_unknown` has shape (distinct queries,)."""
    counts = _rows_of_each(rankings)
    first_rows = (np.cumsum(counts) - counts)[is_unknown & (counts > 0)]
    told = rankings.first_of(first_rows)
    meant = lookalikes(map(rankings.queries.text, told), known) if told else {}
    found = []
    for row in told:
        name, count = rankings.queries.text(row), int(counts[rankings.queries.codes[row]])
        said = f"{whose} no query {shown(name)} ({counted(count, 'row')})"
        found.append(rankings.problem("unknown_query", said, meant.get(name, ""), row=row))
    report(problems, found, len(first_rows))


def _check_against_data(rankings: Rankings, challenge: Challenge, problems: Problems) -> None:
    queries = [query for scenario in challenge.scenarios for query in scenario.queries]
    query_ids = [query.query_id for query in queries]
    place = find(rankings.queries.names, ids_of(query_ids).names)
    _report_unknown_queries(rankings, place < 0, query_ids, "the data folder has", problems)

    query_of_row = place[rankings.queries.codes]
    own = ids_of(query.image_id for query in queries)
    own_image = find(own.names, rankings.images.names)[own.codes]
    is_known = query_of_row >= 0
    is_own = is_known & (own_image[query_of_row] == rankings.images.codes)
    own_rows = np.flatnonzero(is_own)
    found = []
    for row in rankings.first_of(own_rows):
        query, image = shown(rankings.queries.text(row)), shown(rankings.images.text(row))
        said, hint = f"query {query} is answered with its own image {image}", "leave it out of the ranking"
        found.append(rankings.problem("own_image", said, hint, row=row))
    report(problems, found, len(own_rows))

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
    told = rankings.first_of(rows)
    meant = lookalikes(map(rankings.images.text, told), challenge.images) if told else {}
    found = []
    for row in told:
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


def _check_against_labels(rankings: Rankings, labels: Labels, joined: Join, problems: Problems) -> None:
    is_labelled, has_rows = joined.relevant > 0, joined.rows > 0
    queries = labels.queries.distinct()
    if not (is_labelled & has_rows).any():
        in_file = ~is_labelled[: len(rankings.queries.names)]
        _report_unknown_queries(rankings, in_file, queries, "the labels name", problems)
    elif (unknown := np.flatnonzero(has_rows & ~is_labelled)).size:
        names = [joined.query_ids[number] for number in unknown.tolist()]
        said = f"left out, because the labels don't name them: {_queries(names)}"
        problems.add(warning("unlabelled_query", said))
        _warn_of_lookalikes("resembling_query", "query", names, queries, problems)
    images = labels.images.distinct()
    strange = set(rankings.images.distinct()).difference(images)
    _warn_of_lookalikes("resembling_image", "image", strange, images, problems)


def _warn_of_lookalikes(
    code: str, what: str, names: Iterable[str], known: Sequence[str], problems: Problems
) -> None:
    for name, meant in sorted(lookalikes(names, known).items()):
        problems.add(warning(code, f"the labels name no {what} {shown(name)}", meant))


def _warn_of_unanswered(names: Sequence[str], scored: int, problems: Problems) -> None:
    if names:
        said = f"of {scored:,} scored queries, these have no rows and count 0: {_queries(names)}"
        problems.add(warning("unanswered_query", said))


def _queries(names: Sequence[str]) -> str:
    return f"{len(names):,} {'query' if len(names) == 1 else 'queries'} ({listed(names, 5)})"
