"""Make the view of a data folder that a run sees.

Text files are copied, with only what submissions may read; folders of images are named, to be mounted read-only.
What isn't listed here isn't shown: a labels file, challenge.toml or a note that an organiser drops into the data
folder tomorrow stays hidden without anybody thinking of it.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from whaledo.challenge.images import image_folders, present_images
from whaledo.challenge.layouts import SCENARIO_COLUMNS, SCENARIOS_FILE
from whaledo.challenge.load import METADATA_FILE
from whaledo.challenge.model import Challenge, Layout
from whaledo.challenge.paths import parts
from whaledo.challenge.problems import counted
from whaledo.challenge.scenarios import DATABASE_COLUMNS, QUERY_COLUMNS
from whaledo.errors import BadData, MachineError, Problems

Rows = Iterable[Sequence[str]]


@dataclass(frozen=True, slots=True)
class PublicView:
    """What a run sees of a data folder.

    Attributes:
        folder: holds the text files, and an empty folder at each mount point.
        image_folders: mount point in `folder` (such as `images`), and the folder of the host to mount there
            read-only.
        hidden_columns: the columns of metadata.csv that are left out.
        hidden_files: what lies beside the files that are shown and is left out, relative to the data folder; folders
            end with `/`.
    """

    folder: Path
    image_folders: tuple[tuple[str, Path], ...]
    hidden_columns: tuple[str, ...]
    hidden_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _VisibleFile:
    """A text file as a run sees it: where it lies, the columns that may be seen (None: it has none), its rows."""

    relative: str
    columns: Sequence[str] | None
    rows: Rows


def make_public_view(challenge: Challenge, destination: Path) -> PublicView:
    """Write the text files that a run sees to `destination`, a folder that is empty or isn't there yet.

    Files are readable and folders open to every user, since a run may be another user's.

    Raises:
        BadData: if an image of a scenario isn't there, or can't be reached from inside a run.
        MachineError: if `destination` can't be written, or holds something.
    """
    problems = Problems()
    folders = image_folders(challenge, problems)
    for folder in folders:
        present_images(challenge, folder, problems)
    if problems.errors:
        raise BadData(
            f"{counted(problems.errors, 'problem')} with the images of {challenge.folder}",
            hint=f"`whaledo data check {challenge.folder}` looks at every image",
            problems=problems,
        )
    mounts = tuple((folder.name, folder.target) for folder in folders)
    mount_points = [name for name, _ in mounts]
    files = _visible_files(challenge)
    try:
        _write_view(files, challenge.folder, destination, mount_points)
        hidden_files = _hidden_files(challenge.folder, files, mount_points)
    except OSError as error:
        hint = "the folder must be empty and writable, with room for the text files of the data"
        raise MachineError(f"the data can't be copied to {destination}: {error}", hint=hint) from error
    hidden_columns = tuple(c for c in challenge.columns if c not in challenge.settings.public_columns)
    return PublicView(destination, mounts, hidden_columns, hidden_files)


def _write_view(
    files: Iterable[_VisibleFile], folder: Path, destination: Path, mounts: Iterable[str]
) -> None:
    destination.mkdir(parents=True, exist_ok=True)
    if any(destination.iterdir()):
        raise FileExistsError(f"{destination} isn't empty")
    for file in files:
        source, target = folder / file.relative, destination / file.relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.columns is None or set(_header(source)) <= set(file.columns):
            shutil.copyfile(source, target)
        else:
            _write_table(target, file.columns, file.rows)
    for name in mounts:
        (destination / name).mkdir()
    for path in (destination, *destination.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _visible_files(challenge: Challenge) -> list[_VisibleFile]:
    visible = [name for name in challenge.columns if name in challenge.settings.public_columns]
    rows: Rows = ([image.fields[name] for name in visible] for image in challenge.images.values())
    files = [_VisibleFile(METADATA_FILE, visible, rows)]
    if challenge.layout is Layout.B:
        rows = ((s.scenario_id, s.queries_path, s.database_path) for s in challenge.scenarios)
        files.append(_VisibleFile(SCENARIOS_FILE, SCENARIO_COLUMNS, rows))
    for scenario in challenge.scenarios:
        rows = ((query.query_id, query.image_id) for query in scenario.queries)
        files.append(_VisibleFile(scenario.queries_path, QUERY_COLUMNS, rows))
        columns = DATABASE_COLUMNS if challenge.layout is Layout.B else None
        rows = ([image_id] for image_id in scenario.database)
        files.append(_VisibleFile(scenario.database_path, columns, rows))
    return files


def _header(path: Path) -> list[str]:
    # Blank lines may stand above it.
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(row for row in csv.reader(file) if row)


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _hidden_files(folder: Path, files: Iterable[_VisibleFile], mounts: Iterable[str]) -> tuple[str, ...]:
    seen: set[tuple[str, ...]] = {(name,) for name in mounts}
    opened: set[tuple[str, ...]] = {()}
    for file in files:
        names = tuple(parts(file.relative))
        seen.update(names[:depth] for depth in range(1, len(names) + 1))
        opened.update(names[:depth] for depth in range(len(names)))
    return tuple(
        "/".join((*names, path.name)) + ("/" if path.is_dir() else "")
        for names in sorted(opened)
        for path in sorted(folder.joinpath(*names).iterdir())
        if (*names, path.name) not in seen
    )
