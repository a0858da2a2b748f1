"""Find photographs that look alike: two frames of a burst, or one file under two names.

The fingerprint is dHash (whether each spot is brighter than its left neighbour) with 256 bits. The library for
this, imagehash, gives the same bits, and would bring scipy and PyWavelets (100 MB) for six lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

SIDE = 16

Fingerprint: TypeAlias = bytes
"""`SIDE` squared bits, row by row."""

ALIKE_BITS = 25
"""Fingerprints that differ in fewer bits than this are of photographs that look alike."""

_CHUNK = 4_000_000
"""Pairs compared at once."""


def fingerprint(picture: PIL.Image.Image) -> Fingerprint:
    """The fingerprint of a picture."""
    small = picture.convert("L").resize((SIDE + 1, SIDE), PIL.Image.Resampling.LANCZOS)
    grey = np.asarray(small)
    return np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes()


def stacked(fingerprints: list[Fingerprint]) -> NDArray[np.uint64]:
    """Fingerprints as rows of words, shape (number, 4)."""
    return np.frombuffer(b"".join(fingerprints), np.uint64).reshape(len(fingerprints), -1)


def alike(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
    """Rows of the two that look alike: our row, their row, and the bits that differ."""
    rows = max(1, _CHUNK // max(1, len(theirs)))
    for start in range(0, len(ours), rows):
        mine = ours[start : start + rows]
        bits = np.zeros((len(mine), len(theirs)), np.uint16)
        for word in range(ours.shape[1]):
            bits += np.bitwise_count(mine[:, word, None] ^ theirs[None, :, word])
        for row, column in np.argwhere(bits < ALIKE_BITS).tolist():
            yield start + row, column, int(bits[row, column])
