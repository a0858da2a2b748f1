"""Where the score comes from: by viewpoint pair, by time gap, and by how often the database shows the animal.

A viewpoint pair and a time gap belong to a right answer, not to a query: one query may have answers from the same
encounter and from another year. So for each kind, only the right answers of that kind count, and rows that show
the animal in another way are taken out, neither right nor wrong. Each query counts in every kind it has an answer
of. What metadata.csv doesn't say isn't broken down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from whaledo.challenge.columns import FloatArray, ids_of
from whaledo.challenge.model import Challenge
from whaledo.challenge.sheet import IntArray
from whaledo.scoring.evaluate import Evaluation, Truth
from whaledo.scoring.join import Join
from whaledo.scoring.metric import measure

VIEWPOINT, DATE, ENCOUNTER = "viewpoint", "date", "encounter_id"
"""The columns of metadata.csv that a breakdown needs."""

TIME_GAPS = ("same encounter", "same year", "other year")
COUNTS = ((1, 1), (2, 4), (5, 9), (10, 19), (20, None))
"""The steps in which the database images of an animal are counted, from and to."""

MOST_PAIRS = 30
"""How many viewpoint pairs are told apart at most, the commonest."""

_YEAR = re.compile(r"\d{4}(?=\D|$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """Right answers, or queries, of one kind.

    Attributes:
        name: the kind.
        queries: how many queries have a right answer of it.
        mean_average_precision: over those queries.
        top_1: the share of them whose first row is right.
    """

    name: str
    queries: int
    mean_average_precision: float
    top_1: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The score by one property.

    Attributes:
        by: the property.
        groups: its kinds, those without queries left out.
    """

    by: str
    groups: tuple[Group, ...]


def break_down(joined: Join, evaluation: Evaluation, truth: Truth) -> tuple[Breakdown, ...]:
    """Break a score down by all that the data folder tells; by nothing where there is none."""
    challenge = truth.challenge
    if challenge is None:
        return ()
    found = [Breakdown("database images of the animal", tuple(_by_count(evaluation)))]
    query_images = {query.query_id: query.image_id for s in challenge.scenarios for query in s.queries}
    of_queries = [query_images[query_id] for query_id in joined.query_ids]
    of_labels = truth.labels.images.distinct()
    if VIEWPOINT in challenge.columns:
        kinds, names = _viewpoint_pairs(joined, of_queries, of_labels, challenge)
        found.append(Breakdown("viewpoint pair", tuple(_by_kind(joined, kinds, names, truth.rows_per_query))))
    if DATE in challenge.columns:
        kinds = _time_gaps(joined, of_queries, of_labels, challenge)
        found.append(Breakdown("time gap", tuple(_by_kind(joined, kinds, TIME_GAPS, truth.rows_per_query))))
    return tuple(found)


def _group(name: str, average_precision: FloatArray, first_hit: IntArray) -> Group:
    number = len(average_precision)
    return Group(name, number, float(average_precision.mean()), float((first_hit == 1).sum() / number))


def _by_count(evaluation: Evaluation) -> Iterator[Group]:
    for low, high in COUNTS:
        chosen = evaluation.relevant >= low
        name = f"{low} or more" if high is None else str(low) if low == high else f"{low} to {high}"
        if high is not None:
            chosen &= evaluation.relevant <= high
        if chosen.any():
            yield _group(name, evaluation.average_precision[chosen], evaluation.first_hit[chosen])


def _by_kind(joined: Join, kinds: IntArray, names: Sequence[str], limit: int) -> Iterator[Group]:
    """Score each kind of right answer; `kinds` has shape (labels,), -1: unknown."""
    for kind, name in enumerate(names):
        if not (kinds == kind).any():
            continue
        only = joined.only(kinds == kind)
        measured = measure(only.row_query, only.row_score, only.row_label >= 0, len(only.query_ids))
        relevant = only.relevant
        chosen = relevant > 0
        yield _group(name, measured.adjusted(relevant, limit)[chosen], measured.first_hit[chosen])


def _viewpoint_pairs(
    joined: Join, of_queries: Sequence[str], of_labels: Sequence[str], challenge: Challenge
) -> tuple[IntArray, list[str]]:
    """The kind of each label, and the names of the kinds, the commonest first: query's viewpoint → image's."""
    views = ids_of([challenge.images[image].fields[VIEWPOINT] for image in (*of_queries, *of_labels)])
    names = [name or "unknown" for name in views.distinct()]
    of_query, of_label = views.codes[: len(of_queries)], views.codes[len(of_queries) :]
    pairs = of_query[joined.label_query] * len(names) + of_label[joined.label_image]
    distinct, counts = np.unique(pairs, return_counts=True)
    common = distinct[np.argsort(-counts, kind="stable")][:MOST_PAIRS].tolist()
    kinds = np.full(len(pairs), -1)
    for kind, pair in enumerate(common):
        kinds[pairs == pair] = kind
    return kinds, [f"{names[pair // len(names)]} → {names[pair % len(names)]}" for pair in common]


def _time_gaps(
    joined: Join, of_queries: Sequence[str], of_labels: Sequence[str], challenge: Challenge
) -> IntArray:
    """The kind of each label, as a place in `TIME_GAPS`; -1 where a date doesn't begin with a year."""
    fields = [challenge.images[image].fields for image in (*of_queries, *of_labels)]
    dates = [_YEAR.match(row[DATE]) for row in fields]
    year = np.array([int(date[0]) if date else 0 for date in dates])
    # An empty encounter is like no other, not even like another empty one.
    encounter = ids_of([row.get(ENCOUNTER) or f"\0{number}" for number, row in enumerate(fields)]).codes
    query, label = joined.label_query, joined.label_image + len(of_queries)
    gaps = np.where(year[query] == year[label], 1, 2)
    gaps[(year[query] == 0) | (year[label] == 0)] = -1
    gaps[encounter[query] == encounter[label]] = 0
    return gaps
