"""Chance and smooth shapes that come out the same on every machine.

Everything that the demo draws is made of these and of `+ - * /`, square roots and comparisons, which IEEE 754
defines to the last bit. Sines, powers, sums over arrays and matrix products are avoided on purpose: their last
bits depend on the processor, and one bit can turn a pixel. Chance is only ever taken as uniform numbers, whole
numbers, bytes and permutations.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import prod
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
"""32-bit numbers over the rows of an image (h), its columns (w), or both (h, w)."""


class Topic(IntEnum):
    """What a generator is for: each topic, animal and photograph has a stream of numbers of its own."""

    ANIMAL = 1
    SKIN = 2
    SCHEDULE = 3
    DAY = 4
    ENCOUNTER = 5
    BURST = 6
    SHOT = 7
    SCENARIO = 8


def chance(seed: int, topic: Topic, *which: int) -> Generator:
    """The generator of one thing: independent of every other one, and of the order of drawing."""
    return Generator(PCG64(SeedSequence(seed, spawn_key=(topic, *which))))


def between(rng: Generator, low: float, high: float) -> float:
    """A number from low to high, all alike."""
    return low + (high - low) * rng.random()


def around(rng: Generator, middle: float, spread: float) -> float:
    """A number near the middle with this standard deviation, never further away than 3.5 of them."""
    total = rng.random() + rng.random() + rng.random() + rng.random()
    return middle + spread * 1.7320508 * (total - 2)


def spline(values: Sequence[float], at: Field) -> Field:
    """The smooth curve (uniform cubic B-spline) near equally spaced values, its ends held.

    Args:
        values: the values at 0, 1/(k-1), ..., 1.
        at: (n,) where to read the curve; outside 0 to 1 it goes on level.

    Returns:
        (n,) the curve.
    """
    knots = np.asarray([values[0], *values, values[-1], values[-1]], dtype=np.float32)
    place = np.clip(at, 0, 1) * (len(values) - 1)
    first = place.astype(np.intp)
    part = place - np.floor(place)
    rest = 1 - part
    curve: Field = knots[first] * (rest * rest * rest / 6)
    curve += knots[first + 1] * ((part * part * (3 * part - 6) + 4) / 6)
    curve += knots[first + 2] * ((rest * rest * (3 * rest - 6) + 4) / 6)
    curve += knots[first + 3] * (part * part * part / 6)
    return curve


def noise(rng: Generator, shape: tuple[int, ...], cell_y: float, cell_x: float) -> Field:
    """Smooth noise over (h, w), about -1 to 1, whose hills are about a cell (pixels) high and wide."""
    height, width = shape
    tall, wide = max(2, int(cell_y)), max(2, int(cell_x))
    knots = rng.random((width // wide + 4, height // tall + 4), dtype=np.float32) * 3 - 1.5
    columns = np.ascontiguousarray(_stretched(knots, wide)[:width].T)
    return _stretched(columns, tall)[:height]


def _stretched(knots: Field, cell: int) -> Field:
    """(k, n) knots to ((k - 3) * cell, n) values on the curves of `spline`, cell values from knot to knot."""
    before, here, there, after = (knots[step : len(knots) - 3 + step, None, :] for step in range(4))
    part = (np.arange(cell, dtype=np.float32) / cell)[:, None]
    curves = ((after - before) + (here - there) * 3) / 6 * part
    curves += (before + there) / 2 - here
    curves *= part
    curves += (there - before) / 2
    curves *= part
    curves += (before + there + 4 * here) / 6
    return curves.reshape(-1, knots.shape[1])


def grain(rng: Generator, shape: tuple[int, ...]) -> Field:
    """Noise from pixel to pixel, -1 to 1, middle values more often."""
    first, second = np.frombuffer(rng.bytes(2 * prod(shape)), dtype=np.uint8).reshape(2, *shape)
    difference: Field = np.subtract(first, second, dtype=np.float32)
    return difference / 255


def ramp(values: Field, low: float, high: float) -> Field:
    """0 up to low, 1 from high on, and smooth between."""
    part: Field = np.clip((values - low) / (high - low), 0, 1)
    return part * part * (3 - 2 * part)


def hill(values: Field) -> Field:
    """1 at zero, falling smoothly to both sides: the square of 1 / (1 + values squared)."""
    slim: Field = 1 / (1 + values * values)
    return slim * slim
