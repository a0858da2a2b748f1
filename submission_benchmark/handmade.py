"""Compare photographs without any network: colours, texture and patterns, each as evidence, together a probability.

Three similarities of different kinds can't be added. What is comparable is how far a similarity stands out among
those of the same query to the whole database, in standard deviations: that is the evidence. All kinds count alike,
because weights that suit one species or one camera don't suit the next. What makes log odds of their sum was fitted
on drawn animals only (`benchmarks/benchmark_submission.py --calibrate`; docs/benchmark.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from appearance import Space, describe_colours, describe_gradients, describe_grain, stand_up
from patterns import NOTHING, Pattern, PatternIndex, find_pattern
from photographs import ahead, read_photograph, with_progress

LONG_SIDE = 512  # pixels that photographs are decoded to
DIRECTIONS = 128
SHORTLIST = 30  # images of which the geometry is looked at, for each query
OWN_PART, PARTS_OF_BEST = 0.6, (0.25, 0.15)  # of a probability: the query's own, those of its best images


@dataclass(frozen=True)
class Calibration:
    """What makes a probability of evidence.

    Attributes:
        kinds: of evidence that count.
        start: log odds of "the same animal" without evidence, in a database of one image; n images: minus log n.
        weight: log odds that a standard deviation adds.
    """

    kinds: tuple[str, ...]
    start: float
    weight: float

    def probability(self, found: dict[str, np.ndarray]) -> np.ndarray:
        total = sum(found[kind] for kind in self.kinds)
        return 1 / (1 + np.exp(np.log(found[self.kinds[0]].shape[1]) - self.start - self.weight * total))


ALL = Calibration(("colours", "texture", "patterns"), start=0.35, weight=0.52)
APPEARANCE = Calibration(("colours", "texture"), start=0.49, weight=0.66)


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


def evidence(similarities: np.ndarray, own: np.ndarray) -> np.ndarray:
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


class HandMade:
    """Compares photographs by three descriptions, each of which is made once."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.colours: np.ndarray
        self.gradients: np.ndarray
        self.grain: np.ndarray
        self.patterns: list[Pattern]

    def look_at(self, paths: Sequence[Path]) -> None:
        """Describe every photograph."""
        cv2.setNumThreads(1)  # one photograph a thread is faster than a photograph for all threads
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
        return lambda queries: comparison.rerank(queries, comparison.probabilities(queries))


class Comparison:
    """A database with what is needed to compare queries with it: all that is learnt is learnt from the database."""

    def __init__(self, seen: HandMade, database: np.ndarray) -> None:
        self.seen, self.database = seen, database
        colours, texture = seen.colours_of(database), seen.texture_of(database)
        self.colour_space, self.texture_space = Space(colours), Space(texture, DIRECTIONS)
        self.colours, self.texture = self.colour_space.embed(colours).T, self.texture_space.embed(texture).T
        self.index = PatternIndex([seen.patterns[number] for number in database])

    def appearance(self, queries: np.ndarray) -> dict[str, np.ndarray]:
        """Evidence from colours and from texture: one matrix product each."""
        own = queries[:, None] == self.database
        colours = self.colour_space.embed(self.seen.colours_of(queries))
        texture = self.texture_space.embed(self.seen.texture_of(queries))
        return {
            "colours": evidence(colours @ self.colours, own),
            "texture": evidence(texture @ self.texture, own),
        }

    def probabilities(self, queries: np.ndarray) -> np.ndarray:
        """The probability of each pair, from all evidence."""
        return ALL.probability(self.evidence(queries))

    def evidence(self, queries: np.ndarray) -> dict[str, np.ndarray]:
        """All evidence. Where the marks lie is only looked at for those on the shortlist."""
        own = queries[:, None] == self.database
        places = np.where(own.any(axis=1), own.argmax(axis=1), -1)
        asked = [self.seen.patterns[number] for number in queries]
        votes = self.index.vote(asked, places)
        similarities = np.stack([one.of_images(len(self.database)) for one in votes])
        found = self.appearance(queries)
        found["patterns"] = evidence(np.sqrt(similarities), own)
        promising = np.argsort(np.where(own, np.inf, -ALL.probability(found)), axis=1, kind="stable")
        for row, shortlist in enumerate(promising[:, :SHORTLIST]):
            for image in shortlist:
                similarities[row, image] += self.index.check(asked[row], votes[row], image)
        return found | {"patterns": evidence(np.sqrt(similarities), own)}

    def rerank(self, queries: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """Let the best two images of the database speak too: who looks like them is probably the same animal."""
        own = queries[:, None] == self.database
        ranking = np.argsort(np.where(own, np.inf, -probabilities), axis=1, kind="stable")
        mixed = OWN_PART * probabilities
        for best, part in zip(ranking.T, PARTS_OF_BEST, strict=False):
            seen = APPEARANCE.probability(self.appearance(self.database[best]))
            seen[np.arange(len(best)), best] = 1
            mixed += part * seen
        return mixed
