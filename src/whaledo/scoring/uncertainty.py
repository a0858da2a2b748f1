"""How far a mean over queries could be off: a 95 % interval by resampling.

Queries of one animal aren't independent, so whole animals are drawn: their sums are made first, and each of
10,000 draws then costs a few additions. The percentiles are widened as a t interval is wider than a normal one
(Hesterberg 2015, "What teachers should know about the bootstrap"), because the plain ones are too
narrow for the few dozen animals that photo-identification has. A few animals with many queries each count for fewer
than there are: the t interval is that of their effective number (Carter, Schnepel and Steigerwald 2017, "Asymptotic
behavior of a t-test robust to cluster heterogeneity"), taken from the numbers of queries alone.

Of fewer than six units, no draw lies beyond the units themselves, and that all of five lie on one side of the truth
happens once in 16 times by chance. There the t interval is taken as it is.

Of very many animals, groups are drawn. How the draws spread around the mean then depends a little on who came into
a group with whom, so that spread is set to what the animals themselves have.
"""

from __future__ import annotations

import math

import numpy as np

from whaledo.challenge.columns import FloatArray
from whaledo.challenge.sheet import IntArray

RESAMPLES = 10_000
MAX_UNITS = 128
"""More units than this are dealt at random into so many groups, and groups are drawn: as good, and quick."""

FEW_UNITS = 6
"""Fewer units than this aren't drawn from: their draws can't reach as far as the truth may be off."""

_CHUNK = 500
_Z = 1.959963984540054


def interval(
    values: FloatArray,
    units: IntArray,
    *,
    within: tuple[float, float] = (0.0, 1.0),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float] | None:
    """The 95 % interval of the mean of `values`.

    Args:
        values: shape (queries,).
        units: shape (queries,): what each query belongs to, numbered from 0; it is drawn as a whole.
        within: the least and the most that a value can be.
        resamples: how many draws.
        seed: of the draws; the same seed gives the same interval.

    Returns:
        The interval, or None where there are fewer than two units, which say nothing about others.
    """
    counts, sums = _sums(units, np.ones(len(values))), _sums(units, values)
    counts, sums = counts[counts > 0], sums[counts > 0]
    number = len(counts)
    if number < 2:
        return None
    t = _t(max(1, round(counts.sum() ** 2 / (counts**2).sum()) - 1)) * math.sqrt(number / (number - 1))
    mean = sums.sum() / counts.sum()
    spread = _spread(sums, counts, mean)
    if number < FEW_UNITS:
        half = t * spread / counts.sum()
        return float(max(mean - half, within[0])), float(min(mean + half, within[1]))
    draws = np.random.Generator(np.random.SFC64(seed))
    if number > MAX_UNITS:
        group = draws.permutation(number) % MAX_UNITS
        sums, counts = _sums(group, sums), _sums(group, counts)
    off = np.sort(_means(sums, counts, draws, resamples)) - mean
    if number > MAX_UNITS and (of_groups := _spread(sums, counts, mean)):
        off *= spread / of_groups
    cut = int(0.5 * math.erfc(t / math.sqrt(2)) * resamples)
    return float(mean + off[cut]), float(mean + off[-1 - cut])


def _sums(groups: IntArray, values: FloatArray) -> FloatArray:
    """What the values of each group add up to."""
    return np.bincount(groups, weights=values).astype(np.float64, copy=False)


def _spread(sums: FloatArray, counts: FloatArray, mean: float) -> float:
    """How far units, or groups of them, pull the mean to and fro; in units of their own."""
    return float(np.linalg.norm(sums - mean * counts))


def _means(sums: FloatArray, counts: FloatArray, draws: np.random.Generator, resamples: int) -> FloatArray:
    """The mean of each resample: of as many units as there are, each drawn from all of them."""
    number, found = len(sums), []
    for start in range(0, resamples, _CHUNK):
        drawn = draws.integers(0, number, size=(min(_CHUNK, resamples - start), number), dtype=np.uint16)
        weight = counts[drawn].sum(axis=1) if np.ptp(counts) else counts.sum()
        found.append(sums[drawn].sum(axis=1) / weight)
    return np.concatenate(found)


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
