"""From the schedule to JPEG files: each animal in its conditions and poses, through a camera.

A photograph depends on the seed and on its own shot only, never on what was drawn before it. The camera blurs,
adds noise and compresses; some crops reach past the rim of the photograph, as in the real ones.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from whaledo.challenge.demo.above import from_above
from whaledo.challenge.demo.animals import Animal, draw_animal, skin
from whaledo.challenge.demo.beside import from_the_side
from whaledo.challenge.demo.conditions import (
    Conditions,
    Pose,
    View,
    draw_conditions,
    draw_pose,
    next_pose,
)
from whaledo.challenge.demo.exact import Field, Topic, between, chance, grain
from whaledo.challenge.demo.schedule import Shot

CUT_CORNERS = 0.07
"""The share of crops from above that reach past the rim of the photograph."""

LARGE_BLOCK = 24 << 20
"""Bytes: more than any array here, and less than the 32 MB up to which glibc learns."""

PAPER = 244
"""The white beyond that rim, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """A shot that was taken: its JPEG file's bytes, and its size in pixels."""

    shot: Shot
    jpeg: bytes
    height: int
    width: int


def photograph_animal(seed: int, shots: Sequence[Shot]) -> Iterator[Photograph]:
    """Take all shots of one animal, in their order."""
    # Freed once, such a block teaches glibc to keep the memory of our short-lived arrays instead of handing it
    # back to the system each time: a fifth of all the time goes into that otherwise.
    np.empty(LARGE_BLOCK, dtype=np.uint8)
    animal = draw_animal(seed, shots[0].encounter.animal)
    skins = {year: skin(animal, year) for year in {shot.year for shot in shots}}
    for encounter, taken in groupby(shots, key=lambda shot: shot.encounter):
        which = encounter.animal, encounter.number
        day = chance(seed, Topic.DAY, encounter.year, encounter.day)
        conditions = draw_conditions(day, chance(seed, Topic.ENCOUNTER, *which))
        for burst, following in groupby(taken, key=lambda shot: shot.burst):
            pose = draw_pose(chance(seed, Topic.BURST, *which, burst))
            for step, shot in enumerate(following):
                rng = chance(seed, Topic.SHOT, *which, burst, step)
                pose = next_pose(rng, pose)
                pixels = _expose(animal, skins[shot.year], conditions, pose, shot.view, rng)
                yield Photograph(shot, _jpeg(pixels, conditions.quality), pixels.shape[0], pixels.shape[1])


def _expose(
    animal: Animal, skin: Field, conditions: Conditions, pose: Pose, view: View, rng: Generator
) -> NDArray[np.uint8]:
    if view is not View.TOP:
        return _develop(from_the_side(animal, skin, conditions, pose, view, rng), conditions, rng)
    pixels = _develop(from_above(animal, skin, conditions, pose, rng), conditions, rng)
    if rng.random() < CUT_CORNERS:
        _cut_corner(pixels, rng)
    return pixels


def _develop(light: Field, conditions: Conditions, rng: Generator) -> NDArray[np.uint8]:
    """Light (h, w, 3) to pixels: blur, colour fringes, tone curve, noise; a few pixels smaller than it came."""
    for _ in range(conditions.softness):
        light = (light[:-2] + 2 * light[1:-1] + light[2:]) / 4
        light = (light[:, :-2] + 2 * light[:, 1:-1] + light[:, 2:]) / 4
    if conditions.fringe:
        light = np.stack([light[:, 2:, 0], light[:, 1:-1, 1], light[:, :-2, 2]], axis=-1)
    tones = np.sqrt(np.clip(light, 0, 1.5))
    # Bright skin keeps some shape instead of burning out.
    tones /= 1 + 0.3 * np.maximum(tones - 0.7, 0)
    tones += conditions.grain * grain(rng, tones.shape)
    return (np.clip(tones, 0, 1) * 255 + 0.5).astype(np.uint8)


def _cut_corner(pixels: NDArray[np.uint8], rng: Generator) -> None:
    """Whiten what lies beyond a slanting line across one corner."""
    height, width = pixels.shape[:2]
    down = np.arange(height, dtype=np.float32)[:, None] / height
    right = np.arange(width, dtype=np.float32)[None, :] / width
    if rng.random() < 0.5:
        down = 1 - down
    if rng.random() < 0.5:
        right = 1 - right
    tall, wide = between(rng, 0.05, 0.35), between(rng, 0.3, 1.2)
    pixels[down / tall + right / wide < 1] = PAPER


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()
