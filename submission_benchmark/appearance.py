"""Describe a photograph as a whole: its colours, and its texture. Cheap, and blind to which mark is where exactly.

Colours find the animals seen in the same water and light, texture those that fill their picture in the same way.
"""

import cv2
import numpy as np
from skimage.feature import local_binary_pattern

WIDTH, HEIGHT = 64, 192
BANDS = 3  # from one end of the animal to the other
KINDS_OF_NEIGHBOURS = 59  # kinds of local binary patterns with at most two changes, and one for all others
LEARNT_FROM = 1000

_GRADIENTS = cv2.HOGDescriptor((WIDTH, HEIGHT), (16, 16), (8, 8), (8, 8), 9)


def stand_up(photograph: np.ndarray) -> np.ndarray:
    """Turn a photograph that is wider than high, so that long animals lie in one direction in all of them."""
    height, width = photograph.shape[:2]
    return cv2.rotate(photograph, cv2.ROTATE_90_CLOCKWISE) if width > height else photograph


def even_out(grey: np.ndarray) -> np.ndarray:
    """Bring out the contrast of every part of a picture, be it in shade or in glare."""
    return cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(grey)


def describe_colours(photograph: np.ndarray) -> np.ndarray:
    """Count colours (CIE Lab) in three bands: each channel alone, and the two of hue together."""
    small = cv2.resize(photograph, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    parts = []
    for band in np.array_split(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), BANDS):
        parts += [cv2.calcHist([band], [channel], None, [16], [0, 256]).ravel() for channel in range(3)]
        parts.append(cv2.calcHist([band], [1, 2], None, [16, 16], [64, 192, 64, 192]).ravel())
    return np.sqrt(np.concatenate([part / max(part.sum(), 1) for part in parts]))


def describe_gradients(photograph: np.ndarray) -> np.ndarray:
    """Count directions of edges in a grid."""
    grey = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return _GRADIENTS.compute(even_out(small)).ravel()


def describe_grain(photograph: np.ndarray) -> np.ndarray:
    """Count what pixels look like among their 8 neighbours (local binary patterns) in a grid."""
    grey = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (WIDTH * 3 // 2, HEIGHT * 3 // 2), interpolation=cv2.INTER_AREA)
    kinds = local_binary_pattern(small, 8, 1, method="nri_uniform").astype(np.uint8)
    counts = [
        np.bincount(part.ravel(), minlength=KINDS_OF_NEIGHBOURS) / part.size
        for row in np.array_split(kinds, 6)
        for part in np.array_split(row, 2, axis=1)
    ]
    return np.sqrt(np.concatenate(counts))


def of_length_1(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)


class Space:
    """What descriptions of one or more kinds are measured in: around a database's mean, in its main directions.

    Strong directions (principal components) are weakened, half way to giving all of them the same weight.
    """

    def __init__(self, database: list[np.ndarray], directions: int | None = None) -> None:
        self.means = [kind.mean(axis=0) for kind in database]
        self.directions: np.ndarray | None = None
        if directions:
            sample = self.embed([kind[:: -(-len(kind) // LEARNT_FROM)] for kind in database])
            variances, mixtures = np.linalg.eigh(sample @ sample.T)
            main = np.argsort(-variances)[:directions]
            main = main[variances[main] > 1e-6]
            self.directions = sample.T @ (mixtures[:, main] * variances[main] ** -0.75)

    def embed(self, kinds: list[np.ndarray]) -> np.ndarray:
        """Vectors of length 1, and of length 0 for photographs that couldn't be read."""
        readable = kinds[0].any(axis=1, keepdims=True)
        centred = [
            of_length_1((kind - mean) * readable) for kind, mean in zip(kinds, self.means, strict=True)
        ]
        vectors = np.hstack(centred)
        return of_length_1(vectors if self.directions is None else vectors @ self.directions)
