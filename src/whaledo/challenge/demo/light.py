"""How skin shines (sun from one side, sky from everywhere, wet gloss), and how its unrolled map is read."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.animals import SKIN_COLUMNS, SKIN_ROWS
from whaledo.challenge.demo.conditions import Conditions, Direction
from whaledo.challenge.demo.exact import Field, grain, ramp

GLOSS_SQUARINGS = 6
"""The gloss falls off as the 64th power: so often squared."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Which way each pixel of the skin faces, each (h, w).

    Attributes:
        right: how much it faces right in the image; with `down` and `out`, a unit vector.
        down: how much it faces down in the image.
        out: how much it faces the camera.
        sky: how much it faces the sky, -1 to 1.
    """

    right: Field
    down: Field
    out: Field
    sky: Field

    @classmethod
    def of(cls, right: Field, down: Field, out: Field, *, sky: Field | None = None) -> Surface:
        """From vectors of any length; seen from above, what faces the camera faces the sky."""
        scale = 1 / np.sqrt(right * right + down * down + out * out)
        out = out * scale
        return cls(right * scale, down * scale, out, out if sky is None else sky)


def body_light(
    tone: Field,
    surface: Surface,
    warmth: float,
    conditions: Conditions,
    towards_sun: Direction,
    rng: Generator,
) -> tuple[Field, Field, Field]:
    """The light that the skin sends to the camera: red, green, blue, each (h, w).

    Args:
        tone: (h, w) how much light the skin gives back, 0 to 1.
        surface: which way it faces.
        warmth: its tint, -1 to 1.
        conditions: the strength and the colours of sun and sky.
        towards_sun: unit vector to the sun: right and down in the image, and towards the camera.
        rng: for the glitter of wet skin.
    """
    right, down, out = towards_sun
    facing = surface.right * right + surface.down * down + surface.out * out
    gloss = np.clip((facing + surface.out) / sqrt(2 + 2 * out), 0, 1)
    for _ in range(GLOSS_SQUARINGS):
        gloss *= gloss
    gloss *= ramp(grain(rng, tone.shape), 0.1, 0.7) * (1.6 * conditions.sun)
    sunlight = np.maximum(facing, 0) * (1.15 * conditions.sun)
    skylight = (0.62 - 0.25 * conditions.sun) * (0.55 + 0.45 * surface.sky)
    red, green, blue = (
        tone * (tint * sun * sunlight + tint * sky * skylight) + gloss
        for tint, sun, sky in zip(
            (1 + 0.06 * warmth, 1.0, 1 - 0.06 * warmth),
            conditions.sun_colour,
            conditions.sky_colour,
            strict=True,
        )
    )
    return red, green, blue


def read_skin(skin: Field, along: Field, around: Field) -> Field:
    """The tone of the skin where the camera sees it.

    Args:
        skin: (SKIN_ROWS, SKIN_COLUMNS) as `animals.skin` gives it.
        along: (n,) a place along the body for each line of the image.
        around: (n, m) the place around the body of each pixel of that line.

    Returns:
        (n, m).
    """
    row = np.clip(along, 0, 1) * (SKIN_ROWS - 1)
    upper = np.minimum(row.astype(np.intp), SKIN_ROWS - 2)
    part = (row - upper.astype(np.float32))[:, None]
    strips = skin[upper] * (1 - part) + skin[upper + 1] * part

    column = (around + 1) * ((SKIN_COLUMNS - 1) / 2)
    left = np.clip(column.astype(np.intp), 0, SKIN_COLUMNS - 2)
    share = column - left.astype(np.float32)
    left += (np.arange(len(along)) * SKIN_COLUMNS)[:, None]
    tone: Field = strips.take(left) * (1 - share) + strips.take(left + 1) * share
    return tone
