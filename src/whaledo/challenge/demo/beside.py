"""A beluga from the side, as a photographer on a boat sees it: the back that rises from the waves.

Drawn with the head on the left, as the left flank is seen, and mirrored for the right flank. The flank takes its
marks from that side of the unrolled skin only. The crop follows what stands out of the water.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.animals import THICKNESS, Animal
from whaledo.challenge.demo.conditions import Conditions, Pose, View
from whaledo.challenge.demo.exact import Field, grain, hill, noise, ramp, spline
from whaledo.challenge.demo.light import Surface, body_light, read_skin

PIXELS_PER_BODY = 1150.0
"""The length of a large adult at ordinary distance: half of what the real photographs have, to be quick."""

SKY_IN_WATER = (0.72, 0.90, 1.15)
"""How much of the sky's red, green and blue the water mirrors towards a low camera."""

FOAM = 0.75
"""How bright foam is."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the animal stands in the crop; h rows and w columns.

    Attributes:
        length: the pixels of a body length.
        along: (w,) the place on the body, 0 snout to 1 fluke.
        radius: (w,) half the height of the body, in body lengths.
        back: (w,) how high its back is above the water, in body lengths; below 0 where it is under water.
        height: (h, 1) how high a row of the image is above the water, in body lengths.
    """

    length: float
    along: Field
    radius: Field
    back: Field
    height: Field


@dataclass(frozen=True, slots=True)
class Waves:
    """The surface of the water as noise, each (h, w), about -1 to 1: far off, close by, and the finest."""

    far: Field
    close: Field
    ripples: Field


def from_the_side(
    animal: Animal, skin: Field, conditions: Conditions, pose: Pose, view: View, rng: Generator
) -> Field:
    """The light that reaches the camera: (height, width, 3), 0 black to 1 white, not yet developed."""
    profile = _profile(animal, conditions, pose)
    under_back = profile.back - profile.height
    drop = np.clip(under_back / profile.radius, 0, 1.6)
    tone = _flank_tone(skin, profile, drop, view)
    right, nearer, up = conditions.towards_sun
    surface = _flank(profile, drop, rng)
    body = body_light(tone, surface, animal.warmth, conditions, (right, -up, nearer), rng)

    waves = _waves(profile, drop.shape, rng)
    below = _waterline(conditions, profile, rng) - profile.height
    dry = np.clip(under_back * profile.length + 0.5, 0, 1) * np.clip(0.5 - below * profile.length, 0, 1)
    water = _water(conditions, profile, waves, rng)
    behind = ramp(profile.back, -0.005, 0.03)
    contact = 1 - 0.5 * behind * hill(below / 0.005)
    mirror = 0.16 * behind * np.clip(1 - below / 0.06, 0, 1) * (below > 0)
    foam = _foam(conditions, profile, waves, below, rng)
    image = np.empty((*drop.shape, 3), dtype=np.float32)
    for channel, wet in enumerate(water):
        scene = wet * contact
        scene += mirror * (body[channel] - scene)
        scene += dry * (body[channel] - scene)
        scene += foam * (FOAM - scene)
        image[..., channel] = scene
    image *= conditions.exposure
    return image if view is View.LEFT else image[:, ::-1]


def _profile(animal: Animal, conditions: Conditions, pose: Pose) -> Profile:
    length = PIXELS_PER_BODY * animal.size * pose.zoom / conditions.distance
    body = np.linspace(0, 1, 201, dtype=np.float32)
    back, _ = _back(animal, pose, body)
    dry = body[back > 0.004]
    first, last = float(dry[0]) - pose.slack[2] - 0.01, float(dry[-1]) + pose.slack[3] + 0.01
    along = first + (np.arange(int((last - first) * length), dtype=np.float32) + 0.5) / length
    highest = float(back.max())
    top, bottom = highest * (1.08 + 2 * pose.slack[0]), -highest * (0.12 + 1.5 * pose.slack[1]) - 0.006
    height = top - (np.arange(int((top - bottom) * length), dtype=np.float32) + 0.5) / length
    back, radius = _back(animal, pose, along)
    return Profile(length, along, radius, back, height[:, None])


