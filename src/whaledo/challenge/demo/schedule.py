"""Who is photographed when, and how: the encounters of three summers, and the photographs of each.

The schedule comes before any photograph, and tells scenarios what to choose from. Image and whale numbers are
shuffled, so that neither they nor the order of metadata.csv tell who is who.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from numpy.random import Generator

from whaledo.challenge.demo.animals import FIRST_YEAR, LAST_YEAR
from whaledo.challenge.demo.conditions import View
from whaledo.challenge.demo.exact import Topic, chance

YEARS = tuple(range(FIRST_YEAR, LAST_YEAR + 1))

MAIN_YEAR = 2018
"""The season in which most animals are met, and some of them twice."""

SURVEY_DAYS = 9
"""On how many days of a summer there are photographs; all animals met on one day share its weather."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the challenge is.

    Attributes:
        images: how many photographs; more where that is too few for one of each encounter.
        whales: how many animals.
        singletons: how many of these are photographed only once.
    """

    images: int = 300
    whales: int = 60
    singletons: int = 12


@dataclass(frozen=True, slots=True)
class Encounter:
    """One animal met once.

    Attributes:
        animal: which.
        number: which of this animal's encounters.
        view: where the camera is.
        year: the season.
        day: the survey day of that season.
    """

    animal: int
    number: int
    view: View
    year: int
    day: int


@dataclass(frozen=True, slots=True)
class Shot:
    """One photograph to take.

    Attributes:
        image_id: its id.
        whale_id: the animal's id.
        encounter_id: the encounter's id.
        encounter: the encounter.
        burst: which burst of the encounter; the animal hardly moves within one.
        moment: when it is taken.
    """

    image_id: str
    whale_id: str
    encounter_id: str
    encounter: Encounter
    burst: int
    moment: datetime

    @property
    def view(self) -> View:
        """Where the camera is."""
        return self.encounter.view

    @property
    def year(self) -> int:
        """The season."""
        return self.encounter.year


def draw_schedule(seed: int, plan: Plan) -> tuple[Shot, ...]:
    """All photographs to take, encounter by encounter, each in the order of time."""
    rng = chance(seed, Topic.SCHEDULE)
    days = {year: _survey_days(rng, year) for year in YEARS}
    encounters = []
    for animal in range(plan.whales):
        encounters += _once(rng, animal) if animal < plan.singletons else _encounters(rng, animal)
    counts = _shot_counts(rng, encounters, plan)
    whales = rng.permutation(plan.whales)
    moments = [_moments(rng, days[e.year][e.day], count) for e, count in zip(encounters, counts, strict=True)]
    images = iter(rng.permutation(sum(counts)))
    return tuple(
        Shot(
            f"train{next(images):04d}",
            f"whale{whales[encounter.animal]:03d}",
            f"whale{whales[encounter.animal]:03d}-{encounter.number:03d}",
            encounter,
            burst,
            moment,
        )
        for encounter, taken in zip(encounters, moments, strict=True)
        for burst, moment in taken
    )


def _survey_days(rng: Generator, year: int) -> list[datetime]:
    """Days of July and August."""
    summer = sorted(int(day) for day in rng.permutation(62)[:SURVEY_DAYS])
    return [datetime(year, 7, 1) + timedelta(days=day) for day in summer]


def _once(rng: Generator, animal: int) -> list[Encounter]:
    return [Encounter(animal, 0, View.TOP, MAIN_YEAR, int(rng.integers(SURVEY_DAYS)))]


def _encounters(rng: Generator, animal: int) -> list[Encounter]:
    """Some animals are met every summer, some in one only; every third also from a boat, on either side."""
    years = [year for year in YEARS if rng.random() < (0.85 if year == MAIN_YEAR else 0.55)] or [MAIN_YEAR]
    met: list[tuple[int, View]] = []
    for year in years:
        met.append((year, View.TOP))
        if rng.random() < (0.5 if year == MAIN_YEAR else 0.2):
            met.append((year, View.TOP))
    if animal % 3 == 0:
        sides = [View.LEFT, View.RIGHT] if rng.random() < 0.4 else [(View.LEFT, View.RIGHT)[rng.integers(2)]]
        met += [(years[rng.integers(len(years))], side) for side in sides]
    days = rng.permutation(SURVEY_DAYS)
    return [
        Encounter(animal, number, view, year, int(days[number % SURVEY_DAYS]))
        for number, (year, view) in enumerate(met)
    ]


def _shot_counts(rng: Generator, encounters: list[Encounter], plan: Plan) -> list[int]:
    """How many photographs each encounter has: one at least, and a few have many."""
    counts = [1] * len(encounters)
    tickets = []
    for index, encounter in enumerate(encounters):
        if encounter.animal >= plan.singletons:
            luck = rng.random()
            tickets += [index] * (1 + int(20 * luck * luck))
    for _ in range(plan.images - len(encounters)):
        counts[tickets[rng.integers(len(tickets))]] += 1
    return counts


def _moments(rng: Generator, day: datetime, count: int) -> list[tuple[int, datetime]]:
    """The burst and the moment of each photograph: seconds apart within a burst, minutes between two."""
    moment = day + timedelta(hours=9, seconds=int(rng.integers(8 * 3600)))
    burst, taken = 0, [(0, moment)]
    while len(taken) < count:
        pause = rng.random() < 0.35
        burst += pause
        moment += timedelta(seconds=int(rng.integers(60, 1200) if pause else rng.integers(1, 14)))
        taken.append((burst, moment))
    return taken
