"""A beluga from the side, as a photographer on a boat sees it: the back that rises from the waves.

Drawn with the head on the left, as the left flank is seen, and mirrored for the right flank. The flank takes its
marks from that side of the unrolled skin only. The crop follows what stands out of the water.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.animals import Animal
from whaledo.challenge.demo.conditions import Conditions, Pose, View
from whaledo.challenge.demo.exact import Field, grain, hill, noise, ramp, spline
from whaledo.challenge.demo.light import Surface, body_light, read_skin

PIXELS_PER_BODY = 1150.0
"""The length of a large adult at ordinary distance: half of what the real photographs have, to be quick."""

THICKNESS = np.float32(0.9)
"""Half the height of a body as a share of half its width."""

SKY_IN_WATER = (0.72, 0.9, 1.15)
"""How much of the sky's red, green and blue the water mirrors towards a low camera."""


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


def from_the_side(
    animal: Animal, skin: Field, conditions: Conditions, pose: Pose, view: View, rng: Generator
) -> Field:
    """The light that reaches the camera: (height, width, 3), 0 black to 1 white, not yet developed."""
    profile = _profile(animal, conditions, pose)
    under_back = profile.back - profile.height
    drop = np.clip(under_back / profile.radius, 0, 1.6)
    flank = np.float32(-0.5 if view is View.LEFT else 0.5)
    turn = flank * (np.float32(0.82) * np.sqrt(drop) + np.float32(0.18) * drop)
    tone = np.ascontiguousarray(read_skin(skin, profile.along, np.ascontiguousarray(turn.T)).T)
    right, nearer, up = conditions.towards_sun
    surface = _flank(profile, drop, rng)
    body = body_light(tone, surface, animal.warmth, conditions, (right, -up, nearer), rng)

    far = noise(rng, *drop.shape, 3, profile.length / 22)
    close = noise(rng, *drop.shape, 9, profile.length / 12)
    ripples = noise(rng, *drop.shape, 4, profile.length / 48)
    below = _waterline(conditions, profile, rng) - profile.height
    pixels = np.float32(profile.length)
    dry = np.clip(under_back * pixels + np.float32(0.5), 0, 1) * np.clip(np.float32(0.5) - below * pixels, 0, 1)
    behind = ramp(profile.back, -0.005, 0.03)
    contact = 1 - np.float32(0.5) * behind * hill(below / np.float32(0.005))
    mirror = np.float32(0.16) * behind * np.clip(1 - below / np.float32(0.06), 0, 1) * (below > 0)
    foam = _foam(conditions, profile, below, close + ripples, rng)
    shine = _shine(conditions, profile, far, close, ripples)
    glints = ramp(far / 2 + grain(rng, *drop.shape), 1.2, 1.6) * np.float32(0.5 * conditions.sun)
    mirrored = np.float32(0.08 + 0.14 * (1 - conditions.sun) + 2 * conditions.clarity) * shine * shine
    image = np.empty((*drop.shape, 3), dtype=np.float32)
    for channel, sky in enumerate(SKY_IN_WATER):
        wet = np.float32(0.4 * conditions.water[channel]) * (1 + shine)
        wet += np.float32(sky * conditions.sky_colour[channel]) * mirrored + glints
        wet = wet * contact + mirror * (body[channel] - wet)
        wet += dry * (body[channel] - wet)
        image[..., channel] = wet + foam * (np.float32(0.75) - wet)
    image *= np.float32(conditions.exposure)
    return image if view is View.LEFT else image[:, ::-1]


