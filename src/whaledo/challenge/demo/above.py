"""A beluga from above, as a drone sees it: a height map of its back, lit, and cut by turbid water.

The body is round in front and falls like a roof from the ridge behind; what lies under water fades into it.
The crop follows what can be seen of the animal, as a detector's box would. Image rows run from head to tail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.animals import THICKNESS, Animal
from whaledo.challenge.demo.conditions import Conditions, Pose
from whaledo.challenge.demo.exact import Field, grain, hill, noise, ramp, spline
from whaledo.challenge.demo.light import Surface, body_light, read_skin

PIXELS_PER_BODY = 630.0
"""The length of a large adult at ordinary distance."""

BLOWHOLE = 0.118
NECK = 0.168
FLIPPERS = 0.31
FLUKE = 0.9
"""Where things are on the body, 0 snout to 1 the notch of the fluke; FLUKE is where it begins."""

SHOULDER = 0.108
"""How far from the middle the flippers are, in body lengths."""

HALF_SPAN = 0.125
"""Half the span of the fluke, in body lengths."""

CREST = 0.0045
"""Half the width of the ridge's crest, in body lengths."""

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
    crest = animal.ridge(outline.along[:, 0])[:, None] * hill(outline.ridge / CREST)
    tone = read_skin(skin, outline.along[:, 0], _turn(outline.around)) * (1 - 0.3 * crest)
    _add_blowhole(tone, outline)
    surface = _back(animal, pose, outline, crest, rng)
    body = body_light(tone, surface, animal.warmth, conditions, conditions.towards_sun, rng)

    swell = 0.008 * waves.large + (0.003 + 0.005 * conditions.chop) * waves.middle
    height = _height(animal, pose, outline) - swell
    inside = np.clip((1 - np.abs(outline.side)) * outline.half + 0.5, 0, 1)
    dry = np.clip(height * (0.7 * outline.length) + 0.5, 0, 1) * inside
    through = _seen_through_water(height, pose, conditions, outline)
    relief, glints = _water(conditions, outline, waves, rng)
    image = np.empty((*tone.shape, 3), dtype=np.float32)
    for channel, murk in enumerate(MURK):
        wet = conditions.water[channel] * relief
        wet += through * (murk * body[channel] - wet)
        wet += glints
        image[..., channel] = wet + dry * (body[channel] - wet)
    image *= conditions.exposure
    return image


def _outline(animal: Animal, conditions: Conditions, pose: Pose) -> Outline:
    length = PIXELS_PER_BODY * animal.size * pose.zoom / conditions.distance
    first, last = _in_sight(animal, conditions, pose)
    along = first + (np.arange(int((last - first) * length), dtype=np.float32) + 0.5) / length
    half = np.maximum(animal.half_width(along) * length, 0.5)
    half[(along < 0) | (along > 0.985)] = 0.01
    bow = (along - 0.45) * 2
    middle = length * (pose.bend * bow * bow + pose.tilt * bow)
    # The lower the body lies, the less of its width can be seen.
    showing = 1 + (pose.axis(along) + conditions.clarity) * length / (THICKNESS * half)
    shown = half * np.sqrt(np.clip(showing, 0.02, 1))
    if pose.whole:
        shown = np.maximum(shown, ramp(along, FLUKE, 0.97) * (HALF_SPAN * length))
    left, right = float((middle - shown).min()), float((middle + shown).max())
    room = right - left
    x = np.arange(int(room * (1 + pose.slack[0] + pose.slack[1])), dtype=np.float32)
    off_middle = x + (left - room * pose.slack[0]) - middle[:, None]
    side = off_middle / half[:, None]
    off_ridge = side - pose.roll
    around = np.maximum(off_ridge / (1 - pose.roll), 0) + np.minimum(off_ridge / (1 + pose.roll), 0)
    aside = off_middle / length
    ridge = aside - (pose.roll / length) * half[:, None]
    return Outline(length, along[:, None], half[:, None], aside, side, np.clip(around, -1, 1), ridge)


def _in_sight(animal: Animal, conditions: Conditions, pose: Pose) -> tuple[float, float]:
    """From where to where along the body something of it can be seen, with some room."""
    along = np.linspace(0, 1, 201, dtype=np.float32)
    top = pose.axis(along) + THICKNESS * animal.half_width(along)
    seen = along[top > -0.8 * conditions.clarity]
    return float(seen[0]) - pose.slack[2], (1.0 if pose.whole else float(seen[-1])) + pose.slack[3]


def _turn(around: Field) -> Field:
    """From the place across the back as seen from above to the place around the skin: 1 becomes 0.5."""
    square = around * around
    return around * (0.32 + 0.18 * square * square)


def _height(animal: Animal, pose: Pose, outline: Outline) -> Field:
    """(h, w) how high the skin is above still water, in body lengths."""
    roof = spline(animal.roof, outline.along[:, 0])[:, None]
    square = outline.around * outline.around
    fall = roof * np.abs(outline.around) + (1 - roof) * square * (0.6 + 0.4 * square * square)
    thickness = outline.half * (THICKNESS / outline.length)
    beyond: Field = np.maximum(np.abs(outline.side) - 1, 0)
    return pose.axis(outline.along) + thickness * (1 - fall) - 0.2 * beyond


