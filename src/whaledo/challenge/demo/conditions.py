"""What an encounter and a shot bring with them: sun, sky, water, camera and the pose of the animal.

An encounter has one light, one water and one camera; its shots differ by pose and by the waves. Shots of one
burst are seconds apart, so their poses differ by little.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.exact import around, between

Colour = tuple[float, float, float]


class View(StrEnum):
    """Where the camera was: above the animal, or beside it on its left or on its right."""

    TOP = "top"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The light, the water and the camera of one encounter.

    Attributes:
        sun: how much of the light comes straight from the sun, 0 overcast to 1 clear.
        towards_sun: unit vector to the sun: to the right and down in the image, and up from the water.
        sun_colour: red, green, blue.
        sky_colour: the same, of the light from everywhere.
        water: the colour of the water from above.
        clarity: how deep one sees into it, in body lengths.
        chop: how rough the surface is, 0 to 1.
        exposure: how bright the photograph is.
        distance: how far the camera is; 1 is ordinary, 2 makes the animal half as large.
        softness: how often the image is smoothed before it is digitised, which blurs it.
        grain: the strength of the sensor's noise.
        fringe: how far red and blue lie beside green, in pixels.
        quality: the JPEG quality.
    """

    sun: float
    towards_sun: tuple[float, float, float]
    sun_colour: Colour
    sky_colour: Colour
    water: Colour
    clarity: float
    chop: float
    exposure: float
    distance: float
    softness: int
    grain: float
    fringe: int
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
        slack: room around it in the crop, in widths: left, right; in lengths: before, behind.
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


def draw_conditions(day: Generator, rng: Generator) -> Conditions:
    """Draw an encounter's light, water and camera.

    Args:
        day: for the weather and the water, which all encounters of one day share.
        rng: for what is this encounter's own: the animal's heading to the sun, and the camera.
    """
    sun = between(day, 0.35, 0.85) if day.random() < 0.45 else between(day, 0.0, 0.2)
    brown, level, haze = between(day, 0.0, 1.0), between(day, 0.075, 0.14), around(day, 0.0, 0.025)
    right, down, up = between(rng, 0.5, 1.5), between(rng, -0.7, 0.7), between(day, 0.75, 1.4)
    if rng.random() < 0.5:
        right = -right
    length = float(np.sqrt(right * right + down * down + up * up))
    return Conditions(
        sun=sun,
        towards_sun=(right / length, down / length, up / length),
        sun_colour=(1.0, around(day, 0.95, 0.02), around(day, 0.90, 0.03)),
        sky_colour=(around(day, 0.80, 0.03) + haze, around(day, 0.82, 0.03), 1.0 - haze),
        water=(level * (0.98 + 0.12 * brown), level, level * (1.0 - 0.14 * brown)),
        clarity=between(day, 0.015, 0.05),
        chop=between(day, 0.15, 1.0),
        exposure=around(rng, 0.95 if sun > 0.3 else 0.88, 0.035),
        distance=between(rng, 0.75, 1.45),
        softness=int(rng.integers(0, 4)),
        grain=between(rng, 0.005, 0.035),
        fringe=int(rng.integers(0, 2)),
        quality=int(rng.integers(82, 96)),
    )


def draw_pose(rng: Generator) -> Pose:
    """Draw how an animal lies when a burst begins."""
    whole = rng.random() < 0.12
    diving = not whole and rng.random() < 0.25
    return Pose(
        lift=between(rng, -0.05, -0.02) if diving else between(rng, -0.02, 0.015),
        arch=between(rng, 0.25, 0.5) if diving else between(rng, 0.0 if whole else 0.06, 0.06 if whole else 0.24),
        pitch=around(rng, -0.06 if whole else 0.0, 0.05),
        roll=around(rng, 0.0, 0.10),
        bend=around(rng, 0.0, 0.012),
        tilt=around(rng, 0.0, 0.012),
        flippers=between(rng, 0.02, 0.07),
        whole=whole,
        zoom=around(rng, 1.0, 0.08),
        slack=(between(rng, 0.02, 0.14), between(rng, 0.02, 0.14), between(rng, 0.0, 0.05), between(rng, 0.0, 0.05)),
    )


def next_pose(rng: Generator, pose: Pose) -> Pose:
    """The pose a second or so later."""
    return Pose(
        lift=pose.lift + around(rng, 0.0, 0.004),
        arch=pose.arch + around(rng, 0.0, 0.02),
        pitch=pose.pitch + around(rng, 0.0, 0.01),
        roll=pose.roll + around(rng, 0.0, 0.03),
        bend=pose.bend + around(rng, 0.0, 0.003),
        tilt=pose.tilt + around(rng, 0.0, 0.004),
        flippers=pose.flippers,
        whole=pose.whole,
        zoom=pose.zoom * around(rng, 1.0, 0.02),
        slack=(
            pose.slack[0] * around(rng, 1.0, 0.1),
            pose.slack[1] * around(rng, 1.0, 0.1),
            pose.slack[2] * around(rng, 1.0, 0.1),
            pose.slack[3] * around(rng, 1.0, 0.1),
        ),
    )
