"""From files to numbers for every query: read, check, join, measure.

Scores, comparisons and reports all start from the `Evaluation` that comes out of here; they only sum it up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from whaledo.challenge.columns import BoolArray, FloatArray, ids_of
from whaledo.challenge.identities import identities
from whaledo.challenge.problems import counted
from whaledo.challenge.rules import ROWS_PER_QUERY
from whaledo.challenge.sheet import IntArray
from whaledo.challenge.truth import Labels, check_labels, is_metadata, labels_of, read_labels
from whaledo.errors import BadRankings, Problems, UsageError
from whaledo.scoring.checks import check_scored
from whaledo.scoring.join import Join, join
from whaledo.scoring.metric import mean, measure, order_of_additions
from whaledo.scoring.rankings import Rankings, read_rankings

if TYPE_CHECKING:
    from whaledo.challenge.model import Challenge

_ARRAYS = ("rows", "relevant", "hits", "first_hit", "average_precision", "scenario", "individual")


@dataclass(frozen=True, slots=True)
class Truth:
    """What rankings are held against.

    Attributes:
        labels: the right answers.
        challenge: the data folder, where there is one.
    """

    labels: Labels
    challenge: Challenge | None

    @property
    def rows_per_query(self) -> int:
        """The most rows that a query may have, and the k of mAP@k."""
        return self.challenge.settings.rows_per_query if self.challenge else ROWS_PER_QUERY


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the answer to each query is worth; arrays have shape (queries,), in the order of additions.

    Attributes:
        query_ids: every query that has a row or a label.
        rows: how many rows it has.
        relevant: how many right answers it has; 0: it isn't scored.
        hits: how many of them were found.
        first_hit: the place of the first one found, from 1; 0: none. In a tie, the tie's last place.
        average_precision: at the most rows allowed; 0 where the query isn't scored.
        scenario: the place of its scenario in the challenge; -1: unknown.
        individual: the number of its animal; where that is unknown, a number of its own.
        by_individuals: whether animals are known at all.
    """

    query_ids: list[str]
    rows: IntArray
    relevant: IntArray
    hits: IntArray
    first_hit: IntArray
    average_precision: FloatArray
    scenario: IntArray
    individual: IntArray
    by_individuals: bool

    @property
    def is_scored(self) -> BoolArray:
        """Whether a query has a right answer."""
        return self.relevant > 0

    @property
    def unit(self) -> str:
        """What is resampled for an interval."""
        return "individuals" if self.by_individuals else "queries"

    @property
    def mean_average_precision(self) -> float:
        """The metric, over all scored queries."""
        return mean(self.average_precision, self.is_scored)

    def of(self, chosen: BoolArray) -> Evaluation:
        """The chosen queries only."""
        arrays = {name: getattr(self, name)[chosen] for name in _ARRAYS}
        query_ids = [self.query_ids[number] for number in np.flatnonzero(chosen).tolist()]
        return replace(self, query_ids=query_ids, **arrays)

    def found_within(self, rank: int) -> float:
        """The share of scored queries whose first hit is among the first `rank` rows."""
        found = (self.first_hit > 0) & (self.first_hit <= rank) & self.is_scored
        return float(found.sum() / self.is_scored.sum())


def read_truth(labels: Path | None, data: Path | None) -> Truth:
    """Read the right answers from a labels file, from a data folder, or from both.

    A metadata.csv in the labels' place stands for the data folder around it. With both, the labels file has the
    answers, and the folder what they are checked against.

    Raises:
        BadData: one of the two can't be used, or they don't fit each other.
        UsageError: neither is given.
    """
    if labels is not None and is_metadata(labels):
        data, labels = data or labels.parent, None
    if labels is None and data is None:
        raise UsageError(
            "there is nothing to score against",
            hint="give a labels file (query_id,database_image_id), or --data with the data folder",
        )
    challenge = None if data is None else _load(data)
    if labels is not None:
        truth = Truth(read_labels(labels), challenge)
    elif challenge is not None:
        truth = Truth(labels_of(challenge), challenge)
    if labels is not None and challenge is not None:
        check_labels(truth.labels, challenge)
    return truth


def _load(data: Path) -> Challenge:
    # Imported late: who has labels alone doesn't need it.
    from whaledo.challenge.load import load_challenge

    return load_challenge(data)


@dataclass(frozen=True, slots=True)
class Judged:
    """A submission's answers beside the right ones.

    Attributes:
        rankings: its rows.
        joined: the same, row by row beside the labels.
        evaluation: what the answer to each query is worth.
        problems: what is odd about the file: warnings only.
    """

    rankings: Rankings
    joined: Join
    evaluation: Evaluation
    problems: Problems


def judge(path: Path, truth: Truth) -> Judged:
    """Read a submission.csv, hold it to the rules, and measure it.

    Raises:
        BadRankings: with every problem of the file at once.
    """
    problems = Problems()
    rankings = read_rankings(path, problems)
    if rankings is not None:
        joined, limit = join(rankings, truth.labels), truth.rows_per_query
        problems.extend(
            check_scored(rankings, truth.labels, joined, rows_per_query=limit, challenge=truth.challenge)
        )
    if rankings is None or problems.errors:
        raise BadRankings(
            f"{path} breaks the rules: {counted(problems.errors, 'problem')}", problems=problems
        )
    return Judged(rankings, joined, evaluate(joined, truth), problems)


def evaluate(joined: Join, truth: Truth) -> Evaluation:
    """Measure the answer to each query."""
    measured = measure(joined.row_query, joined.row_score, joined.row_label >= 0, len(joined.query_ids))
    order = order_of_additions(joined.query_ids)
    query_ids = [joined.query_ids[number] for number in order.tolist()]
    relevant = joined.relevant
    individual, by_individuals = _individuals(query_ids, truth.challenge)
    return Evaluation(
        query_ids,
        joined.rows[order],
        relevant[order],
        measured.hits[order],
        measured.first_hit[order],
        measured.adjusted(relevant, truth.rows_per_query)[order],
        _scenarios(query_ids, truth.challenge),
        individual,
        by_individuals,
    )


def _scenarios(query_ids: list[str], challenge: Challenge | None) -> IntArray:
    if challenge is None:
        return np.full(len(query_ids), -1)
    place = {query.query_id: number for number, s in enumerate(challenge.scenarios) for query in s.queries}
    return np.array([place[query_id] for query_id in query_ids], np.int64)


def _individuals(query_ids: list[str], challenge: Challenge | None) -> tuple[IntArray, bool]:
    if challenge is None or challenge.identity_column is None:
        return np.arange(len(query_ids)), False
    animals = identities(challenge)
    animal = {query.query_id: animals.get(query.image_id) for s in challenge.scenarios for query in s.queries}
    # An unknown animal may be any: its query stands for itself, under a name that no animal has.
    named = [animal[query_id] or f"\0{query_id}" for query_id in query_ids]
    return ids_of(named).codes, True