def _back(animal: Animal, pose: Pose, outline: Outline, crest: Field, rng: Generator) -> Surface:
    """Which way the skin faces, with its ridge, melon, neck, folds and wrinkles."""
    along, around, length = outline.along[:, 0], outline.around, outline.length
    roof = spline(animal.roof, along)[:, None]
    square = around * around
    blunt = 0.02 + 0.25 * (1 - roof) * (1 - roof)
    wrinkles = 0.05 * noise(rng, around.shape, 8, 4)
    right = THICKNESS * roof * around / np.sqrt(square + blunt * blunt)
    right += THICKNESS * (1 - roof) * around * (1.2 + 2.4 * square * square)
    right += (1.5 / CREST) * crest * outline.ridge
    right += 0.08 * noise(rng, around.shape, length / 9, length / 30) + wrinkles

    top = pose.axis(along) + outline.half[:, 0] * (THICKNESS / length)
    top += 0.010 * hill((along - 0.075) / 0.05)
    creases = hill((along - NECK) / 0.010) + hill((along - NECK - 0.02) / 0.004) / 2
    top -= 0.0012 * animal.neck * creases
    down = np.zeros_like(along)
    down[1:-1] = (top[:-2] - top[2:]) * (length / 2)
    return Surface.of(right, np.clip(down, -1.2, 1.2)[:, None] + wrinkles, np.ones_like(right))


def _add_blowhole(tone: Field, outline: Outline) -> None:
    rows = _rows(outline, BLOWHOLE - 0.02, BLOWHOLE + 0.02)
    x = outline.ridge[rows] / 0.0075
    y = (outline.along[rows] - BLOWHOLE) / 0.0055 + x * x / 3
    tone[rows] *= 1 - 0.9 * (1 - ramp(x * x + y * y, 0.5, 1.6))


def _seen_through_water(height: Field, pose: Pose, conditions: Conditions, outline: Outline) -> Field:
    """(h, w) how much of the drowned body one sees, 0 to 1: of the trunk, the flippers and the fluke."""
    depth = np.maximum(-height, 0) / conditions.clarity
    seen: Field = (1 - ramp(np.abs(outline.side), 0.8, 1.25)) / (1 + depth + 2 * depth * depth)

    rows = _rows(outline, FLIPPERS - 0.1, FLIPPERS + 0.15)
    away = np.abs(outline.aside[rows]) - SHOULDER
    x, y = away / 0.030, (outline.along[rows] - FLIPPERS - away / 2) / 0.062
    flippers = (1 - ramp(x * x + y * y, 0.4, 1.3)) * _faintness(pose.flippers / conditions.clarity)
    seen[rows] = np.maximum(seen[rows], flippers)

    rows = _rows(outline, FLUKE, 1.1)
    away, along = np.abs(outline.aside[rows]), outline.along[rows]
    behind_front = along - FLUKE - 0.62 * away
    before_rear = 0.972 + 0.45 * away - 2.4 * away * away - along
    deep = np.maximum(-0.02 - pose.axis(along), 0) / conditions.clarity
    fluke = ramp(np.minimum(behind_front, before_rear), -0.002, 0.008) * _faintness(deep)
    seen[rows] = np.maximum(seen[rows], fluke)
    return seen


def _faintness(depth: Field | float) -> Field | float:
    return 1 / (1 + depth + depth * depth / 2)


def _rows(outline: Outline, first: float, last: float) -> slice:
    """The rows of the image that show this part of the body."""
    begin, end = np.searchsorted(outline.along[:, 0], [first, last])
    return slice(int(begin), int(end))


def _waves(outline: Outline, rng: Generator) -> Waves:
    shape, length = outline.side.shape, outline.length
    return Waves(
        noise(rng, shape, length / 8, length / 10),
        noise(rng, shape, length / 30, length / 38),
        noise(rng, shape, length / 110 + 1, length / 130 + 1),
    )


def _water(conditions: Conditions, outline: Outline, waves: Waves, rng: Generator) -> tuple[Field, Field]:
    """(h, w) the brightness of the water, about 1, and what glitters and foams on it."""
    chop = conditions.chop
    gap = np.maximum(np.abs(outline.aside) - outline.half * (0.8 / outline.length), 0)
    near = 1 / (1 + 14 * gap)
    # Ripples run along the body like the lines of a map.
    rings = 25 * gap + waves.large * 2 + waves.middle + waves.small / 3
    rings -= np.floor(rings)
    surface = waves.large / 2 + (4 * rings * (1 - rings) - 0.6) * near * near
    surface += chop * (waves.middle + waves.small * (0.3 + near))
    lit = np.zeros_like(surface)
    across, down = (0.8 if towards > 0 else -0.8 for towards in conditions.towards_sun[:2])
    corner = surface[1:, 1:]
    lit[1:, 1:] = across * (corner - surface[1:, :-1]) + down * (corner - surface[:-1, 1:])
    relief = np.maximum(1 + 0.16 * surface + (0.6 + 0.6 * conditions.sun) * lit, 0.2)
    sparks = waves.small * (0.55 + near * chop) + waves.middle / 2 + 0.45 * grain(rng, surface.shape)
    glints = ramp(sparks, 1.0, 1.55) * (0.12 + 0.75 * conditions.sun)
    foam = ramp(waves.middle + waves.small * 0.7 + near * chop, 1.35, 2.4)
    return relief, glints + 0.10 * foam
