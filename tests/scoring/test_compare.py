"""Two submissions: the paired difference, and a sentence that claims no more than the data shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whaledo.errors import BadRankings
from whaledo.scoring.compare import CompareRequest, CompareResult, compare
from whaledo.scoring.rankings import HEADER

Write = Callable[..., Path]

QUERIES = 120


@pytest.fixture
def labels(write: Write) -> Path:
    """One right answer for each query."""
    return write(
        "query_id,database_image_id\n" + "".join(f"q{query:03},right\n" for query in range(QUERIES)),
        "labels.csv",
    )


@pytest.fixture
def submission(write: Write) -> Callable[[str, list[int]], Path]:
    """A file that puts the right answer of each query at a given place."""

    def submission(name: str, places: list[int]) -> Path:
        lines = [HEADER]
        for query, place in enumerate(places):
            images = ["wrong"] * (place - 1) + ["right"]
            lines += [
                f"q{query:03},{image}{n if image == 'wrong' else ''},{1 - n / 20}"
                for n, image in enumerate(images)
            ]
        return write("\n".join(lines), name)

    return submission


def places(seed: int, best: int) -> list[int]:
    return [int(place) for place in np.random.default_rng(seed).integers(best, best + 4, QUERIES)]


def compared(a: Path, b: Path, labels: Path) -> CompareResult:
    return compare(CompareRequest(str(a), str(b), str(labels)))


def test_a_better_submission_is_named_whichever_comes_first(
    submission: Callable[[str, list[int]], Path], labels: Path
) -> None:
    good, bad = submission("good.csv", places(1, 1)), submission("bad.csv", places(2, 2))
    result, turned = compared(good, bad, labels), compared(bad, good, labels)

    assert result.overall.is_shown
    assert result.sentence.startswith(f"{good} is better: +0.")
    assert turned.sentence.startswith(f"{good} is better: +0.")
    assert result.overall.difference == -turned.overall.difference == result.overall.a - result.overall.b
    assert (result.better, result.worse) == (turned.worse, turned.better)


def test_what_may_be_luck_is_called_no_difference(
    submission: Callable[[str, list[int]], Path], labels: Path
) -> None:
    result = compared(submission("a.csv", places(1, 1)), submission("b.csv", places(2, 1)), labels)

    assert not result.overall.is_shown
    assert result.sentence.startswith("no difference that this data can show (")


def test_the_difference_is_paired(submission: Callable[[str, list[int]], Path], labels: Path) -> None:
    hard_and_easy = [1 if query % 2 else 10 for query in range(QUERIES)]
    slightly_worse = [place + (place == 10) for place in hard_and_easy]
    result = compared(submission("a.csv", hard_and_easy), submission("b.csv", slightly_worse), labels)

    assert result.overall.difference == pytest.approx((1 / 10 - 1 / 11) / 2)
    assert result.overall.is_shown


def test_the_queries_that_changed_most_come_first(
    submission: Callable[[str, list[int]], Path], labels: Path
) -> None:
    before, after = [4] * QUERIES, [4] * QUERIES
    after[7], after[9], before[8] = 1, 2, 2
    result = compared(submission("a.csv", before), submission("b.csv", after), labels)

    assert [(change.query_id, change.a, change.b) for change in result.changed] == [
        ("q007", 1 / 4, 1.0),
        ("q008", 1 / 2, 1 / 4),
        ("q009", 1 / 4, 1 / 2),
    ]
    assert (result.better, result.worse) == (1, 2)


def test_a_file_doesnt_differ_from_itself(submission: Callable[[str, list[int]], Path], labels: Path) -> None:
    path = submission("a.csv", places(1, 1))
    result = compared(path, path, labels)

    assert result.sentence == "no difference: every query is answered equally well"
    assert result.changed == ()


def test_scenarios_and_individuals_come_from_the_data_folder(write: Write, folder: Path) -> None:
    a = write([("one-a1", "a2", 1), ("one-z1", "b1", 1), ("two-b1", "b2", 1), ("two-a2", "a4", 1)], "a.csv")
    b = write([("one-a1", "b1", 1), ("two-b1", "b2", 1), ("two-a2", "c1", 1)], "b.csv")
    result = compare(CompareRequest(str(a), str(b), data=str(folder)))

    assert result.resampled == "individuals"
    assert [(s.name, s.queries, s.a, s.b) for s in result.scenarios] == [
        ("one", 1, 1 / 3, 0.0),
        ("two", 2, 1.0, 0.5),
    ]
    assert result.scenarios[0].confidence_interval is None
    assert result.warnings == ()
    assert json.loads(json.dumps(result.to_json()))["overall"]["queries"] == 3


def test_a_file_that_breaks_the_rules_is_not_compared(write: Write, labels: Path) -> None:
    good, bad = write([("q001", "right", 1)], "good.csv"), write([("q001", "right", 2)], "bad.csv")

    with pytest.raises(BadRankings, match=r"bad\.csv breaks the rules"):
        compared(good, bad, labels)
