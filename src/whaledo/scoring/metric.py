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

ROWS_AT_ONCE = 80_000
"""How many rows are measured at once: so few that all stays in the processor's cache."""

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
        queries: shape (rows,): the number of each row's query; never falls.
        scores: shape (rows,): in [0, 1].
        is_hit: shape (rows,): whether the row's image is relevant for its query.
        count: how many queries there are.
    """
    # One key sorts by score and carries the hit: the bits of a float rise with its value, and the highest, its
    # sign, is of no use here. Without it, -0.0 ties with 0.0.
    keys = (scores.view(np.uint64) << np.uint64(1)) | is_hit
    sizes = np.bincount(queries, minlength=count)
    starts = np.cumsum(sizes) - sizes
    precision, hits, first_hit = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
    for size in _distinct(sizes):
        alike = np.flatnonzero(sizes == size)
        at_once = max(1, ROWS_AT_ONCE // size)
        for start in range(0, len(alike), at_once):
            part = alike[start : start + at_once]
            block = np.sort(keys[starts[part][:, np.newaxis] + np.arange(size)], axis=1)
            precision[part], hits[part], first_hit[part] = _measure_block(block)
    return PerQuery(precision, hits, first_hit)


def _measure_block(keys: NDArray[np.uint64]) -> tuple[FloatArray, IntArray, IntArray]:
    """Measure queries with equally many rows; `keys` has shape (queries, rows), rising along each row."""
    queries, size = keys.shape
    threshold, begin, thresholds = _thresholds(keys)
    query, place = np.nonzero(keys & np.uint64(1))
    hits = np.bincount(query, minlength=queries)
    # Of the hits on one threshold, the first stands for all: from it up, hits and rows are those not below it.
    hit = np.flatnonzero(_differs(query) | _differs(threshold[query, place]))
    query, place = query[hit], place[hit]
    hits_above = hits[query] - (hit - (np.cumsum(hits) - hits)[query])
    rows_above = size - begin[query, place]
    is_highest = _differs(query[::-1])[::-1]
    hits_next = np.where(is_highest, 0, np.append(hits_above[1:], 0)[: len(hit)])
    first_hit = np.zeros(queries, np.int64)
    first_hit[query[is_highest]] = rows_above[is_highest]

    # A step for every threshold, from the lowest up, as scikit-learn has them; it is 0 where there are no hits.
    recall, recall_next = hits_above / hits[query], hits_next / hits[query]
    steps = np.zeros(keys.shape)
    steps[query, threshold[query, place]] = (recall - recall_next) * (hits_above / rows_above)
    precision = np.zeros(queries)
    for number in _distinct(thresholds):
        alike = np.flatnonzero(thresholds == number)
        # Summing along the contiguous axis adds pairwise, just as a plain `sum` of one query's steps does.
        precision[alike] = steps[alike, :number].sum(axis=1)
    return precision, hits, first_hit


def _thresholds(keys: NDArray[np.uint64]) -> tuple[IntArray, IntArray, IntArray]:
    """The number of each row's threshold and the place where it begins, and how many thresholds a query has."""
    queries, size = keys.shape
    place = np.broadcast_to(np.arange(size), keys.shape)
    is_new = np.ones(keys.shape, np.bool_)
    # Keys of one score differ at most in their lowest bit.
    is_new[:, 1:] = (keys[:, 1:] ^ keys[:, :-1]) > 1
    if is_new.all():
        return place, place, np.full(queries, size)
    number = np.cumsum(is_new, axis=1) - 1
    return number, np.maximum.accumulate(np.where(is_new, place, 0), axis=1), number[:, -1] + 1


def _differs(values: IntArray) -> BoolArray:
    """Whether each value differs from the one before it; the first does."""
    return np.concatenate([[True], values[1:] != values[:-1]])[: len(values)]


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
