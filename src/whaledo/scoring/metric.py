"""The metric: average precision of every query at once, and mAP@20.

Average precision is the step integral over the distinct scores of a query: tied rows are one threshold, so their
order says nothing. It is scaled by the hits found over min(number of relevant images, 20). The value equals that
of scikit-learn's `average_precision_score` and a mean in pandas to the last bit, which takes the same operations
in the same order of additions; each step below says which. There is no loop over queries: queries with equally
many rows are the rows of one matrix.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whaledo.challenge.columns import BoolArray, FloatArray
from whaledo.challenge.sheet import IntArray

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PerQuery:
    """What each query's ranking is worth; all arrays have shape (queries,).

    Attributes:
        average_precision: over the ranked rows only, as if no relevant image were missing among them.
        hits: how many relevant images were found.
        first_hit: the place of the first one, from 1; 0: none. A hit that is tied stands at the end of its tie.
    """

    average_precision: FloatArray
    hits: IntArray
    first_hit: IntArray

    def adjusted(self, relevant: IntArray, limit: int) -> FloatArray:
        """Average precision at `limit`, given how many relevant images each query has; 0 where it has none."""
        # The published scorer multiplies first, then divides.
        found = self.average_precision * self.hits
        return np.divide(found, np.minimum(relevant, limit), out=np.zeros(len(found)), where=relevant > 0)


def measure(queries: IntArray, scores: FloatArray, is_hit: BoolArray, count: int) -> PerQuery:
    """Measure the rankings of all queries.

    Args:
        queries: shape (rows,): the number of each row's query.
        scores: shape (rows,): in [0, 1].
        is_hit: shape (rows,): whether the row's image is relevant for its query.
        count: how many queries there are.
    """
    # One key sorts by score and carries the hit: the bits of a float rise with its value, and the highest, its
    # sign, is of no use here. Without it, -0.0 ties with 0.0.
    keys = (scores.view(np.uint64) << np.uint64(1)) | is_hit
    if (np.diff(queries) < 0).any():
        keys = keys[np.argsort(queries, kind="stable")]
    sizes = np.bincount(queries, minlength=count)
    starts = np.cumsum(sizes) - sizes
    precision, hits, first_hit = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
    for size in _distinct(sizes):
        alike = np.flatnonzero(sizes == size)
        block = np.sort(keys[starts[alike][:, np.newaxis] + np.arange(size)], axis=1)
        precision[alike], hits[alike], first_hit[alike] = _measure_block(block)
    return PerQuery(precision, hits, first_hit)


def _measure_block(keys: NDArray[np.uint64]) -> tuple[FloatArray, IntArray, IntArray]:
    """Measure queries with equally many rows; `keys` has shape (queries, rows), rising along each row."""
    queries, size = keys.shape
    is_hit = (keys & np.uint64(1)).astype(np.bool_)
    hits = is_hit.sum(axis=1)
    # A threshold is where a new score begins, from the lowest up: the order in which scikit-learn adds.
    is_threshold = np.ones((queries, size), np.bool_)
    is_threshold[:, 1:] = np.diff(keys >> np.uint64(1), axis=1) != 0
    place = np.arange(size)
    threshold = np.maximum.accumulate(np.where(is_threshold, place, 0), axis=1)
    highest_hit = size - 1 - np.argmax(is_hit[:, ::-1], axis=1)
    first_hit = size - threshold[np.arange(queries), highest_hit]
    first_hit[hits == 0] = 0

    is_threshold[hits == 0] = False
    hits_above = (hits[:, np.newaxis] - (np.cumsum(is_hit, axis=1) - is_hit))[is_threshold]
    rows_above = np.broadcast_to(size - place, keys.shape)[is_threshold]
    thresholds = is_threshold.sum(axis=1)
    ends = np.cumsum(thresholds)
    recall = hits_above / np.repeat(hits, thresholds)
    recall_above = np.append(recall[1:], 0.0)[: len(recall)]
    recall_above[ends[thresholds > 0] - 1] = 0.0
    steps = (recall - recall_above) * (hits_above / rows_above)

    precision = np.zeros(queries)
    for number in _distinct(thresholds):
        alike = np.flatnonzero(thresholds == number)
        # Summing along the contiguous axis adds pairwise, just as a plain `sum` of one query's steps does.
        own = (ends[alike] - number)[:, np.newaxis] + np.arange(number)
        precision[alike] = steps[own].sum(axis=1)
    return precision, hits, first_hit


def _distinct(counts: IntArray) -> list[int]:
    """The distinct counts above 0."""
    # `np.unique` would sort, and import numpy.ma, which takes 20 ms.
    return (np.flatnonzero(np.bincount(counts)[1:]) + 1).tolist()


def mean(values: FloatArray, is_scored: BoolArray) -> float:
    """The mean of the scored queries' values; `values` stand in the order of `order_of_additions`.

    The others hold 0 and keep their place: the published scorer has a NaN there, which pandas replaces by 0 before
    it adds pairwise, so that leaving them out would change the last bit.
    """
    return float(values.sum() / np.float64(is_scored.sum()))


def order_of_additions(query_ids: Sequence[str]) -> IntArray:
    """The order in which the queries' values are added: by id, as text, or as numbers if all of them are."""
    key: Sequence[str] | Sequence[float] = query_ids
    if all(map(_INTEGER.fullmatch, query_ids)):
        key = list(map(int, query_ids))
    elif all(map(_NUMBER.fullmatch, query_ids)):
        key = list(map(float, query_ids))
    return np.array(sorted(range(len(query_ids)), key=key.__getitem__), np.int64)