def _back(animal: Animal, pose: Pose, along: Field) -> tuple[Field, Field]:
    """The height of the back above the water, and half the height of the body there; a boat sees it arched."""
    off = along - 0.45
    radius: Field = np.maximum(THICKNESS * animal.half_width(along), 0.004)
    axis = pose.axis(along) + pose.tilt * off - 0.1 * off * off
    ridge = 0.0065 * animal.ridge(along) + 0.006 * spline(animal.roof, along)
    return axis + radius + ridge, radius


def _flank_tone(skin: Field, profile: Profile, drop: Field, view: View) -> Field:
    """(h, w) the skin's tone, from the ridge (drop 0) over the middle of the flank (1) down."""
    side = -0.5 if view is View.LEFT else 0.5
    around = side * (0.82 * np.sqrt(drop) + 0.18 * drop)
    return np.ascontiguousarray(read_skin(skin, profile.along, np.ascontiguousarray(around.T)).T)


def _flank(profile: Profile, drop: Field, rng: Generator) -> Surface:
    """Which way the flank faces: up at the back, towards the camera below it."""
    up = np.clip(1 - drop, -0.4, 1)
    # Over a stretch, so that a nick in the ridge doesn't crease the whole flank.
    reach = max(1, int(profile.length / 25))
    back = np.pad(profile.back, reach, mode="edge")
    lean = (back[: -2 * reach] - back[2 * reach :]) * (profile.length / 2 / reach)
    wrinkles = 0.05 * noise(rng, drop.shape, 4, 11)
    right = np.clip(lean, -0.8, 0.8) * np.maximum(up, 0) + wrinkles
    out = np.sqrt(np.maximum(1 - up * up, 0)) + 0.05
    return Surface.of(right, wrinkles - up, out, sky=up)


def _waves(profile: Profile, shape: tuple[int, ...], rng: Generator) -> Waves:
    length = profile.length
    return Waves(
        noise(rng, shape, 3, length / 22),
        noise(rng, shape, 9, length / 12),
        noise(rng, shape, 4, length / 48),
    )


def _waterline(conditions: Conditions, profile: Profile, rng: Generator) -> Field:
    """(w,) how high the water stands before the animal, in body lengths."""
    width, length = len(profile.along), profile.length
    slow, lumps = noise(rng, (2, width), 2, length / 6)
    quick = noise(rng, (1, width), 2, length / 35)[0]
    lumps = np.maximum(lumps, 0)
    level: Field = (0.004 + 0.007 * conditions.chop) * (slow + quick / 3 + 2 * lumps * lumps)
    return level


def _water(conditions: Conditions, profile: Profile, waves: Waves, rng: Generator) -> list[Field]:
    """Red, green, blue of the water, each (h, w): flat waves that mirror the sky, short ones far away."""
    near = ramp(profile.height, 0.06, -0.03)
    relief = waves.far * (1 - near) + (waves.close + waves.ripples / 2) * near
    face = np.zeros_like(relief)
    face[1:] = relief[1:] - relief[:-1]
    shine = np.clip(0.5 + (0.4 + 0.6 * conditions.chop) * (1.2 * face + 0.2 * relief), 0, 1.4)
    glints = ramp(waves.far / 2 + grain(rng, relief.shape), 1.2, 1.6) * (0.5 * conditions.sun)
    mirrored = (0.08 + 0.14 * (1 - conditions.sun) + 2 * conditions.clarity) * shine * shine
    return [
        0.4 * water * (1 + shine) + part * sky * mirrored + glints
        for water, part, sky in zip(conditions.water, SKY_IN_WATER, conditions.sky_colour, strict=True)
    ]


def _foam(conditions: Conditions, profile: Profile, waves: Waves, below: Field, rng: Generator) -> Field:
    """(h, w) white water where the animal breaks the surface, 0 to 1."""
    ends = hill(profile.back / 0.014) * (0.3 + 0.8 * conditions.chop) + 0.1
    froth = (waves.close + waves.ripples) / 2 + hill(below / 0.014) * ends + grain(rng, below.shape) / 3
    return 0.8 * ramp(froth, 0.8, 1.5)
