"""Broken down, a score counts the right answers of one kind, and rows of other kinds neither way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from whaledo.challenge.model import Challenge
from whaledo.challenge.truth import labels_of
from whaledo.scoring.breakdown import Group, break_down
from whaledo.scoring.evaluate import Truth, evaluate
from whaledo.scoring.join import join
from whaledo.scoring.rankings import Rankings

Make = Callable[[Iterable[tuple[str, str, float]]], Rankings]

ROWS = [
    *[("one-a1", "b1", 0.9), ("one-a1", "a2", 0.8), ("one-a1", "a4", 0.7), ("one-a1", "c1", 0.6)],
    *[("one-a1", "a3", 0.5), ("two-b1", "b2", 0.9), ("two-a2", "c1", 0.5), ("two-a2", "a4", 0.4)],
]
"""one-a1 has the answers a2 (same encounter), a3 (left, same year), a4 (other year); the others one each."""


def breakdowns(rankings: Rankings, challenge: Challenge) -> dict[str, tuple[Group, ...]]:
    truth = Truth(labels_of(challenge), challenge)
    joined = join(rankings, truth.labels)
    return {b.by: b.groups for b in break_down(joined, evaluate(joined, truth), truth)}


def test_the_time_gap_is_that_between_the_query_and_its_right_answer(
    rankings: Make, challenge: Challenge
) -> None:
    assert breakdowns(rankings(ROWS), challenge)["time gap"] == (
        # b1, a2: the others are neither right nor wrong; c1 is wrong
        Group("same encounter", 1, 1 / 2, 0.0),
        # b1, c1, a3
        Group("same year", 1, 1 / 3, 0.0),
        # b1, a4 of one-a1; b2; c1, a4 of two-a2
        Group("other year", 3, (1 / 2 + 1 + 1 / 2) / 3, 1 / 3),
    )


def test_the_viewpoint_pair_goes_from_the_query_to_the_right_answer(
    rankings: Make, challenge: Challenge
) -> None:
    assert breakdowns(rankings(ROWS), challenge)["viewpoint pair"] == (
        # b1, a2, a4, c1 of one-a1; c1, a4 of two-a2
        Group("top → top", 2, ((1 / 2 + 2 / 3) / 2 + 1 / 2) / 2, 0.0),
        # b1, c1, a3; b2
        Group("top → left", 2, (1 / 3 + 1) / 2, 1 / 2),
    )


def test_queries_are_grouped_by_the_number_of_their_animals_images(
    rankings: Make, challenge: Challenge
) -> None:
    whole = (1 / 2 + 2 / 3 + 3 / 5) / 3
    groups = breakdowns(rankings(ROWS), challenge)["database images of the animal"]

    assert [(group.name, group.queries, group.top_1) for group in groups] == [
        ("1", 2, 1 / 2),
        ("2 to 4", 1, 0.0),
    ]
    assert [group.mean_average_precision for group in groups] == pytest.approx([3 / 4, whole])


def test_what_the_metadata_doesnt_say_isnt_broken_down(rankings: Make, challenge: Challenge) -> None:
    poor = replace(challenge, columns=("image_id", "path", "whale_id"))

    assert [*breakdowns(rankings(ROWS), poor)] == ["database images of the animal"]
    labels = labels_of(challenge)
    joined = join(rankings(ROWS), labels)
    assert break_down(joined, evaluate(joined, Truth(labels, None)), Truth(labels, None)) == ()


def test_unknown_dates_and_encounters_are_in_no_time_gap(rankings: Make, challenge: Challenge) -> None:
    images = {
        name: replace(image, fields={**image.fields, "date": "", "encounter_id": ""})
        for name, image in challenge.images.items()
    }

    assert breakdowns(rankings(ROWS), replace(challenge, images=images))["time gap"] == ()
