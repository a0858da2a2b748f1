"""Chance and smooth shapes that come out the same on every machine.

Everything that the demo draws is made of these and of `+ - * /`, square roots and comparisons, which IEEE 754
defines to the last bit. Sines, powers, sums over arrays and matrix products are avoided on purpose: their last
bits depend on the processor, and one bit can turn a pixel. Randomness is only ever taken as uniform numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from math import prod

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""Numbers over the rows of an image (H), its columns (W), or both (H, W)."""


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
    """A number near the middle with this standard deviation, never more than 2.5 of them away."""
    return middle + spread * 1.7320508 * (rng.random() + rng.random() + rng.random() + rng.random() - 2.0)


def spline(values: Sequence[float], at: Field) -> Field:
    """The smooth curve (uniform cubic B-spline) near equally spaced values, its ends held.

    Args:
        values: the values at 0, 1/(k-1), ..., 1.
        at: (n,) where to read the curve; outside 0 to 1 it goes on level.

    Returns:
        (n,) the curve.
    """
    knots = np.asarray([values[0], *values, values[-1], values[-1]], dtype=np.float32)
    place = np.clip(at, 0, 1) * np.float32(len(values) - 1)
    first = place.astype(np.intp)
    part = place - first.astype(np.float32)
    rest = 1 - part
    return (
        knots[first] * (rest * rest * rest / 6)
        + knots[first + 1] * ((part * part * (3 * part - 6) + 4) / 6)
        + knots[first + 2] * ((rest * rest * (3 * rest - 6) + 4) / 6)
        + knots[first + 3] * (part * part * part / 6)
    )


def noise(rng: Generator, height: int, width: int, cell_y: float, cell_x: float) -> Field:
    """(height, width) smooth noise, about -1 to 1, whose hills are about a cell (whole pixels) high and wide."""
    tall, wide = max(2, int(cell_y)), max(2, int(cell_x))
    knots = rng.random((height // tall + 4, width // wide + 4), dtype=np.float32) * 3 - np.float32(1.5)
    columns = _stretched(np.ascontiguousarray(knots.T), wide)[:width]
    return _stretched(np.ascontiguousarray(columns.T), tall)[:height]


def _stretched(knots: Field, cell: int) -> Field:
    """(k, n) knots to ((k - 3) * cell, n) values on the curves of `spline`, cell values from knot to knot."""
    before, here, there, after = (knots[step : len(knots) - 3 + step, None, :] for step in range(4))
    part = (np.arange(cell, dtype=np.float32) / np.float32(cell))[:, None]
    total = ((after - before) + (here - there) * 3) / 6 * part
    total += (before + there) / 2 - here
    total *= part
    total += (there - before) / 2
    total *= part
    total += (before + there + 4 * here) / 6
    return total.reshape(-1, knots.shape[1])


def grain(rng: Generator, *shape: int) -> Field:
    """Noise from pixel to pixel, -1 to 1, middle values more often."""
    first, second = np.frombuffer(rng.bytes(2 * prod(shape)), dtype=np.uint8).reshape(2, *shape)
    return np.subtract(first, second, dtype=np.float32) * np.float32(1 / 255)


def ramp(values: Field, low: float, high: float) -> Field:
    """0 up to low, 1 from high on, and smooth between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def hill(values: Field) -> Field:
    """1 at zero, falling smoothly to both sides: 1 / (1 + values squared), squared."""
    flat = 1 / (1 + values * values)
    return flat * flat
