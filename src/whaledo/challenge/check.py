"""Look at everything in a data folder: its text files, and every image.

`load_challenge` looks at the text only and stops a run that can't work; this is for the person who puts a folder
together and wants to know all that is wrong with it, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whaledo.challenge.decode import decode_images
from whaledo.challenge.identities import identities, identity_labels
from whaledo.challenge.images import image_folders, present_images, say_others
from whaledo.challenge.load import read_challenge
from whaledo.challenge.model import Challenge, Layout
from whaledo.challenge.paths import parts
from whaledo.challenge.problems import counted, problem, shown
from whaledo.errors import Problems


@dataclass(frozen=True, slots=True)
class ScenarioCounts:
    """The size of a scenario.

    Attributes:
        scenario_id: its name.
        queries: how many there are.
        database: how many images its database holds.
        labelled_queries: how many queries have a match in the database by the identities; None: there are no
            identities.
    """

    scenario_id: str
    queries: int
    database: int
    labelled_queries: int | None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a data folder holds, and everything that is wrong with it.

    Attributes:
        challenge: None where there are errors.
        problems: errors and warnings.
        layout: which of the two it has.
        images: how many metadata.csv names; like all counts 0 where its columns can't be made out.
        images_present: how many of these are there for a run.
        identity_column: the column of metadata.csv that names the animals; None: there is none.
        identities: how many animals the images show; None: there is no such column.
        scenarios: in the challenge's order.
    """

    challenge: Challenge | None
    problems: Problems
    layout: Layout | None = None
    images: int = 0
    images_present: int = 0
    identity_column: str | None = None
    identities: int | None = None
    scenarios: tuple[ScenarioCounts, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are no errors."""
        return self.problems.errors == 0

    @property
    def queries(self) -> int:
        """Queries of all scenarios."""
        return sum(scenario.queries for scenario in self.scenarios)

    def to_json(self) -> dict[str, Any]:
        """The counts and problems."""
        return {
            "ok": self.ok,
            "layout": None if self.layout is None else self.layout.value,
            "images": self.images,
            "images_present": self.images_present,
            "identity_column": self.identity_column,
            "identities": self.identities,
            "queries": self.queries,
            "scenarios": [asdict(scenario) for scenario in self.scenarios],
            "problems": self.problems.to_json(),
        }


def check_challenge(
    folder: Path, *, decode: bool = True, on_progress: Callable[[int, int], None] | None = None
) -> CheckResult:
    """Check a data folder.

    Args:
        folder: the data folder.
        decode: whether to decode every image, rather than only look whether it is there.
        on_progress: called with the numbers of images decoded and in all.

    Raises:
        BadData: if there is nothing to check: no folder, an empty one, or one that holds the data further down.
    """
    challenge, problems = read_challenge(folder)
    if challenge is None:
        return CheckResult(None, problems)
    present = []
    for images in image_folders(challenge, problems):
        present += present_images(challenge, images, problems)
        say_others(challenge, images, problems)
    animals = None if challenge.identity_column is None else identities(challenge)
    if animals:
        _say_identities_in_paths(challenge, animals, problems)
    if decode:
        decode_images(challenge, present, problems, on_progress)
    return CheckResult(
        None if problems.errors else challenge,
        problems,
        challenge.layout,
        images=len(challenge.images),
        images_present=len(present),
        identity_column=challenge.identity_column,
        identities=None if animals is None else len(set(animals.values())),
        scenarios=_count_scenarios(challenge),
    )


def _count_scenarios(challenge: Challenge) -> tuple[ScenarioCounts, ...]:
    known = challenge.identity_column is not None
    labelled = {query_id for query_id, _ in identity_labels(challenge)} if known else set()
    return tuple(
        ScenarioCounts(
            scenario.scenario_id,
            len(scenario.queries),
            len(scenario.database),
            sum(query.query_id in labelled for query in scenario.queries) if known else None,
        )
        for scenario in challenge.scenarios
    )


def _say_identities_in_paths(challenge: Challenge, animals: Mapping[str, str], problems: Problems) -> None:
    telling = [
        challenge.images[image_id].path
        for image_id, animal in animals.items()
        if animal in parts(challenge.images[image_id].path)
    ]
    if telling:
        said = (
            f"{counted(len(telling), 'image')} in folders named for the animals, such as {shown(telling[0])}"
        )
        hint = "submissions see the paths: put the images into folders that don't tell"
        problems.add(problem("identity_in_path", said, hint=hint, file=challenge.folder / "metadata.csv"))
