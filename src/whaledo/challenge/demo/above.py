"""A beluga from above, as a drone sees it: a height map of its back, lit, and cut by turbid water.

The body is round in front and falls like a roof from the ridge behind; what lies under water fades into it.
The crop follows what can be seen of the animal, as a detector's box would. Image rows run from head to tail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.animals import Animal
from whaledo.challenge.demo.conditions import Conditions, Pose
from whaledo.challenge.demo.exact import Field, grain, hill, noise, ramp, spline
from whaledo.challenge.demo.light import Surface, body_light, read_skin

PIXELS_PER_BODY = 630.0
"""The length of a large adult at ordinary distance."""

THICKNESS = np.float32(0.9)
"""Half the height of a body as a share of half its width."""

BLOWHOLE = np.float32(0.118)
NECK = np.float32(0.168)
SHOULDER = np.float32(0.31)
FLUKE = np.float32(0.9)
"""Where things are on the body, 0 snout to 1 fluke."""

MURK = (0.60, 0.55, 0.46)
"""How much red, green and blue the water leaves of what lies in it."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the animal lies in the crop; h rows and w columns.

    Attributes:
        length: the pixels of a body length.
        along: (h, 1) the place on the body, 0 snout to 1 fluke.
        half: (h, 1) half the width of the body, in pixels.
        aside: (h, w) how far right of the middle of the body, in body lengths.
        side: (h, w) the same in half widths: -1 and 1 are the edges of the body.
        around: (h, w) the same seen from the ridge: 0 the ridge, -1 and 1 the edges.
        ridge: (h, w) how far right of the ridge, in body lengths.
    """

    length: float
    along: Field
    half: Field
    aside: Field
    side: Field
    around: Field
    ridge: Field


@dataclass(frozen=True, slots=True)
class Waves:
    """The surface of the water as noise of three sizes, each (h, w), about -1 to 1."""

    large: Field
    middle: Field
    small: Field


def from_above(animal: Animal, skin: Field, conditions: Conditions, pose: Pose, rng: Generator) -> Field:
    """The light that reaches the camera: (height, width, 3), 0 black to 1 white, not yet developed."""
    outline = _outline(animal, conditions, pose)
    waves = _waves(outline, rng)
    crest = animal.ridge(outline.along[:, 0])[:, None] * hill(outline.ridge / np.float32(0.0045))
    tone = read_skin(skin, outline.along[:, 0], _turn(outline.around)) * (1 - np.float32(0.3) * crest)
    _add_blowhole(tone, outline)
    surface = _back(animal, pose, outline, crest, rng)
    body = body_light(tone, surface, animal.warmth, conditions, conditions.towards_sun, rng)

    swell = np.float32(0.008) * waves.large + np.float32(0.003 + 0.005 * conditions.chop) * waves.middle
    height = _height(animal, pose, outline) - swell
    inside = np.clip((1 - np.abs(outline.side)) * outline.half + np.float32(0.5), 0, 1)
    dry = np.clip(height * np.float32(0.7 * outline.length) + np.float32(0.5), 0, 1) * inside
    through = _seen_through_water(height, pose, conditions, outline)
    relief, glints = _water(conditions, outline, waves, rng)
    image = np.empty((*tone.shape, 3), dtype=np.float32)
    for channel, murk in enumerate(MURK):
        wet = np.float32(conditions.water[channel]) * relief
        wet += through * (np.float32(murk) * body[channel] - wet)
        wet += glints
        image[..., channel] = wet + dry * (body[channel] - wet)
    image *= np.float32(conditions.exposure)
    return image


def _outline(animal: Animal, conditions: Conditions, pose: Pose) -> Outline:
    first, last = _in_sight(animal, conditions, pose)
    length = np.float32(PIXELS_PER_BODY * animal.size * pose.zoom / conditions.distance)
    rows = int((last - first) * length)
    along = np.float32(first) + (np.arange(rows, dtype=np.float32) + np.float32(0.5)) / length
    half = np.maximum(animal.half_width(along) * length, np.float32(0.5))
    half[(along < 0) | (along > 0.985)] = 0.01
    bow = (along - np.float32(0.45)) * 2
    middle = length * (np.float32(pose.bend) * bow * bow + np.float32(pose.tilt) * bow)
    showing = 1 + (_axis(pose, along) + np.float32(conditions.clarity)) * length / (THICKNESS * half)
    shown = half * np.sqrt(np.clip(showing, 0.02, 1))
    if pose.whole:
        shown = np.maximum(shown, ramp(along, 0.9, 0.97) * np.float32(0.125) * length)
    left, right = float((middle - shown).min()), float((middle + shown).max())
    room = right - left
    x = np.arange(int(room * (1 + pose.slack[0] + pose.slack[1])), dtype=np.float32)
    aside = x[None, :] + (np.float32(left - room * pose.slack[0]) - middle)[:, None]
    side = aside / half[:, None]
    roll = np.float32(pose.roll)
    off = side - roll
    around = np.clip(np.maximum(off / (1 - roll), 0) + np.minimum(off / (1 + roll), 0), -1, 1)
    aside /= length
    ridge = aside - roll * (half / length)[:, None]
    return Outline(float(length), along[:, None], half[:, None], aside, side, around, ridge)


def _in_sight(animal: Animal, conditions: Conditions, pose: Pose) -> tuple[float, float]:
    """From where to where along the body something of it can be seen, with some room."""
    along = np.linspace(0, 1, 201, dtype=np.float32)
    top = _axis(pose, along) + THICKNESS * animal.half_width(along)
    seen = np.flatnonzero(top > np.float32(-0.8 * conditions.clarity))
    first, last = float(along[seen[0]]), float(along[seen[-1]])
    return first - pose.slack[2], (1.0 if pose.whole else last) + pose.slack[3]


def _axis(pose: Pose, along: Field) -> Field:
    """How high the axis of the body is above the water, in body lengths."""
    off, tail = along - np.float32(0.45), np.maximum(along - np.float32(0.8), 0)
    level = np.float32(pose.lift) - np.float32(pose.pitch) * off - np.float32(pose.arch) * off * off
    return level - np.float32(0.6) * tail * tail


def _turn(around: Field) -> Field:
    """From the place across the back as seen from above to the place around the skin: 1 becomes 0.5."""
    square = around * around
    return around * (np.float32(0.32) + np.float32(0.18) * square * square)


def _height(animal: Animal, pose: Pose, outline: Outline) -> Field:
    """(h, w) how high the skin is above still water, in body lengths."""
    roof = spline(animal.roof, outline.along[:, 0])[:, None]
    square = outline.around * outline.around
    bowl = square * (np.float32(0.6) + np.float32(0.4) * square * square)
    fall = roof * np.abs(outline.around) + (1 - roof) * bowl
    thickness = THICKNESS * outline.half / np.float32(outline.length)
    beyond = np.maximum(np.abs(outline.side) - 1, 0)
    return _axis(pose, outline.along) + thickness * (1 - fall) - np.float32(0.2) * beyond


def _back(animal: Animal, pose: Pose, outline: Outline, crest: Field, rng: Generator) -> Surface:
    """Which way the skin faces, with its ridge, melon, neck, folds and wrinkles."""
    along, around = outline.along[:, 0], outline.around
    roof = spline(animal.roof, along)[:, None]
    square = around * around
    blunt = np.float32(0.02) + np.float32(0.25) * (1 - roof) * (1 - roof)
    right = (roof * THICKNESS) * around / np.sqrt(square + blunt * blunt)
    right += ((1 - roof) * THICKNESS) * around * (np.float32(1.2) + np.float32(2.4) * square * square)
    right += np.float32(1.5 / 0.0045) * crest * outline.ridge
    right += np.float32(0.08) * noise(rng, *around.shape, outline.length / 9, outline.length / 30)
    wrinkles = np.float32(0.05) * noise(rng, *around.shape, 8, 4)
    right += wrinkles

    top = _axis(pose, along) + THICKNESS * outline.half[:, 0] / np.float32(outline.length)
    top += np.float32(0.010) * hill((along - np.float32(0.075)) / np.float32(0.05))
    creases = hill((along - NECK) / np.float32(0.010)) + hill((along - NECK) / np.float32(0.004) - 5) / 2
    top -= np.float32(0.0012 * animal.neck) * creases
    down = np.zeros_like(along)
    down[1:-1] = (top[:-2] - top[2:]) * np.float32(outline.length / 2)
    return Surface.of(right, np.clip(down, -1.2, 1.2)[:, None] + wrinkles, np.ones_like(right))


def _add_blowhole(tone: Field, outline: Outline) -> None:
    rows = _rows(outline, BLOWHOLE - np.float32(0.02), BLOWHOLE + np.float32(0.02))
    x = outline.ridge[rows] / np.float32(0.0075)
    y = (outline.along[rows] - BLOWHOLE) / np.float32(0.0055) + x * x / 3
    tone[rows] *= 1 - np.float32(0.9) * (1 - ramp(x * x + y * y, 0.5, 1.6))


def _seen_through_water(height: Field, pose: Pose, conditions: Conditions, outline: Outline) -> Field:
    """(h, w) how much of the drowned body one sees, 0 to 1: of the trunk, the flippers and the fluke."""
    depth = np.maximum(-height, 0) / np.float32(conditions.clarity)
    seen = 1 / (1 + depth + 2 * depth * depth) * (1 - ramp(np.abs(outline.side), 0.8, 1.25))

    rows = _rows(outline, SHOULDER - np.float32(0.1), SHOULDER + np.float32(0.15))
    away = np.abs(outline.aside[rows]) - np.float32(0.108)
    x, y = away / np.float32(0.030), (outline.along[rows] - SHOULDER - away / 2) / np.float32(0.062)
    flippers = (1 - ramp(x * x + y * y, 0.4, 1.3)) * _clear(pose.flippers / conditions.clarity)
    seen[rows] = np.maximum(seen[rows], flippers)

    rows = _rows(outline, FLUKE, np.float32(1.1))
    away, along = np.abs(outline.aside[rows]), outline.along[rows]
    lead = along - FLUKE - np.float32(0.62) * away
    trail = np.float32(0.972) + np.float32(0.45) * away - np.float32(2.4) * away * away - along
    tail = float(_axis(pose, np.ones(1, dtype=np.float32))[0])
    fluke = ramp(np.minimum(lead, trail), -0.002, 0.008) * _clear(max(0.0, -tail) / conditions.clarity)
    seen[rows] = np.maximum(seen[rows], fluke)
    return seen


def _rows(outline: Outline, first: np.float32, last: np.float32) -> slice:
    """The rows of the image that show this part of the body."""
    along = outline.along[:, 0]
    return slice(int(np.searchsorted(along, first)), int(np.searchsorted(along, last)))


def _clear(depth: float) -> np.float32:
    return np.float32(1 / (1 + depth + depth * depth / 2))


def _waves(outline: Outline, rng: Generator) -> Waves:
    shape, length = outline.side.shape, outline.length
    return Waves(
        noise(rng, *shape, length / 8, length / 10),
        noise(rng, *shape, length / 30, length / 38),
        noise(rng, *shape, length / 110 + 1, length / 130 + 1),
    )


def _water(conditions: Conditions, outline: Outline, waves: Waves, rng: Generator) -> tuple[Field, Field]:
    """(h, w) the brightness of the water, about 1, and what glitters and foams on it."""
    chop = np.float32(conditions.chop)
    half = outline.half * np.float32(0.8 / outline.length)
    near = 1 / (1 + np.maximum(np.abs(outline.aside) - half, 0) * 14)
    rings = (1 / near) * np.float32(1.8) + waves.large * 2 + waves.middle + waves.small / 3
    rings -= np.floor(rings)
    surface = waves.large / 2 + (4 * rings * (1 - rings) - np.float32(0.6)) * near * near
    surface += chop * (waves.middle + waves.small * (np.float32(0.3) + near))
    lit = np.zeros_like(surface)
    across, down = (np.float32(0.8 if towards > 0 else -0.8) for towards in conditions.towards_sun[:2])
    corner = surface[1:, 1:]
    lit[1:, 1:] = across * (corner - surface[1:, :-1]) + down * (corner - surface[:-1, 1:])
    relief = 1 + np.float32(0.16) * surface + np.float32(0.6 + 0.6 * conditions.sun) * lit
    sparks = waves.small * (np.float32(0.55) + near * chop) + waves.middle / 2
    sparks += np.float32(0.45) * grain(rng, *sparks.shape)
    glints = ramp(sparks, 1.0, 1.55) * np.float32(0.12 + 0.75 * conditions.sun)
    foam = ramp(waves.middle + waves.small * np.float32(0.7) + near * chop, 1.35, 2.4)
    return np.maximum(relief, np.float32(0.2)), glints + np.float32(0.10) * foam
