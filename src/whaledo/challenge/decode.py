"""Decode every image, as a submission would, and compare its size with metadata.csv.

Opening a file reads its header only; a photograph that was cut short by a broken download is found out by decoding
it to the last row. The pictures themselves are thrown away.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from whaledo.challenge.model import Challenge, Image
from whaledo.challenge.problems import problem, shown
from whaledo.challenge.tables import other_format
from whaledo.errors import Problem, Problems


def decode_images(
    challenge: Challenge,
    images: Sequence[Image],
    problems: Problems,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Decode the images; add a problem for each that can't be, or whose size isn't what metadata.csv says.

    Args:
        challenge: where the images belong.
        images: those that are there.
        problems: where to add what is wrong, in the order of `images`.
        on_progress: called in this thread after each image with the numbers of images done and in all.
    """
    # Imported late: loading a challenge doesn't need it.
    import PIL.Image

    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        # A large photograph is no attack: whoever gives the data chose it.
        warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
        for done, found in enumerate(pool.map(lambda image: _look_at(challenge.folder, image), images), 1):
            if found is not None:
                problems.add(found)
            if on_progress is not None:
                on_progress(done, len(images))


def _look_at(folder: Path, image: Image) -> Problem | None:
    import PIL.Image

    metadata = folder / "metadata.csv"
    named = f"image {shown(image.image_id)}: {shown(image.path)}"
    try:
        with PIL.Image.open(folder / image.path) as picture:
            picture.load()
            size = {"height": picture.height, "width": picture.width}
    except Exception as error:  # decoders raise whatever a broken file leads them to
        said, hint = _why_undecodable(folder / image.path, error)
        return problem("undecodable_image", f"{named} {said}", hint=hint, file=metadata, line=image.line)
    told = {name: text for name in size if (text := image.fields.get(name, "").strip())}
    wrong = [name for name, text in told.items() if not _is_number(text, size[name])]
    if not wrong:
        return None
    said = " and ".join(f"{name} {size[name]}, not {shown(told[name])}" for name in wrong)
    turned = told == {"height": str(size["width"]), "width": str(size["height"])}
    hint = "the two are swapped: was the photograph turned by its EXIF orientation?" if turned else ""
    return problem("wrong_size", f"{named} has {said}", hint=hint, file=metadata, line=image.line)


def _is_number(text: str, number: int) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False


def _why_undecodable(path: Path, error: Exception) -> tuple[str, str]:
    import PIL

    again = "copy or download it again"
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as unreadable:
        return f"can't be read: {unreadable.strerror}", "make it readable"
    if not head:
        return "is an empty file", again
    if (other := other_format(head)) is not None:
        return f"is {other[0]}", other[1]
    if isinstance(error, PIL.UnidentifiedImageError):
        return "isn't an image", again
    return f"can't be decoded: {error}", again
