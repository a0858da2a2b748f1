"""The individuals: what tells one beluga from another, and its skin unrolled as a map.

An animal is a few numbers; photographs ask it for its outline, its ridge and its skin. Places on the body are
`along` (0 snout, 1 the notch of the fluke) and `around` (0 the ridge, -0.5 the middle of the left flank, 0.5 that
of the right one, 1 the belly), so that a mark is seen from its own side and, near the ridge, from above. A mark
has the year in which it was got: an animal changes between summers, but stays itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.random import Generator

from whaledo.challenge.demo.exact import Field, Topic, around, between, chance, hill, noise, ramp, spline

FIRST_YEAR = 2017
LAST_YEAR = 2019

OUTLINE = (0.044, 0.058, 0.050, 0.096, 0.118, 0.124, 0.120, 0.106, 0.083, 0.056, 0.034, 0.020, 0.014)
"""Half the width of a beluga at equal steps from snout to fluke, in body lengths."""

HEAD_STEPS = 3
"""How many of these steps are its head."""

THICKNESS = 0.9
"""Half the height of a body as a share of half its width."""

HALF_GIRTH = 0.3
"""From the ridge to the belly along the skin, in body lengths: turns `around` into a length."""

SKIN_ROWS = 560
SKIN_COLUMNS = 240


@dataclass(frozen=True, slots=True)
class Mark:
    """A scratch, a scar or a blotch.

    Attributes:
        along: where it is, snout to fluke.
        around: where it is, ridge to belly.
        direction: its long axis, along and around: a unit vector.
        length: half its length, in body lengths.
        width: half its width, in body lengths.
        bend: how far its ends turn aside, as a share of half its length.
        ragged: how uneven its rim is, 0 to 1.
        tone: how much lighter (above 0) or darker it makes the skin, as a share of its shade.
        since: the first year in which it is there.
    """

    along: float
    around: float
    direction: tuple[float, float]
    length: float
    width: float
    bend: float
    ragged: float
    tone: float
    since: int


@dataclass(frozen=True, slots=True)
class Notch:
    """A nick in the ridge: where (snout to fluke), half its length in body lengths, how deep (0 to 1)."""

    along: float
    length: float
    depth: float


@dataclass(frozen=True, slots=True)
class Animal:
    """One beluga.

    Attributes:
        seed: the seed of the challenge.
        number: which of its animals; the fine pattern of the skin follows from both.
        size: its length as a share of a large adult's.
        shade: how much light its skin gives back in the first year, 0 to 1: calves are grey, adults white.
        paling: how much whiter it gets a year.
        warmth: the tint of its skin, -1 bluish to 1 yellowish.
        mottling: how strongly its skin is mottled.
        neck: how deep the folds behind its head are, 0 to 1.
        outline: half its width at equal steps from snout to fluke, in body lengths.
        crest: the height of its ridge at equal steps from snout to fluke, 0 to about 1.
        roof: how straight the flanks fall from the ridge, at the same steps, 0 round to 1 a roof.
        notches: the nicks in its ridge.
        marks: all marks that it ever has.
    """

    seed: int
    number: int
    size: float
    shade: float
    paling: float
    warmth: float
    mottling: float
    neck: float
    outline: tuple[float, ...]
    crest: tuple[float, ...]
    roof: tuple[float, ...]
    notches: tuple[Notch, ...]
    marks: tuple[Mark, ...]

    def half_width(self, along: Field) -> Field:
        """Half the width of the body there, in body lengths; the snout is round."""
        rest: Field = 1 - np.clip(along / 0.05, 0, 1)
        return spline(self.outline, along) * np.sqrt(1 - rest * rest)

    def ridge(self, along: Field) -> Field:
        """The height of the ridge there, its nicks cut out, 0 to about 1."""
        height = spline(self.crest, along)
        for notch in self.notches:
            height *= 1 - notch.depth * hill((along - notch.along) / notch.length)
        return height


def draw_animal(seed: int, number: int) -> Animal:
    """Draw an individual."""
    rng = chance(seed, Topic.ANIMAL, number)
    young = rng.random() < 0.35
    start, end = between(rng, 0.34, 0.46), between(rng, 0.72, 0.84)
    height, steepness = between(rng, 0.35, 1.0), between(rng, 0.45, 0.85)
    places = [step / 24 for step in range(25)]
    return Animal(
        seed=seed,
        number=number,
        size=between(rng, 0.62, 0.8) if young else between(rng, 0.85, 1.0),
        shade=between(rng, 0.14, 0.42) if young else between(rng, 0.48, 0.92),
        paling=between(rng, 0.0, 0.05) if young else between(rng, 0.0, 0.02),
        warmth=between(rng, -1.0, 1.0),
        mottling=between(rng, 0.03, 0.16),
        neck=between(rng, 0.2, 1.0),
        outline=_outline(rng, young),
        crest=tuple(height * around(rng, 1.0, 0.3) if start < at < end else 0.0 for at in places),
        roof=tuple(steepness * around(rng, 1.0, 0.06) if at > start - 0.1 else 0.12 for at in places),
        notches=tuple(_notch(rng, start, end) for _ in range(rng.integers(5))),
        marks=tuple(_marks(rng)),
    )


def _outline(rng: Generator, young: bool) -> tuple[float, ...]:
    """Calves have large heads; some animals are stout in front, others behind."""
    head, build = around(rng, 1.12 if young else 1.0, 0.08), around(rng, 1.0, 0.07)
    behind = between(rng, -0.03, 0.03)
    return tuple(
        around(rng, width, 0.02 * width) * (head if step < HEAD_STEPS else build * (1 + behind * (step - 5)))
        for step, width in enumerate(OUTLINE)
    )


def _notch(rng: Generator, start: float, end: float) -> Notch:
    return Notch(between(rng, start, end), between(rng, 0.004, 0.016), between(rng, 0.5, 1.0))


def _marks(rng: Generator) -> list[Mark]:
    """Scratches, rows of them (an orca's teeth, a propeller) and blotches; a few animals have hardly any."""
    marked = rng.random()
    marks = [_scratch(rng) for _ in range(int(3 + 18 * marked * rng.random()))]
    for _ in range(rng.integers(3) if marked > 0.3 else 0):
        first, gap = _scratch(rng), between(rng, 0.010, 0.018)
        marks += [_beside(first, step * gap) for step in range(rng.integers(3, 7))]
    marks += [_blotch(rng) for _ in range(int(1.7 + 9 * marked * rng.random()))]
    return marks


def _scratch(rng: Generator) -> Mark:
    return Mark(
        along=between(rng, 0.16, 0.85),
        around=around(rng, 0.0, 0.28),
        direction=_direction(rng),
        length=between(rng, 0.015, 0.085),
        width=between(rng, 0.0015, 0.0045),
        bend=around(rng, 0.0, 0.2),
        ragged=between(rng, 0.0, 0.6),
        tone=between(rng, -0.55, -0.20) if rng.random() < 0.6 else between(rng, 0.2, 0.6),
        since=_since(rng),
    )


def _beside(mark: Mark, gap: float) -> Mark:
    """The same mark again, to its side."""
    along, across = mark.direction
    return replace(mark, along=mark.along - gap * across, around=mark.around + gap * along / HALF_GIRTH)


def _blotch(rng: Generator) -> Mark:
    length = between(rng, 0.012, 0.075)
    return Mark(
        along=between(rng, 0.1, 0.85),
        around=around(rng, 0.0, 0.25),
        direction=_direction(rng),
        length=length,
        width=length * between(rng, 0.3, 0.9),
        bend=around(rng, 0.0, 0.3),
        ragged=between(rng, 0.3, 1.0),
        tone=between(rng, -0.45, -0.15) if rng.random() < 0.7 else between(rng, 0.12, 0.35),
        since=_since(rng),
    )


def _direction(rng: Generator) -> tuple[float, float]:
    """Marks run along the body rather than across."""
    across = between(rng, -0.8, 0.8)
    length = sqrt(1 + across * across)
    return 1 / length, across / length


def _since(rng: Generator) -> int:
    """Most marks are older than the first summer."""
    return FIRST_YEAR if rng.random() < 0.75 else int(rng.integers(FIRST_YEAR + 1, LAST_YEAR + 1))


def skin(animal: Animal, year: int) -> Field:
    """The animal's skin in that year, unrolled.

    Returns:
        (SKIN_ROWS, SKIN_COLUMNS) how much light it gives back, 0 to 1: rows from snout to fluke, columns from
        the belly (-1) over the left flank, the ridge (0) and the right flank to the belly (1).
    """
    rng = chance(animal.seed, Topic.SKIN, animal.number)
    shape = SKIN_ROWS, SKIN_COLUMNS
    clouds = noise(rng, shape, 90, 60) + 0.7 * noise(rng, shape, 34, 20)
    fine = noise(rng, shape, 9, 5)
    shade = animal.shade + animal.paling * (year - FIRST_YEAR)
    tone = shade + (shade * animal.mottling) * (clouds + 0.3 * fine)
    along = np.linspace(0, 1, SKIN_ROWS, dtype=np.float32)[:, None]
    around = np.linspace(-1, 1, SKIN_COLUMNS, dtype=np.float32)[None, :]
    for mark in animal.marks:
        if mark.since <= year:
            _add_mark(tone, mark, along, around, fine)
    bounded: Field = np.clip(tone, 0.06, 0.95)
    return bounded


def _add_mark(tone: Field, mark: Mark, along: Field, around: Field, rough: Field) -> None:
    """Add one mark to the map, touching only the part that it covers."""
    reach = mark.length * 1.3 + mark.width
    rows = _window(along[:, 0], mark.along, reach)
    columns = _window(around[0], mark.around, reach / HALF_GIRTH)
    down = along[rows] - mark.along
    aside = (around[:, columns] - mark.around) * HALF_GIRTH
    ahead, across = mark.direction
    x = (down * ahead + aside * across) / mark.length
    y = ((aside * ahead - down * across) / mark.length - mark.bend * x * x) * (mark.length / mark.width)
    far = (x * x + y * y) * (1 + 0.6 * mark.ragged * rough[rows, columns])
    tone[rows, columns] *= 1 + mark.tone * (1 - ramp(far, 0.5, 1.3))


def _window(places: Field, middle: float, reach: float) -> slice:
    first, last = np.searchsorted(places, [middle - reach, middle + reach])
    return slice(int(first), int(last))