def _profile(animal: Animal, conditions: Conditions, pose: Pose) -> Profile:
    length = np.float32(PIXELS_PER_BODY * animal.size * pose.zoom / conditions.distance)
    body = np.linspace(0, 1, 201, dtype=np.float32)
    back, _ = _back(animal, pose, body)
    seen = np.flatnonzero(back > np.float32(0.004))
    first, last = float(body[seen[0]]) - pose.slack[2] - 0.01, float(body[seen[-1]]) + pose.slack[3] + 0.01
    columns = np.arange(int((last - first) * length), dtype=np.float32)
    along = np.float32(first) + (columns + np.float32(0.5)) / length
    highest = float(back.max())
    top, bottom = highest * (1.08 + 2 * pose.slack[0]), -highest * (0.12 + 1.5 * pose.slack[1]) - 0.006
    rows = np.arange(int((top - bottom) * length), dtype=np.float32)
    height = np.float32(top) - (rows + np.float32(0.5)) / length
    back, radius = _back(animal, pose, along)
    return Profile(float(length), along, radius, back, height[:, None])


def _back(animal: Animal, pose: Pose, along: Field) -> tuple[Field, Field]:
    """The height of the back above the water, and half the height of the body there."""
    off = along - np.float32(0.45)
    radius = np.maximum(THICKNESS * animal.half_width(along), np.float32(0.004))
    pitch, arch = np.float32(pose.pitch - pose.tilt), np.float32(pose.arch + 0.1)
    axis = np.float32(pose.lift) - pitch * off - arch * off * off
    ridge = np.float32(0.0065) * animal.ridge(along) + np.float32(0.006) * spline(animal.roof, along)
    return axis + radius + ridge, radius


def _flank(profile: Profile, drop: Field, rng: Generator) -> Surface:
    """Which way the flank faces: up at the back, towards the camera below it."""
    up = np.clip(1 - drop, -0.4, 1)
    # Over a stretch, so that a nick in the ridge doesn't crease the whole flank.
    reach = max(1, int(profile.length / 25))
    ends = np.concatenate([profile.back[:1].repeat(reach), profile.back, profile.back[-1:].repeat(reach)])
    lean = (ends[: -2 * reach] - ends[2 * reach :]) * np.float32(profile.length / 2 / reach)
    wrinkles = np.float32(0.05) * noise(rng, *drop.shape, 4, 11)
    right = np.clip(lean, -0.8, 0.8) * np.maximum(up, 0) + wrinkles
    out = np.sqrt(np.maximum(1 - up * up, 0)) + np.float32(0.05)
    return Surface.of(right, wrinkles - up, out, sky=up)


def _waterline(conditions: Conditions, profile: Profile, rng: Generator) -> Field:
    """(w,) how high the water stands before the animal, in body lengths."""
    width, length = len(profile.along), profile.length
    slow, lumps = noise(rng, 2, width, 2, length / 6)
    quick = noise(rng, 1, width, 2, length / 35)[0]
    lumps = np.maximum(lumps, 0)
    return np.float32(0.004 + 0.007 * conditions.chop) * (slow + quick / 3 + 2 * lumps * lumps)


def _shine(conditions: Conditions, profile: Profile, far: Field, close: Field, ripples: Field) -> Field:
    """(h, w) how much the flat waves mirror the sky: short ones far away, long ones close by."""
    near = ramp(profile.height, 0.06, -0.03)
    relief = far * (1 - near) + (close + ripples / 2) * near
    face = np.zeros_like(relief)
    face[1:] = relief[1:] - relief[:-1]
    chop = np.float32(0.4 + 0.6 * conditions.chop)
    return np.clip(np.float32(0.5) + chop * (face * np.float32(1.2) + relief * np.float32(0.2)), 0, 1.4)


def _foam(conditions: Conditions, profile: Profile, below: Field, bubbles: Field, rng: Generator) -> Field:
    """(h, w) white water where the animal breaks the surface, 0 to 1."""
    ends = hill(profile.back / np.float32(0.014)) * np.float32(0.3 + 0.8 * conditions.chop) + np.float32(0.1)
    froth = bubbles / 2 + hill(below / np.float32(0.014)) * ends + grain(rng, *below.shape) / 3
    return np.float32(0.8) * ramp(froth, 0.8, 1.5)
