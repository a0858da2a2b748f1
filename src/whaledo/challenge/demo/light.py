"""How skin shines: sun from one side, sky from everywhere, wet gloss; and reading the unrolled skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.animals import SKIN_COLUMNS, SKIN_ROWS
from whaledo.challenge.demo.conditions import Conditions
from whaledo.challenge.demo.exact import Field, grain, noise, ramp


@dataclass(frozen=True, slots=True)
class Surface:
    """Which way each pixel of the skin faces, each (h, w).

    Attributes:
        right, down, out: unit vectors: to the right and down in the image, and towards the camera.
        sky: how much the skin faces the sky, -1 to 1.
    """

    right: Field
    down: Field
    out: Field
    sky: Field

    @classmethod
    def of(cls, right: Field, down: Field, out: Field, *, sky: Field | None = None) -> Surface:
        """From vectors of any length; seen from above, what faces the camera faces the sky."""
        scale = 1 / np.sqrt(right * right + down * down + out * out)
        return cls(right * scale, down * scale, out * scale, out * scale if sky is None else sky)


def body_light(
    tone: Field, surface: Surface, warmth: float, conditions: Conditions, towards_sun: tuple[float, float, float], rng: Generator
) -> tuple[Field, Field, Field]:
    """The light that the skin sends to the camera: red, green, blue, each (h, w).

    Args:
        tone: (h, w) how much light the skin gives back, 0 to 1.
        surface: which way it faces.
        warmth: its tint.
        conditions: sun and sky.
        rng: for the glitter of wet skin.
    """
    sun_right, sun_down, sun_out = (np.float32(part) for part in towards_sun)
    facing = surface.right * sun_right + surface.down * sun_down + surface.out * sun_out
    gloss = np.clip((facing + surface.out) / np.sqrt(2 + 2 * sun_out), 0, 1)
    for _ in range(6):
        gloss = gloss * gloss
    gloss *= ramp(grain(rng, *tone.shape), 0.1, 0.7) * np.float32(1.6 * conditions.sun)
    open_sky = np.float32(0.62 - 0.25 * conditions.sun) * (np.float32(0.55) + np.float32(0.45) * surface.sky)
    sunlight = np.float32(1.15 * conditions.sun) * np.clip(facing, 0, 1)
    tints = 1.0 + 0.06 * warmth, 1.0, 1.02 - 0.08 * warmth
    red, green, blue = (
        tone * np.float32(tint) * (sunlight * np.float32(sun) + open_sky * np.float32(sky)) + gloss
        for tint, sun, sky in zip(tints, conditions.sun_colour, conditions.sky_colour, strict=True)
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
    row = np.clip(along, 0, 1) * np.float32(SKIN_ROWS - 1)
    upper = np.minimum(row.astype(np.intp), SKIN_ROWS - 2)
    part = (row - upper).astype(np.float32)[:, None]
    strip = (skin[upper] * (1 - part) + skin[upper + 1] * part).ravel()
    column = (around + 1) * np.float32((SKIN_COLUMNS - 1) / 2)
    left = np.clip(column.astype(np.intp), 0, SKIN_COLUMNS - 2)
    share = (column - left).astype(np.float32)
    left += (np.arange(len(along)) * SKIN_COLUMNS)[:, None]
    return strip.take(left) * (1 - share) + strip.take(left + 1) * share
