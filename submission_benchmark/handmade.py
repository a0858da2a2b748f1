"""Compare photographs without any network: colours, texture and patterns, each as evidence, together a probability.

Similarities of different kinds can't be added; evidence can: how rare it is to be as alike. All kinds count alike,
because weights that suit one species or one camera don't suit the next. What makes log odds of their sum was fitted
on drawn animals only (`benchmarks/benchmark_submission.py --calibrate`; docs/benchmark.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from appearance import (
    LEARNT_FROM,
    Space,
    describe_colours,
    describe_gradients,
    describe_grain,
    stand_up,
)
from patterns import NOTHING, Pattern, PatternIndex, find_pattern
from photographs import ahead, read_photograph, with_progress

LONG_SIDE = 512  # pixels that photographs are decoded to
DIRECTIONS = 128
SHORTLIST = 30  # images of which the geometry is looked at, for each query
SPEAKERS = 5  # images of the database that speak for others at the end, for each query


@dataclass(frozen=True)
class Calibration:
    """What makes a probability of evidence.

    Attributes:
        start: log odds of "the same animal" without evidence, in a database of one image; n images: minus log n.
        weight: log odds that a unit of evidence adds.
    """

    start: float
    weight: float

    def probability(self, evidence: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(np.log(evidence.shape[1]) - self.start - self.weight * evidence))


ALL = Calibration(start=-0.05, weight=0.47)
APPEARANCE = Calibration(start=-0.04, weight=0.63)


@dataclass(frozen=True)
class Evidence:
    """What speaks for each pair being one animal: queries x database.

    Attributes:
        comparable: true where both are seen from the same side, as far as is known. From different sides no marks
            and no texture can be the same, and what they say is left out.
    """

    colours: np.ndarray
    texture: np.ndarray
    patterns: np.ndarray
    comparable: np.ndarray

    def total(self) -> np.ndarray:
        return self.colours + np.where(self.comparable, self.texture + self.patterns, 0)


@dataclass(frozen=True)
class Description:
    """What is kept of a photograph."""

    colours: np.ndarray
    gradients: np.ndarray
    grain: np.ndarray
    pattern: Pattern


def describe(path: Path) -> Description | None:
    photograph = read_photograph(path, LONG_SIDE)
    if photograph is None:
        return None
    upright = stand_up(photograph)
    return Description(
        describe_colours(upright).astype(np.float16),
        describe_gradients(upright).astype(np.float16),
        describe_grain(upright).astype(np.float16),
        find_pattern(upright),
    )


def standing_out(similarities: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How far each similarity stands out among its row's, in standard deviations; 0 where none does.

    Args:
        similarities: queries x database.
        own: the same shape, true where a query meets its own photograph, which says nothing.
    """
    others = np.where(own, np.nan, similarities)
    counted = np.maximum((~own).sum(axis=1, keepdims=True), 1)
    mean = np.nansum(others, axis=1, keepdims=True) / counted
    deviation = np.sqrt(np.nansum((others - mean) ** 2, axis=1, keepdims=True) / counted)
    return np.where(own, 0, (similarities - mean) / np.maximum(deviation, 1e-6))


