"""The demo must be worth trying things with: simple image methods find animals, the easier the scenario the more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from whaledo.challenge.identities import identity_labels
from whaledo.challenge.model import Challenge

Vector = NDArray[np.float64]
ROWS = 20


def colours(image: Image.Image) -> Vector:
    """How often each brightness, blueness and redness occurs in the front, middle and rear third."""
    pixels = np.asarray(image.resize((48, 144)).convert("YCbCr"))[:, 10:38] // np.array(
        [8, 4, 4], dtype=np.uint8
    )
    thirds = np.array_split(pixels, 3)
    counts = [np.bincount(third[..., k].ravel(), minlength=64) for third in thirds for k in range(3)]
    roots: Vector = np.sqrt(np.concatenate(counts))
    return roots


def thumbnail(image: Image.Image) -> Vector:
    grey = np.asarray(image.convert("L").resize((24, 72)), dtype=float).ravel()
    centred: Vector = grey - grey.mean()
    return centred


def gradients(image: Image.Image) -> Vector:
    """A histogram of gradient directions in each of 24 x 8 cells."""
    grey = np.sqrt(np.asarray(image.convert("L").resize((64, 192)), dtype=float))
    down, right = np.gradient(grey)
    bins = (np.arctan2(down, right) % np.pi * (9 / np.pi)).astype(int) % 9
    cells = np.arange(24).repeat(8)[:, None] * 8 + np.arange(8).repeat(8)
    votes = np.bincount((cells * 9 + bins).ravel(), np.hypot(down, right).ravel(), 24 * 8 * 9).reshape(-1, 9)
    evened: Vector = votes / (np.linalg.norm(votes, axis=1, keepdims=True) + 2)
    return evened.ravel()


METHODS: Mapping[str, Callable[[Image.Image], Vector]] = {
    "colours": colours,
    "thumbnail": thumbnail,
    "gradients": gradients,
}


def upright(challenge: Challenge, image_id: str) -> Image.Image:
    """The image with the head up."""
    image = challenge.images[image_id]
    turn = {"left": Image.Transpose.ROTATE_270, "right": Image.Transpose.ROTATE_90}.get(
        image.fields["viewpoint"]
    )
    picture = Image.open(challenge.folder / image.path)
    return picture if turn is None else picture.transpose(turn)


def average_precision(ranked: list[str], relevant: set[str]) -> float:
    hits = np.array([image_id in relevant for image_id in ranked[:ROWS]])
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum()) / min(len(relevant), ROWS)


@pytest.fixture(scope="module")
def scores(small_demo: Challenge) -> dict[str, dict[str, float]]:
    """mAP@20 of each method and of chance, for each scenario that has matches."""
    relevant: defaultdict[str, set[str]] = defaultdict(set)
    for query_id, image_id in identity_labels(small_demo):
        relevant[query_id].add(image_id)
    vectors: dict[str, dict[str, Vector]] = {}
    for name, describe in METHODS.items():
        described = {image_id: describe(upright(small_demo, image_id)) for image_id in small_demo.images}
        vectors[name] = {key: vector / np.linalg.norm(vector) for key, vector in described.items()}
    rng = np.random.default_rng(0)
    found: dict[str, dict[str, float]] = {}
    for scenario in small_demo.scenarios:
        asked = [query for query in scenario.queries if query.query_id in relevant]
        precisions: defaultdict[str, list[float]] = defaultdict(list)
        for query in asked:
            database = [image_id for image_id in scenario.database if image_id != query.image_id]
            for name, of in vectors.items():
                near = np.array([of[image_id] @ of[query.image_id] for image_id in database])
                ranked = [database[index] for index in np.argsort(-near, kind="stable")]
                precisions[name].append(average_precision(ranked, relevant[query.query_id]))
            for _ in range(8):
                shuffled = [database[index] for index in rng.permutation(len(database))]
                precisions["chance"].append(average_precision(shuffled, relevant[query.query_id]))
        if asked:
            found[scenario.scenario_id[11:]] = {name: float(np.mean(of)) for name, of in precisions.items()}
    return found


def test_the_best_simple_method_beats_chance_clearly_wherever_there_are_matches(
    scores: dict[str, dict[str, float]],
) -> None:
    assert set(scores) == {"own-database", "same-season", "other-year", "other-view"}
    for scenario, of in scores.items():
        assert max(of[name] for name in METHODS) > 1.8 * of["chance"], (scenario, of)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_encounter_is_easy_and_another_year_is_not(
    scores: dict[str, dict[str, float]], method: str
) -> None:
    assert scores["own-database"][method] > 5 * scores["own-database"]["chance"]
    assert scores["own-database"][method] > 2 * scores["other-year"][method]
