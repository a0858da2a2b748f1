"""The numbers behind a judged report's figures that scoring itself doesn't give.

How the scores of right and wrong pairs spread, whether a score means a probability, which two animals are mixed
up, and how sure each scenario's score is. Everything here also goes into the page as JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from whaledo.challenge.identities import identities
from whaledo.challenge.model import Challenge
from whaledo.report.gallery import Candidates
from whaledo.report.text import short
from whaledo.scoring.evaluate import Judged
from whaledo.scoring.uncertainty import interval

SCORE_BINS = 20
RELIABILITY_BINS = 10
MOST_PAIRS = 12
"""So many pairs of animals are listed."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The pairs with about one score.

    Attributes:
        mean_score: of them.
        right: the share of them that is right.
        pairs: how many there are.
    """

    mean_score: float
    right: float
    pairs: int


@dataclass(frozen=True, slots=True)
class ScoreSpread:
    """The scores of all ranked pairs of scored queries.

    Attributes:
        right: how many right pairs there are in each of `SCORE_BINS` equal steps from 0 to 1.
        wrong: the same of wrong pairs.
        reliability: right pairs among all, by score; only where there are any.
        calibration_error: the mean distance between score and share of right pairs, weighted by pairs.
    """

    right: tuple[int, ...]
    wrong: tuple[int, ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Two animals, one of which was ranked first for a photograph of the other.

    Attributes:
        animal: the queries' animal, and
        taken_for: the one ranked first; either way round in other queries.
        queries: in how many queries that happened.
        query_image: an example, the one with the highest score: the query's photograph,
        answer_image: and what was ranked first.
        score: its score.
    """

    animal: str
    taken_for: str
    queries: int
    query_image: str
    answer_image: str
    score: float


def score_spread(judged: Judged) -> ScoreSpread | None:
    """Bin the scores of all ranked pairs of scored queries; None where there are none."""
    joined = judged.joined
    is_scored = (joined.relevant > 0)[joined.row_query]
    scores, right = joined.row_score[is_scored], joined.row_label[is_scored] >= 0
    if not len(scores):
        return None
    counts = [np.histogram(scores[chosen], SCORE_BINS, (0, 1))[0].tolist() for chosen in (right, ~right)]
    place = np.minimum((scores * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
    pairs, sums, hits = (
        np.bincount(place, weights, RELIABILITY_BINS) for weights in (None, scores, right.astype(np.float64))
    )
    bins = tuple(
        ReliabilityBin(float(sums[n] / pairs[n]), float(hits[n] / pairs[n]), int(pairs[n]))
        for n in np.flatnonzero(pairs).tolist()
    )
    error = sum(abs(each.mean_score - each.right) * each.pairs for each in bins) / len(scores)
    return ScoreSpread(tuple(counts[0]), tuple(counts[1]), bins, float(error))


def scenario_intervals(judged: Judged, challenge: Challenge, seed: int) -> list[tuple[float, float] | None]:
    """The 95 % interval of each scenario's score; None where there are fewer than two animals."""
    scored = judged.evaluation.of(judged.evaluation.is_scored)
    chosen = [scored.of(scored.scenario == number) for number in range(len(challenge.scenarios))]
    return [interval(each.average_precision, each.individual, seed=seed) for each in chosen]


def confused_pairs(
    challenge: Challenge, judged: Judged, candidates: Mapping[str, Candidates]
) -> list[ConfusedPair]:
    """Which two animals are mixed up, most often first; by the first row of each scored query."""
    if challenge.identity_column is None:
        return []
    animals = identities(challenge)
    counts: Counter[frozenset[str]] = Counter()
    examples: dict[frozenset[str], tuple[float, str, str]] = {}
    scored = {judged.joined.query_ids[number] for number in np.flatnonzero(judged.joined.relevant).tolist()}
    for query in (query for scenario in challenge.scenarios for query in scenario.queries):
        ranked = candidates.get(query.query_id)
        if ranked is None or query.query_id not in scored:
            continue
        answer, score = ranked.images[0], ranked.scores[0]
        pair = frozenset((animals.get(query.image_id, ""), animals.get(answer, "")))
        if len(pair) < 2 or "" in pair:
            continue
        counts[pair] += 1
        if pair not in examples or score > examples[pair][0]:
            examples[pair] = score, query.image_id, answer
    most = sorted(counts, key=lambda pair: (-counts[pair], -examples[pair][0], sorted(pair)))[:MOST_PAIRS]
    return [_confused(counts[pair], examples[pair], animals) for pair in most]


def _confused(queries: int, example: tuple[float, str, str], animals: Mapping[str, str]) -> ConfusedPair:
    score, query_image, answer_image = example
    names = short(animals[query_image]), short(animals[answer_image])
    return ConfusedPair(*names, queries, query_image, answer_image, score)
