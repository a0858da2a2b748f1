"""Read a data folder into a `Challenge`, or say everything that is wrong with its text files.

A challenge that comes back needs no further check of its ids, names and paths. Images aren't looked at: scoring
works without them. `public.py` makes sure that those a run needs are there, `check.py` decodes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from whaledo.challenge.layouts import DATABASES, QUERIES, SCENARIOS_FILE, ScenarioFiles, find_scenarios
from whaledo.challenge.model import Challenge, Image, Settings
from whaledo.challenge.paths import check_path, fault_of_path, parts
from whaledo.challenge.problems import counted, listed, problem, shown
from whaledo.challenge.rules import IDENTITY_COLUMNS, PUBLIC_COLUMNS
from whaledo.challenge.scenarios import ImageIds, ScenarioReader
from whaledo.challenge.settings import FILE as SETTINGS_FILE
from whaledo.challenge.settings import NEEDED_COLUMNS, read_settings
from whaledo.challenge.tables import Table, read_table
from whaledo.errors import BadData, Problems

METADATA_FILE = "metadata.csv"
EXPECTED = (METADATA_FILE, SCENARIOS_FILE, QUERIES, DATABASES)

WHAT_IT_HOLDS = (
    f"put the challenge's images/, {METADATA_FILE}, {QUERIES}/ and {DATABASES}/ there; without any data, "
    "`whaledo data demo DIR` draws a challenge, and `whaledo demo` shows the whole way from it to a score"
)


def load_challenge(folder: Path) -> Challenge:
    """Read a data folder.

    Raises:
        BadData: with every problem of its text files at once.
    """
    challenge, problems = read_challenge(folder)
    if challenge is None or problems.errors:
        raise BadData(
            f"the data folder {folder} can't be used: {counted(problems.errors, 'problem')}",
            hint=f"`whaledo data check {folder}` looks at the images too",
            problems=problems,
        )
    return challenge


def read_challenge(folder: Path) -> tuple[Challenge | None, Problems]:
    """Read as much of a data folder as can be read, and every problem of its text files.

    Returns:
        The challenge, flawed if there are errors, or None where metadata.csv has no usable columns; and the problems.

    Raises:
        BadData: if there is nothing to read: no folder, an empty one, one that holds the data further down, or one
            that can't be opened.
    """
    try:
        _require_data_folder(folder)
        return _read(folder)
    except OSError as error:
        hint = "make it readable for the user that runs whaledo"
        raise BadData(f"{error.filename} can't be opened: {error.strerror}", hint=hint) from None


def _read(folder: Path) -> tuple[Challenge | None, Problems]:
    problems = Problems()
    settings = read_settings(folder, problems)
    table = read_table(
        folder / METADATA_FILE, problems, required=NEEDED_COLUMNS, may_be_empty=settings.identity_columns
    )
    images = {} if table is None else _images(table, problems)
    layout, found = find_scenarios(folder, problems)
    reader = ScenarioReader(folder, layout, None if table is None else ImageIds(images), problems)
    scenarios = tuple(reader.read(files) for files in found)
    if table is None:
        return None, problems
    _check_image_folders(images, found, table.path, problems)
    _say_absent_columns(settings, table.columns, folder, problems)
    return Challenge(folder, layout, settings, table.columns, images, scenarios), problems


def _require_data_folder(folder: Path) -> None:
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        raise BadData(f"there is no data folder {folder}", hint=WHAT_IT_HOLDS) from None
    except NotADirectoryError:
        raise BadData(f"{folder} is a file, not a data folder", hint=WHAT_IT_HOLDS) from None
    if not names:
        raise BadData(f"the data folder {folder} is empty", hint=WHAT_IT_HOLDS)
    if METADATA_FILE in names:
        return
    below = [folder / name for name in names if (folder / name / METADATA_FILE).exists()]
    if below:
        hint = f"give that folder instead, or move what is in it to {folder}"
        raise BadData(f"the data lies one folder down, in {' and '.join(map(str, below))}", hint=hint)
    if not set(names) & set(EXPECTED):
        raise BadData(f"{folder} isn't a data folder: it holds {listed(names)}", hint=WHAT_IT_HOLDS)


def _images(table: Table, problems: Problems) -> dict[str, Image]:
    images: dict[str, Image] = {}
    owners: dict[str, str] = {}
    for row, (line, (image_id, path)) in zip(table.rows, table.select(*NEEDED_COLUMNS), strict=True):
        if path and check_path(path, "path", table.path, line, problems):
            owner = owners.setdefault(path, image_id)
            if owner != image_id:
                said = f"image {shown(image_id)} has the same file as {shown(owner)}: {shown(path)}"
                hint = "an image finds itself then: keep one of them"
                problems.add(problem("shared_image", said, hint=hint, file=table.path, line=line))
        if image_id in images:
            said = f"image {shown(image_id)} stands in line {images[image_id].line} already"
            hint = "keep one row an image"
            problems.add(problem("repeated_image_id", said, hint=hint, file=table.path, line=line))
        elif image_id:
            images[image_id] = Image(image_id, path, dict(zip(table.columns, row, strict=True)), line)
    return images


def _check_image_folders(
    images: Mapping[str, Image], found: Sequence[ScenarioFiles], metadata: Path, problems: Problems
) -> None:
    """A run is shown whole folders of images: nothing that it mustn't see may lie in them."""
    of_text = {QUERIES, DATABASES}
    for files in found:
        of_text.update(*(parts(path)[:1] for path in (files.queries_path, files.database_path) if path))
    for image in images.values():
        names = parts(image.path)
        if len(names) > 1 and names[0] not in of_text:
            continue
        if not image.path or fault_of_path(image.path) is not None:
            continue
        where = f"among the scenarios in {names[0]}/" if len(names) > 1 else "beside metadata.csv"
        said = f"image {shown(image.image_id)} lies {where}: {shown(image.path)}"
        hint = "put images into a folder of their own, such as images/"
        problems.add(problem("image_without_folder", said, hint=hint, file=metadata, line=image.line))


def _say_absent_columns(settings: Settings, columns: Sequence[str], folder: Path, problems: Problems) -> None:
    """Warn of columns that challenge.toml names in vain; the defaults are allowed to."""
    for names, default, what in (
        (settings.identity_columns, IDENTITY_COLUMNS, "the identity column"),
        (settings.public_columns, PUBLIC_COLUMNS, "the public column"),
    ):
        for name in names if names != default else ():
            if name not in columns:
                said = f"{what} {shown(name)} isn't in metadata.csv, which has {listed(columns)}"
                hint = "correct the name, or leave it out"
                problems.add(problem("setting_without_column", said, hint=hint, file=folder / SETTINGS_FILE))
