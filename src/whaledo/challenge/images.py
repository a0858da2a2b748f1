"""Find the image files of a challenge, as a run will see them.

A run is shown whole folders (`images/`), nothing around them. So an image counts as there only if following its
path never leaves its folder: a link to elsewhere works on this machine and dangles behind the run's walls.
Whether the files can be decoded is for decode.py.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from whaledo.challenge.model import Challenge, Image
from whaledo.challenge.paths import fault_of_path, parts
from whaledo.challenge.problems import counted, listed, problem, shown
from whaledo.errors import Problems

IMAGE_ENDINGS = frozenset(
    {".bmp", ".gif", ".heic", ".jp2", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)

LEFT_BY_SYSTEMS = frozenset({".DS_Store", ".gitkeep", "Thumbs.db", "desktop.ini"})
"""Files that nobody put there; so are those whose names begin with `._`."""

WITHOUT_IMAGES = "without any, `whaledo data demo DIR` draws a challenge to try things with"

MOST_LINKS = 40
"""How many links a path may lead through: the kernel's own limit."""


@dataclass(frozen=True, slots=True)
class ImageFolder:
    """A folder of images, directly inside the data folder.

    Attributes:
        name: its name there, and its mount point in a run.
        target: the real folder, where `name` is a link to another.
        images: the images of metadata.csv whose paths lead into it.
        files: every plain file in it, links left out, relative to it.
    """

    name: str
    target: Path
    images: tuple[Image, ...]
    files: frozenset[str]


def image_folders(challenge: Challenge, problems: Problems) -> list[ImageFolder]:
    """The folders that hold the images, without those that can't be shown to a run."""
    by_folder: defaultdict[str, list[Image]] = defaultdict(list)
    for image in challenge.images.values():
        names = parts(image.path)
        if len(names) > 1 and fault_of_path(image.path) is None:
            by_folder[names[0]].append(image)
    found = []
    for name, images in by_folder.items():
        place = challenge.folder / name
        if not place.is_dir():
            said = f"the folder isn't there; metadata.csv puts {counted(len(images), 'image')} in it"
            hint = f"put the challenge's images there; {WITHOUT_IMAGES}"
            problems.add(problem("missing_image_folder", said, hint=hint, file=place))
            continue
        target = place.resolve()
        if challenge.folder.resolve().is_relative_to(target):
            said = f"it is a link to {target}, which holds the whole data folder"
            hint = "link to a folder of images only"
            problems.add(problem("path_outside", said, hint=hint, file=place))
            continue
        try:
            found.append(ImageFolder(name, target, tuple(images), frozenset(_plain_files(target))))
        except OSError as error:
            said = f"{error.filename} can't be opened: {error.strerror}"
            problems.add(problem("unreadable_file", said, hint="make it readable", file=place))
    return found


def present_images(challenge: Challenge, folder: ImageFolder, problems: Problems) -> list[Image]:
    """The images of a folder that are there for a run; adds what is wrong with the others."""
    used = {query.image_id for scenario in challenge.scenarios for query in scenario.queries}
    used.update(image_id for scenario in challenge.scenarios for image_id in scenario.database)
    present: list[Image] = []
    needed: list[tuple[Image, str, str]] = []
    spared: list[str] = []
    for image in folder.images:
        why = _why_absent(folder, image)
        if why is None:
            present.append(image)
        elif image.image_id in used:
            needed.append((image, *why))
        else:
            spared.append(image.path)
    place = challenge.folder / folder.name
    if needed and not present:
        said = f"none of its {counted(len(folder.images), 'image')} is there"
        hint = f"put the challenge's images there, and no links out of the folder; {WITHOUT_IMAGES}"
        problems.add(problem("missing_image_folder", said, hint=hint, file=place))
        return present
    like = {PurePosixPath(name).stem.casefold(): name for name in folder.files} if needed else {}
    for image, code, reason in needed:
        hint = "copy the file itself there (`cp -L`): a run sees nothing outside the folder"
        if code == "missing_image":
            meant = like.get(PurePosixPath(image.path).stem.casefold())
            hint = f"there is {shown(f'{folder.name}/{meant}')}" if meant else "put it there"
        said = f"image {shown(image.image_id)}: {shown(image.path)} {reason}"
        problems.add(problem(code, said, hint=hint, file=challenge.folder / "metadata.csv", line=image.line))
    if spared:
        said = f"{counted(len(spared), 'image')} that no scenario uses can't be seen: {listed(spared, 3)}"
        hint = "fine, unless a submission opens every image of metadata.csv"
        problems.add(problem("missing_unused_image", said, hint=hint, file=place))
    return present


def say_others(challenge: Challenge, folder: ImageFolder, problems: Problems) -> None:
    """Warn of what else a run sees in a folder of images."""
    named = {_inside(image) for image in folder.images}
    others = [PurePosixPath(name) for name in sorted(folder.files - named)]
    others = [path for path in others if not path.name.startswith("._") and path.name not in LEFT_BY_SYSTEMS]
    unnamed = [path for path in others if path.suffix.lower() in IMAGE_ENDINGS]
    place = challenge.folder / folder.name
    if unnamed:
        names = listed(map(str, unnamed), 3)
        said = f"{counted(len(unnamed), 'image file')} without a row in metadata.csv: {names}"
        problems.add(problem("unnamed_image", said, hint="add rows or remove the files", file=place))
    for path in others:
        if path.suffix.lower() not in IMAGE_ENDINGS:
            said = "it isn't an image, and submissions can read it"
            hint = "move it out of the images, above all if it tells which animal is which"
            problems.add(problem("visible_file", said, hint=hint, file=place / path))


def _inside(image: Image) -> str:
    return "/".join(parts(image.path)[1:])


def _why_absent(folder: ImageFolder, image: Image) -> tuple[str, str] | None:
    """Why a run wouldn't find an image, as a kind of problem and a reason; None where it would.

    Links are followed as behind the run's walls, where nothing but the folder exists.
    """
    if _inside(image) in folder.files:
        return None
    here: list[str] = []
    ahead = parts(image.path)[:0:-1]
    link = ""
    links = 0
    while ahead and links < MOST_LINKS:
        name = ahead.pop()
        if name == ".." and here:
            here.pop()
            continue
        path = folder.target.joinpath(*here, name)
        if path.is_symlink():
            links += 1
            link = str(path.readlink())
            ahead.extend(reversed(parts(link)))
        else:
            here.append(name)
        if name == ".." or link.startswith("/"):
            return "path_outside", f"leads out of {folder.name}/, by a link to {shown(link)}"
    there = not ahead and folder.target.joinpath(*here).is_file()
    return None if there else ("missing_image", "isn't there")


def _plain_files(root: Path) -> Iterator[str]:
    """Each file below `root`, as a relative path, without following links."""
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(root / folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{folder}{entry.name}/")
                elif entry.is_file(follow_symlinks=False):
                    yield f"{folder}{entry.name}"
