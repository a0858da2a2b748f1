"""How far a mean over queries could be off: a 95 % interval by resampling.

Queries of one animal aren't independent, so whole animals are drawn: their sums are made first, and each of
10,000 draws then costs a few additions. The percentiles are widened as a t interval is wider than a normal one
(Hesterberg 2015, "What teachers should know about the bootstrap"), because the plain ones are too
narrow for the few dozen animals that photo-identification has.
"""

from __future__ import annotations

import math

import numpy as np

from whaledo.challenge.columns import FloatArray
from whaledo.challenge.sheet import IntArray

RESAMPLES = 10_000
MAX_UNITS = 1_000
"""More units than this are dealt at random into so many groups, and groups are drawn: as good, and quick."""

_CHUNK = 500
_Z = 1.959963984540054


def interval(
    values: FloatArray, units: IntArray, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float] | None:
    """The 95 % interval of the mean of `values`.

    Args:
        values: shape (queries,).
        units: shape (queries,): what each query belongs to, numbered from 0; it is drawn as a whole.
        resamples: how many draws.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        The interval, or None where there are fewer than two units, which say nothing about others.
    """
    draws = np.random.Generator(np.random.SFC64(seed))
    _, units = np.unique(units, return_inverse=True)
    number = int(units.max()) + 1 if len(units) else 0
    if number < 2:
        return None
    if number > MAX_UNITS:
        units, number = (draws.permutation(number) % MAX_UNITS)[units], MAX_UNITS
    sums = np.bincount(units, weights=values, minlength=number)
    counts = np.bincount(units, minlength=number).astype(np.float64)
    means = []
    for start in range(0, resamples, _CHUNK):
        size = (min(_CHUNK, resamples - start), number)
        drawn = draws.integers(0, number, size=size, dtype=np.uint16)
        weight = counts[drawn].sum(axis=1) if np.ptp(counts) else counts.sum()
        means.append(sums[drawn].sum(axis=1) / weight)
    ranked = np.sort(np.concatenate(means))
    cut = int(_tail(number) * resamples)
    return float(ranked[cut]), float(ranked[-1 - cut])


def _tail(units: int) -> float:
    """The share of draws to cut off on each side."""
    widened = math.sqrt(units / (units - 1)) * _t(units - 1)
    return 0.5 * math.erfc(widened / math.sqrt(2))


def _t(freedom: int) -> float:
    """The 97.5 % point of Student's t, to 0.2 % (Abramowitz and Stegun 26.7.5)."""
    if freedom < 3:
        return {1: 12.706, 2: 4.303}[freedom]
    z, n = _Z, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )
