"""A small part of a challenge as a data folder of its own: to try code on in seconds.

Every scenario stays, with its first queries and a part of its database; metadata.csv and the image folders hold
what these need and nothing else. So code that walks all of metadata.csv or opens every image is as quick on it as
code that goes by the scenarios, and neither meets a name that it can't find. That takes copies of the images: a
whole folder of them, mounted, would be neither small nor what metadata.csv says.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from whaledo.challenge.load import METADATA_FILE
from whaledo.challenge.model import Challenge, Scenario
from whaledo.challenge.paths import parts
from whaledo.challenge.settings import FILE as SETTINGS_FILE
from whaledo.challenge.writing import place, write_scenarios, write_table
from whaledo.errors import MachineError

DATABASE_IMAGES = 64
"""How many images of a database are kept: three times what a query may rank, and seconds for a network without a GPU.

Where a query may rank more than this, one image more than that is kept, for the query's own.
"""


def choose_sample(challenge: Challenge, queries: int) -> Challenge:
    """The first queries of each scenario, and of its database the first images and those of these queries.

    Nothing depends on which animal is on an image. The order of everything is kept, and `folder` is still that of
    the whole challenge.

    Args:
        challenge: the whole.
        queries: how many of each scenario; a scenario with fewer keeps them all.
    """
    kept = max(DATABASE_IMAGES, challenge.settings.rows_per_query + 1)
    scenarios = tuple(_cut(scenario, queries, kept) for scenario in challenge.scenarios)
    used = {query.image_id for scenario in scenarios for query in scenario.queries}
    used.update(image_id for scenario in scenarios for image_id in scenario.database)
    images = {image_id: image for image_id, image in challenge.images.items() if image_id in used}
    return replace(challenge, images=images, scenarios=scenarios)


def _cut(scenario: Scenario, queries: int, database: int) -> Scenario:
    asked = scenario.queries[:queries]
    own = {query.image_id for query in asked}
    images = (
        image_id for place, image_id in enumerate(scenario.database) if place < database or image_id in own
    )
    return replace(scenario, queries=asked, database=tuple(images))


def write_sample(sample: Challenge, destination: Path) -> None:
    """Write a chosen sample as a data folder, images included, into a new folder that every user may read.

    Labels and other files beside the challenge's own aren't part of it.

    Raises:
        MachineError: it can't be written, or an image can't be read.
    """
    try:
        destination.mkdir()
        _write_text(sample, destination)
        for image in sample.images.values():
            shutil.copyfile(sample.folder.joinpath(*parts(image.path)), place(destination, image.path))
        for path in (destination, *destination.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    except OSError as error:
        raise MachineError(
            f"a small part of the data can't be copied to {destination}: {error}",
            hint="free some space there, or set WHALEDO_HOME to a folder with room",
        ) from error


def _write_text(sample: Challenge, folder: Path) -> None:
    if (settings := sample.folder / SETTINGS_FILE).exists():
        shutil.copyfile(settings, folder / SETTINGS_FILE)
    rows = ([image.fields[name] for name in sample.columns] for image in sample.images.values())
    write_table(folder, METADATA_FILE, sample.columns, rows)
    write_scenarios(folder, sample.scenarios, sample.layout)
