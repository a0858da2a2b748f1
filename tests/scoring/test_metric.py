"""The metric equals scikit-learn's route to the last bit, in whatever order rows and queries come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.scoring.metric import mean, measure, order_of_additions

ONE_BELOW = float(np.nextafter(0.5, 0))
SCORES = st.sampled_from(
    [0.0, -0.0, 5e-324, 0.1, ONE_BELOW, 0.5, float(np.nextafter(0.5, 1)), 1.0]
) | st.floats(0, 1)
ROWS = st.lists(st.tuples(st.integers(0, 11), SCORES, st.booleans()), max_size=150)


@pytest.fixture(scope="session")
def plain(plain_ap: Callable[[list[tuple[float, bool]], int, int], float]) -> Callable[..., list[float]]:
    """The value of each query, one after the other."""

    def plain(rows: list[tuple[int, float, bool]], relevant: list[int], limit: int) -> list[float]:
        by_query = defaultdict(list)
        for query, score, is_hit in rows:
            by_query[query].append((score, is_hit))
        return [plain_ap(by_query[query], number, limit) for query, number in enumerate(relevant)]

    return plain


def ours(rows: list[tuple[int, float, bool]], relevant: list[int], limit: int = 20) -> list[float]:
    rows = sorted(rows, key=lambda row: row[0])
    queries, scores, hits = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    measured = measure(
        np.asarray(queries, np.int64), np.asarray(scores, float), np.asarray(hits, bool), len(relevant)
    )
    return list(map(float, measured.adjusted(np.array(relevant), limit)))


@settings(deadline=None, max_examples=100)
@given(rows=ROWS, more=st.integers(1, 40), limit=st.sampled_from([1, 5, 20]))
def test_every_query_is_worth_what_scikit_learn_says(
    plain: Callable[..., list[float]], rows: list[tuple[int, float, bool]], more: int, limit: int
) -> None:
    relevant = [sum(is_hit for q, _, is_hit in rows if q == query) + more for query in range(12)]

    assert ours(rows, relevant, limit) == plain(rows, relevant, limit)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 16, 17, 20, 127, 128, 129, 1000])
def test_steps_are_added_in_scikit_learns_order_however_many_there_are(
    plain: Callable[..., list[float]], size: int
) -> None:
    draws = np.random.default_rng(size)
    rows = [
        (query, float(score), bool(is_hit))
        for query in range(3)
        for score, is_hit in zip(draws.random(size), draws.random(size) < 0.6, strict=True)
    ]

    assert ours(rows, [size] * 3) == plain(rows, [size] * 3, 20)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, seed=st.integers(0, 99))
def test_the_order_of_rows_says_nothing(rows: list[tuple[int, float, bool]], seed: int) -> None:
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]

    assert ours(rows, [30] * 12) == ours(shuffled, [30] * 12)


def test_tied_rows_are_one_threshold() -> None:
    tied = [(0, 0.5, False), (0, 0.5, True)]

    assert ours(tied, [1]) == [0.5]
    assert ours([(0, ONE_BELOW, False), (0, 0.5, True)], [1]) == [1.0]


def test_a_query_without_right_answers_is_worth_nothing() -> None:
    assert ours([(0, 0.5, False)], [0]) == [0.0]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([(0.9, True), (0.8, False)], 1),
        ([(0.8, True), (0.9, False)], 2),
        ([(0.9, False), (0.8, True), (0.8, False), (0.7, True)], 3),
        ([(0.5, True), (0.5, True)], 2),
        ([(0.5, False)], 0),
    ],
    ids=["first", "second", "end of its tie", "tied hits", "none"],
)
def test_the_first_hit_stands_at_the_end_of_its_tie(rows: list[tuple[float, bool]], place: int) -> None:
    scores, hits = np.array([score for score, _ in rows]), np.array([is_hit for _, is_hit in rows])

    assert measure(np.zeros(len(rows), np.int64), scores, hits, 1).first_hit.tolist() == [place]


def test_the_mean_adds_as_pandas_does() -> None:
    draws = np.random.default_rng(3)
    differs = 0
    for size in range(1, 400):
        values, is_scored = draws.random(size), draws.random(size) < 0.8
        is_scored[0] = True
        in_pandas = pd.Series(np.where(is_scored, values, np.nan)).mean()
        differs += in_pandas != sum(values[is_scored]) / is_scored.sum()

        assert mean(np.where(is_scored, values, 0.0), is_scored) == in_pandas
    assert differs > 100, "adding one after the other gives the same: the test shows nothing"


@pytest.mark.parametrize(
    ("ids", "ordered"),
    [
        (["q10", "q9", "Q1"], ["Q1", "q10", "q9"]),
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10", "9.5", "9"], ["9", "9.5", "10"]),
        (["9007199254740993", "9007199254740992"], ["9007199254740992", "9007199254740993"]),
        (["10", "9", "NA"], ["10", "9", "NA"]),
        (["é", "z", "\U0001d49c", "ﬀ"], ["z", "é", "ﬀ", "\U0001d49c"]),
    ],
)
def test_values_are_added_in_the_order_that_pandas_gives_the_ids(ids: list[str], ordered: list[str]) -> None:
    assert [ids[place] for place in order_of_additions(ids)] == ordered