def of_votes(similarities: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Evidence from votes: minus the logarithm of how rare it is to stand out so far by chance (normal law)."""
    return np.maximum(standing_out(np.sqrt(similarities), own), 0) ** 2 / 2


class Rarity:
    """How rarely two photographs of a database are as alike as a pair is."""

    def __init__(self, similarities: np.ndarray, own: np.ndarray) -> None:
        # No pair is more alike than a photograph is to itself: 1.
        self.known = np.sort(np.append(similarities[~own], 1.0))
        self.surprises = -np.log(np.linspace(1, 0, len(self.known), endpoint=False))

    def surprise(self, similarities: np.ndarray) -> np.ndarray:
        """Minus the logarithm of the share of pairs that are as alike or more."""
        return np.interp(similarities, self.known, self.surprises)


class HandMade:
    """Compares photographs by three descriptions, each of which is made once.

    Args:
        views: for each photograph from which side it was taken; empty where that isn't known.
    """

    def __init__(self, threads: int, views: np.ndarray) -> None:
        self.threads = threads
        self.views = views
        self.colours: np.ndarray
        self.gradients: np.ndarray
        self.grain: np.ndarray
        self.patterns: list[Pattern]

    def look_at(self, paths: Sequence[Path]) -> None:
        """Describe every photograph."""
        descriptions = ahead(describe, paths, self.threads)
        found = list(with_progress(descriptions, len(paths), "described"))
        readable = next((one for one in found if one is not None), None)
        if readable is None:
            raise SystemExit("No photograph can be read: see the lines above.")
        neutral = Description(0 * readable.colours, 0 * readable.gradients, 0 * readable.grain, NOTHING)
        made = [one or neutral for one in found]
        self.colours = np.stack([one.colours for one in made])
        self.gradients = np.stack([one.gradients for one in made])
        self.grain = np.stack([one.grain for one in made])
        self.patterns = [one.pattern for one in made]

    def colours_of(self, photographs: np.ndarray) -> list[np.ndarray]:
        return [self.colours[photographs].astype(np.float32)]

    def texture_of(self, photographs: np.ndarray) -> list[np.ndarray]:
        return [kind[photographs].astype(np.float32) for kind in (self.gradients, self.grain)]

    def against(self, database: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Prepare to compare with a database.

        Args:
            database: the numbers of its photographs, in the order in which they were looked at.

        Returns:
            A function from the numbers of queries to probabilities: queries x database.
        """
        comparison = Comparison(self, database)
        return lambda queries: comparison.rerank(
            queries, ALL.probability(comparison.evidence(queries).total())
        )


class Comparison:
    """A database with what is needed to compare queries with it: all that is learnt is learnt from the database."""

    def __init__(self, seen: HandMade, database: np.ndarray) -> None:
        self.seen, self.database = seen, database
        colours, texture = seen.colours_of(database), seen.texture_of(database)
        self.colour_space, self.texture_space = Space(colours), Space(texture, DIRECTIONS)
        self.colours, self.texture = self.colour_space.embed(colours), self.texture_space.embed(texture)
        some = np.arange(0, len(database), -(-len(database) // LEARNT_FROM))
        own = database[some, None] == database
        self.rarity = Rarity(self.colours[some] @ self.colours.T, own)
        self.index = PatternIndex([seen.patterns[number] for number in database])

    def evidence(self, queries: np.ndarray) -> Evidence:
        """All evidence. Where the marks lie is only looked at for those on the shortlist."""
        own = queries[:, None] == self.database
        places = np.where(own.any(axis=1), own.argmax(axis=1), -1)
        asked = [self.seen.patterns[number] for number in queries]
        votes = self.index.vote(asked, places)
        similarities = np.stack([one.of_images(len(self.database)) for one in votes])
        appearance = self._appearance(
            queries,
            self.colour_space.embed(self.seen.colours_of(queries)),
            self.texture_space.embed(self.seen.texture_of(queries)),
        )
        found = replace(appearance, patterns=of_votes(similarities, own))
        promising = best_first(found.total(), own)
        for row, shortlist in enumerate(promising[:, :SHORTLIST]):
            for image in shortlist:
                similarities[row, image] += self.index.check(asked[row], votes[row], image)
        return replace(found, patterns=of_votes(similarities, own))

    def _appearance(self, photographs: np.ndarray, colours: np.ndarray, texture: np.ndarray) -> Evidence:
        """Evidence from colours and from texture: one matrix product each."""
        own = photographs[:, None] == self.database
        views, known = self.seen.views[photographs][:, None], self.seen.views[self.database]
        return Evidence(
            np.where(own, 0, self.rarity.surprise(colours @ self.colours.T)),
            standing_out(texture @ self.texture.T, own),
            np.zeros(own.shape),
            (views == known) | (views == "") | (known == ""),
        )

    def rerank(self, queries: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Let the best images of the database speak too, each as loud as it is probable.

        Who looks like an image of the same animal is probably the same animal.
        """
        own = queries[:, None] == self.database
        best = best_first(probabilities, own)[:, :SPEAKERS]
        loudness = np.take_along_axis(np.where(own, 0, probabilities), best, axis=1)
        speakers, places = np.unique(best, return_inverse=True)
        said = APPEARANCE.probability(
            self._appearance(self.database[speakers], self.colours[speakers], self.texture[speakers]).total()
        )
        said[np.arange(len(speakers)), speakers] = 1
        mixed = probabilities.copy()
        for loud, place in zip(loudness.T, places.reshape(best.shape).T, strict=True):
            mixed += loud[:, None] * said[place]
        return mixed / (1 + loudness.sum(axis=1, keepdims=True))


def best_first(scores: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The columns of each row, the best first and a query's own photograph last."""
    return np.argsort(np.where(own, np.inf, -scores), axis=1, kind="stable")
