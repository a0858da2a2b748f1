"""Find the same marks on two animals: keypoints, votes of their nearest neighbours, and a look at the geometry.

Each keypoint of a query votes for the database images that hold its nearest neighbours: the more, the nearer they
are than the first neighbour that gets no vote (local naive Bayes nearest neighbour, McCann and Lowe 2012). For the
images on a shortlist the votes that agree on one shift, rotation and scale count again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import faiss
import numpy as np
from appearance import even_out

LONG_SIDE = 384
KEYPOINTS = 400
NEIGHBOURS = 8
SPARE = 6  # neighbours that may be the query's own image, which gets no vote
TOLERANCE = 16  # pixels that a mark may lie off
LISTS, LOOKED_THROUGH = 1024, 4  # with more, common looks count as much as rare ones, and the score falls


@dataclass(frozen=True)
class Pattern:
    """The keypoints of a photograph: where they are (n x 2), and what they look like (n x 128, uint8)."""

    places: np.ndarray
    looks: np.ndarray


NOTHING = Pattern(np.empty((0, 2), np.float32), np.empty((0, 128), np.uint8))


def find_pattern(photograph: np.ndarray) -> Pattern:
    """RootSIFT: square roots of SIFT's histograms, as bytes."""
    grey = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    scale = LONG_SIDE / max(grey.shape)
    size = [max(16, round(side * scale)) for side in grey.shape[::-1]]
    grey = even_out(cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC))
    finder = cv2.SIFT_create(nfeatures=KEYPOINTS, contrastThreshold=0.01)
    keypoints, looks = finder.detectAndCompute(grey, None)
    if looks is None:
        return NOTHING
    places = np.array([keypoint.pt for keypoint in keypoints[:KEYPOINTS]], np.float32)
    looks = looks[:KEYPOINTS]
    roots = np.sqrt(looks / np.maximum(looks.sum(axis=1, keepdims=True), 1e-6))
    return Pattern(places, np.minimum(512 * roots, 255).astype(np.uint8))


@dataclass(frozen=True)
class Votes:
    """Who votes for what, a row a vote: keypoint of the query, image, keypoint of the image, weight."""

    keypoints: int
    asked: np.ndarray
    images: np.ndarray
    found: np.ndarray
    weights: np.ndarray

    def of_images(self, images: int) -> np.ndarray:
        """The sum of votes for each image, a keypoint."""
        return np.bincount(self.images, self.weights, minlength=images) / max(self.keypoints, 1)


class PatternIndex:
    """The keypoints of a database, ready to be searched."""

    def __init__(self, database: Sequence[Pattern]) -> None:
        self.database = database
        sizes = [len(pattern.looks) for pattern in database]
        self.image_of = np.repeat(np.arange(len(database)), sizes)
        self.keypoint_of = np.concatenate([np.arange(size) for size in sizes])
        lists = min(LISTS, sum(sizes) // 64)
        if lists < 2:
            self.index = faiss.IndexFlatL2(128)
        else:
            self.index = faiss.IndexIVFScalarQuantizer(
                faiss.IndexFlatL2(128), 128, lists, faiss.ScalarQuantizer.QT_8bit_direct
            )
            every = max(1, sum(sizes) // (40 * lists))
            sample = np.concatenate([pattern.looks[::every] for pattern in database])
            self.index.train(sample.astype(np.float32))
            self.index.nprobe = LOOKED_THROUGH
        for start in range(0, len(database), 200):
            looks = np.concatenate([pattern.looks for pattern in database[start : start + 200]])
            self.index.add(looks.astype(np.float32))

    def vote(self, queries: Sequence[Pattern], own: Sequence[int]) -> list[Votes]:
        """Let each query's keypoints vote; `own` is each query's own place in the database, or -1."""
        sizes = [len(query.looks) for query in queries]
        if not sum(sizes) or not self.index.ntotal:
            nobody = np.empty(0, int)
            return [Votes(size, nobody, nobody, nobody, np.empty(0)) for size in sizes]
        looks = np.concatenate([query.looks for query in queries]).astype(np.float32)
        distances, neighbours = self.index.search(looks, NEIGHBOURS + 1 + SPARE)
        ends = np.cumsum(sizes)[:-1]
        both = zip(np.split(distances, ends), np.split(neighbours, ends), own, strict=True)
        return [self._weigh(*one) for one in both]

    def _weigh(self, distances: np.ndarray, neighbours: np.ndarray, own: int) -> Votes:
        valid = (neighbours >= 0) & (self.image_of[neighbours] != own)
        rank = np.cumsum(valid, axis=1)
        first_without = np.max(
            np.where(valid & (rank <= NEIGHBOURS + 1), distances, 0), axis=1, keepdims=True
        )
        asked, column = np.nonzero(valid & (distances < first_without))
        voted = neighbours[asked, column]
        weights = (first_without - distances)[asked, column] / 512**2
        return Votes(len(distances), asked, self.image_of[voted], self.keypoint_of[voted], weights)

    def check(self, query: Pattern, votes: Votes, image: int) -> float:
        """The sum of the votes for an image that agree on one shift, rotation and scale, a keypoint."""
        mine = votes.images == image
        if mine.sum() < 3:
            return 0.0
        motion, agrees = cv2.estimateAffinePartial2D(
            query.places[votes.asked[mine]],
            self.database[image].places[votes.found[mine]],
            ransacReprojThreshold=TOLERANCE,
            maxIters=300,
            refineIters=0,
        )
        if motion is None or not 0.5 < np.hypot(motion[0, 0], motion[1, 0]) < 2:
            return 0.0
        return float(votes.weights[mine][agrees.ravel() > 0].sum()) / votes.keypoints
