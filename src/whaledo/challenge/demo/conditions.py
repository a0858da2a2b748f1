"""What an encounter and a shot bring with them: sun, sky, water, camera, and the pose of the animal.

An encounter has one light, one water and one camera; all encounters of one day share its weather. Shots differ by
pose and by the waves: shots of one burst are seconds apart, so their poses differ by little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.exact import Field, around, between

Colour = tuple[float, float, float]
"""Red, green, blue."""

Direction = tuple[float, float, float]
"""A unit vector."""


class View(StrEnum):
    """Where the camera is: above the animal, or beside it on its left or on its right."""

    TOP = "top"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The light, the water and the camera of one encounter.

    Attributes:
        sun: how much of the light comes straight from the sun, 0 overcast to 1 clear.
        towards_sun: to the sun: right and down in an image from above, and up from the water.
        sun_colour: the light of the sun.
        sky_colour: the light from everywhere.
        water: the colour of the water from above.
        clarity: how deep one sees into it, in body lengths.
        chop: how rough the surface is, 0 to 1.
        exposure: how bright the photograph is.
        distance: how far the camera is; 1 is ordinary, 2 makes the animal half as large.
        softness: how often the image is smoothed, which blurs it.
        grain: the strength of the sensor's noise.
        fringe: whether red and blue lie a pixel beside green.
        quality: the JPEG quality.
    """

    sun: float
    towards_sun: Direction
    sun_colour: Colour
    sky_colour: Colour
    water: Colour
    clarity: float
    chop: float
    exposure: float
    distance: float
    softness: int
    grain: float
    fringe: bool
    quality: int


@dataclass(frozen=True, slots=True)
class Pose:
    """How the animal lies in one shot; lengths in body lengths.

    Attributes:
        lift: how high its axis is above the water.
        arch: how much lower head and tail are than the middle.
        pitch: how much higher the head is than the tail.
        roll: how far the ridge has turned aside, as a share of half the width; above 0 to its right.
        bend: how far the body curves aside.
        tilt: how far it lies askew in the crop.
        flippers: how deep the flippers are.
        whole: whether the crop goes to the end of the fluke, seen or not.
        zoom: how much larger than in other shots.
        slack: room around it in the crop: left and right in widths, before and behind in lengths.
    """

    lift: float
    arch: float
    pitch: float
    roll: float
    bend: float
    tilt: float
    flippers: float
    whole: bool
    zoom: float
    slack: tuple[float, float, float, float]

    def axis(self, along: Field) -> Field:
        """How high the axis of the body is above the water there; the tail hangs down."""
        off: Field = along - 0.45
        tail: Field = np.maximum(along - 0.78, 0)
        return self.lift - self.pitch * off - self.arch * off * off - tail * tail


def draw_conditions(day: Generator, rng: Generator) -> Conditions:
    """Draw an encounter's light, water and camera.

    Args:
        day: for the weather and the water, which the encounters of one day share.
        rng: for what is this encounter's own: the animal's heading to the sun, and the camera.
    """
    sun = between(day, 0.35, 0.85) if day.random() < 0.45 else between(day, 0.0, 0.2)
    brown, level, haze = between(day, 0.0, 1.0), between(day, 0.075, 0.14), around(day, 0.0, 0.025)
    right, down, up = between(rng, 0.5, 1.5), between(rng, -0.7, 0.7), between(day, 0.75, 1.4)
    if rng.random() < 0.5:
        right = -right
    length = sqrt(right * right + down * down + up * up)
    return Conditions(
        sun=sun,
        towards_sun=(right / length, down / length, up / length),
        sun_colour=(1.0, around(day, 0.95, 0.02), around(day, 0.90, 0.03)),
        sky_colour=(around(day, 0.80, 0.03) + haze, around(day, 0.83, 0.03), 0.98 - haze),
        water=(level * (0.98 + 0.12 * brown), level, level * (1.0 - 0.14 * brown)),
        clarity=between(day, 0.015, 0.05),
        chop=between(day, 0.15, 1.0),
        exposure=around(rng, 0.95 if sun > 0.3 else 0.88, 0.035),
        distance=between(rng, 0.75, 1.45),
        softness=int(rng.integers(4)),
        grain=between(rng, 0.005, 0.035),
        fringe=rng.random() < 0.5,
        quality=int(rng.integers(82, 96)),
    )


def draw_pose(rng: Generator) -> Pose:
    """Draw how an animal lies when a burst begins: all of it level, arched to dive, or in between."""
    style = rng.random()
    if whole := style < 0.12:
        lift, arch = between(rng, -0.02, 0.015), between(rng, 0.0, 0.06)
    elif style < 0.34:
        lift, arch = between(rng, -0.05, -0.02), between(rng, 0.25, 0.5)
    else:
        lift, arch = between(rng, -0.02, 0.015), between(rng, 0.06, 0.24)
    sides = between(rng, 0.02, 0.14), between(rng, 0.02, 0.14)
    return Pose(
        lift=lift,
        arch=arch,
        pitch=around(rng, -0.06 if whole else 0.0, 0.05),
        roll=around(rng, 0.0, 0.10),
        bend=around(rng, 0.0, 0.012),
        tilt=around(rng, 0.0, 0.012),
        flippers=between(rng, 0.02, 0.07),
        whole=whole,
        zoom=around(rng, 1.0, 0.08),
        slack=(*sides, between(rng, 0.0, 0.05), between(rng, 0.0, 0.05)),
    )


def next_pose(rng: Generator, pose: Pose) -> Pose:
    """The pose a few seconds later."""
    left, right, before, behind = (room * around(rng, 1.0, 0.1) for room in pose.slack)
    return replace(
        pose,
        lift=around(rng, pose.lift, 0.004),
        arch=around(rng, pose.arch, 0.02),
        pitch=around(rng, pose.pitch, 0.01),
        roll=around(rng, pose.roll, 0.03),
        bend=around(rng, pose.bend, 0.003),
        tilt=around(rng, pose.tilt, 0.004),
        zoom=around(rng, pose.zoom, 0.02),
        slack=(left, right, before, behind),
    )
