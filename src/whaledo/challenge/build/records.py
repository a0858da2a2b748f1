"""What goes into a build and what comes out of it: both plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from whaledo.challenge.build.dates import DateOrder
from whaledo.challenge.model import Layout
from whaledo.errors import Problems


class BoxFormat(StrEnum):
    """What the four numbers of a box are, in pixels from the top left corner."""

    XYWH = "xywh"
    """Left, top, width, height, as COCO and wildlife-datasets write them."""
    XYXY = "xyxy"
    """Left, top, right, bottom."""


class DateDetail(StrEnum):
    """How much of a photograph's date submissions see."""

    DAY = "day"
    YEAR = "year"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build, completely described.

    Attributes:
        table: path of the CSV with a row a photograph.
        output: a new or empty folder, for `public/`, `private/` and `training/`.
        images: the folder that the table's paths start at; None: the folder of the table.
        columns: role to name of the table's column, for roles whose column has an unusual name.
        unknown: what the identity of an animal that nobody knows reads, besides an empty one.
        species: only photographs of this one; None: of all.
        date_order: how dates such as 03/04/2019 are meant; None: as the other dates show.
        box_format: what the numbers of a box are.
        scenarios: path of a TOML file of scenarios; None: the presets.
        presets: names of presets; none here and no `scenarios`: all that the photographs allow.
        training_share: the share of the animals that competitors may learn from, 0 or more and less than 1.
        seed: decides every choice; None: a secret one is drawn. Whoever knows the seed and the table knows which
            animal is which.
        layout: of the public part.
        name: of the challenge; None: it has none.
        dates: how much of the dates is public.
        longest_side: larger images are scaled down to so many pixels; 0: never.
        quality: of the JPEG files, 1 to 95.
        skip_broken: go on without photographs that can't be used.
    """

    table: str
    output: str
    images: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ("unknown",)
    species: str | None = None
    date_order: DateOrder | None = None
    box_format: BoxFormat = BoxFormat.XYWH
    scenarios: str | None = None
    presets: tuple[str, ...] = ()
    training_share: float = 0.5
    seed: int | None = None
    layout: Layout = Layout.A
    name: str | None = None
    dates: DateDetail = DateDetail.DAY
    longest_side: int = 1200
    quality: int = 90
    skip_broken: bool = False

    def to_json(self) -> dict[str, Any]:
        """The request as JSON; `from_json` reads it back."""
        return {**asdict(self), "unknown": [*self.unknown], "presets": [*self.presets]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> BuildRequest:
        """Read a request that `to_json` wrote, perhaps on another machine."""
        order = document.get("date_order")
        return cls(
            **{
                **document,
                "unknown": tuple(document.get("unknown", ("unknown",))),
                "presets": tuple(document.get("presets", ())),
                "date_order": None if order is None else DateOrder(order),
                "box_format": BoxFormat(document.get("box_format", BoxFormat.XYWH)),
                "layout": Layout(document.get("layout", Layout.A)),
                "dates": DateDetail(document.get("dates", DateDetail.DAY)),
            }
        )


@dataclass(frozen=True, slots=True)
class BuiltScenario:
    """The size of a scenario.

    Attributes:
        scenario_id: its name.
        queries: how many there are.
        labelled_queries: how many have a match in the database.
        new_individuals: how many have none.
        database: images in the database.
        animals: animals that ask.
    """

    scenario_id: str
    queries: int
    labelled_queries: int
    new_individuals: int
    database: int
    animals: int


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """One way in which a challenge can give its answers away, and whether this one does.

    Attributes:
        code: its name, in snake_case.
        title: what was looked for.
        found: how often it was found.
        must_be_none: whether a single case spoils the challenge; otherwise a person has to judge.
        examples: the first few cases.
        hint: what to do about them.
    """

    code: str
    title: str
    found: int
    must_be_none: bool
    examples: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What was built.

    Attributes:
        output: the folder.
        seed: what decided every choice.
        public_images: photographs in `public/`.
        public_animals: animals that they show.
        training_images: photographs in `training/`.
        training_animals: animals that they show.
        scenarios: in the order of the public part.
        left_out: why photographs of the table are in neither part, and how many.
        notes: presets that the photographs don't allow, with the reason.
        leaks: what was looked for that could give answers away.
        problems: warnings, and the broken photographs that were skipped.
    """

    output: str
    seed: int
    public_images: int
    public_animals: int
    training_images: int
    training_animals: int
    scenarios: tuple[BuiltScenario, ...]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    leaks: tuple[LeakCheck, ...]
    problems: Problems

    @property
    def ok(self) -> bool:
        """Whether nothing was found that spoils the challenge."""
        return not any(leak.found for leak in self.leaks if leak.must_be_none)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON."""
        document = {
            name: getattr(self, name)
            for name in (
                "output",
                "seed",
                "public_images",
                "public_animals",
                "training_images",
                "training_animals",
            )
        }
        return {
            **document,
            "ok": self.ok,
            "scenarios": [asdict(scenario) for scenario in self.scenarios],
            "left_out": dict(self.left_out),
            "notes": [*self.notes],
            "leaks": [{**asdict(leak), "examples": [*leak.examples]} for leak in self.leaks],
            "problems": self.problems.to_json(),
        }
