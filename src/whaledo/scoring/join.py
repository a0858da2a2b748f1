"""Bring rankings and labels into one numbering of queries and images, and find which rows are right.

The numbering is that of the rankings, by first appearance, so that a file written query by query is in order
already; queries that have labels and no rows come last. Only integers are compared from here on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from whaledo.challenge.columns import BoolArray, FloatArray, Ids, find
from whaledo.challenge.sheet import IntArray
from whaledo.challenge.truth import Labels
from whaledo.scoring.rankings import Rankings


@dataclass(frozen=True, slots=True)
class Join:
    """Rankings beside labels.

    Attributes:
        query_ids: every query that has a row or a label, by number.
        row_query: shape (rows,): the query of each row; never falls.
        row_score: shape (rows,): its score.
        row_label: shape (rows,): the label that makes the row right; -1: it is wrong.
        label_query: shape (labels,): the query of each label.
        label_image: shape (labels,): its image, as a place in the labels' own `images.names`.
    """

    query_ids: list[str]
    row_query: IntArray
    row_score: FloatArray
    row_label: IntArray
    label_query: IntArray
    label_image: IntArray

    def only(self, is_chosen: BoolArray) -> Join:
        """As if only the chosen labels were right; rows that the others make right are neither right nor wrong.

        Args:
            is_chosen: shape (labels,).
        """
        new_number = np.where(is_chosen, np.cumsum(is_chosen) - 1, -1)
        is_row = (self.row_label < 0) | is_chosen[self.row_label]
        old_label = self.row_label[is_row]
        return Join(
            self.query_ids,
            self.row_query[is_row],
            self.row_score[is_row],
            np.where(old_label < 0, -1, new_number[old_label]),
            self.label_query[is_chosen],
            self.label_image[is_chosen],
        )

    @property
    def relevant(self) -> IntArray:
        """How many right answers each query has; 0: it isn't scored."""
        return np.bincount(self.label_query, minlength=len(self.query_ids))

    @property
    def rows(self) -> IntArray:
        """How many rows each query has."""
        return np.bincount(self.row_query, minlength=len(self.query_ids))


def join(rankings: Rankings, labels: Labels) -> Join:
    """Find the label of each row, if it has one."""
    query_ids, label_query = _numbered(rankings.queries, labels.queries)
    label_image = find(labels.images.names, rankings.images.names)[labels.images.codes]
    pairs = rankings.pairs
    # A label is looked up among the sorted rows: there are fewer labels than rows.
    asked = np.flatnonzero((label_query < len(rankings.queries.names)) & (label_image >= 0))
    keys = label_query[asked] * pairs.width + label_image[asked]
    place = np.searchsorted(pairs.keys, keys)
    place[place == len(pairs.keys)] = 0
    is_found = pairs.keys[place] == keys if len(pairs.keys) else np.zeros(len(keys), np.bool_)
    row_label = np.full(len(rankings), -1)
    row_label[pairs.order[place[is_found]]] = asked[is_found]
    return Join(
        query_ids, rankings.queries.codes, rankings.scores, row_label, label_query, labels.images.codes
    )


def _numbered(first: Ids, then: Ids) -> tuple[list[str], IntArray]:
    """The names of two columns as one list, and the codes of the second as places in it."""
    place = find(then.names, first.names)
    new = place < 0
    place[new] = len(first.names) + np.arange(new.sum())
    names = then.distinct()
    return first.distinct() + [names[number] for number in np.flatnonzero(new).tolist()], place[then.codes]
