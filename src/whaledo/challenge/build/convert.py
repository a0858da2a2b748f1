"""Turn one photograph, in whatever form it came, into the JPEG of its animal and nothing else.

The EXIF orientation is applied, then the box is cut out: boxes are drawn on upright photographs. Colours become
sRGB, 16 bits become 8, transparent parts black, an animation its first picture. Every kind of metadata stays
behind, because positions of endangered animals are in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
import PIL.Image
import PIL.ImageCms
import PIL.ImageOps

from whaledo.challenge.build.nearness import Fingerprint, fingerprint
from whaledo.challenge.build.table import Box, Photograph
from whaledo.challenge.problems import shown
from whaledo.challenge.tables import other_format
from whaledo.errors import Problem, Severity

PIL.Image.init()
FORMATS = tuple(
    name
    for name in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF", "PPM")
    if name in PIL.Image.OPEN
)
"""What is opened. Pillow knows more, among them formats that start other programs."""

SMALLEST_SIDE = 8
"""With fewer pixels on a side nothing can be seen of an animal."""

LOST_TO_EDGE = 0.02
"""The share of a box that may lie outside the photograph without a word: boxes are drawn by hand."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A photograph that was written.

    Attributes:
        height: in pixels.
        width: in pixels.
        fingerprint: tells photographs that look alike.
        warning: what had to be done to it; None: nothing unusual.
    """

    height: int
    width: int
    fingerprint: Fingerprint
    warning: Problem | None = None


class _Unusable(Exception):
    """Why a photograph can't be used."""

    def __init__(self, code: str, said: str, hint: str) -> None:
        super().__init__(said)
        self.code, self.said, self.hint = code, said, hint


def convert(
    one: Photograph, images: Path, target: Path, *, longest_side: int, quality: int, table: str
) -> Converted | Problem:
    """Write the JPEG of one photograph.

    Args:
        one: the photograph.
        images: the folder that its path starts at.
        target: the file to write.
        longest_side: larger ones are scaled down to so many pixels; 0: never.
        quality: of the JPEG.
        table: named in problems.

    Returns:
        What was written, or why nothing was.
    """
    named = f"image {shown(one.image_id)}: {shown(one.path)}"
    try:
        picture, warning = _upright_and_cut(images / one.path, one.box, longest_side)
        jpeg = BytesIO()
        picture.save(jpeg, "JPEG", quality=quality)
    except _Unusable as why:
        return Problem(why.code, f"{named} {why.said}", why.hint, table, one.line)
    except Exception as error:  # decoders raise whatever a broken file leads them to
        code, said, hint = _why_unreadable(images / one.path, error)
        return Problem(code, f"{named} {said}", hint, table, one.line)
    target.write_bytes(jpeg.getvalue())
    problem = None
    if warning:
        problem = Problem(warning[0], f"{named} {warning[1]}", "", table, one.line, Severity.WARNING)
    return Converted(picture.height, picture.width, fingerprint(picture), problem)


def _upright_and_cut(
    path: Path, box: Box | None, longest_side: int
) -> tuple[PIL.Image.Image, tuple[str, str] | None]:
    warning = None
    with PIL.Image.open(path, formats=FORMATS) as opened:
        frames = getattr(opened, "n_frames", 1)
        if frames > 1 and opened.format != "MPO":
            warning = ("animated_image", f"has {frames} pictures; the first is taken")
        if longest_side and box is None:
            # A JPEG can be decoded at an eighth of its size, which saves most of the time.
            opened.draft(None, (longest_side, longest_side))
        # In place: of a hundred megapixels there need not be two.
        PIL.ImageOps.exif_transpose(opened, in_place=True)
        picture, lost = (opened, 0.0) if box is None else _cut(opened, box)
        if lost > LOST_TO_EDGE:
            warning = ("cut_box", f"has a box of which {lost:.0%} lies outside the photograph")
        picture = _in_srgb(picture, opened.info.get("icc_profile"))
    if min(picture.size) < SMALLEST_SIDE:
        said = f"is {picture.width} x {picture.height} pixels large" + (" within its box" if box else "")
        raise _Unusable(
            "tiny_image", said, f"an animal needs {SMALLEST_SIDE} on a side, and far more to be seen"
        )
    if longest_side and max(picture.size) > longest_side:
        picture.thumbnail((longest_side, longest_side), PIL.Image.Resampling.LANCZOS)
    # Nothing of what came with the file goes on: a new image has no `info`.
    clean = PIL.Image.new("RGB", picture.size)
    clean.paste(picture)
    return clean, warning


def _cut(picture: PIL.Image.Image, box: Box) -> tuple[PIL.Image.Image, float]:
    """The part in the box, and the share of the box that lies outside."""
    left, top, right, bottom = box
    inside = (max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom))
    width, height = inside[2] - inside[0], inside[3] - inside[1]
    if width < 1 or height < 1:
        said = f"is {picture.width} x {picture.height} pixels large, and its box lies outside"
        raise _Unusable("box_outside", said, "is it the box of another photograph, or of a larger copy?")
    lost = 1 - width * height / ((right - left) * (bottom - top))
    left, top, right, bottom = map(round, inside)
    return picture.crop((left, top, right, bottom)), lost


def _in_srgb(picture: PIL.Image.Image, profile: bytes | None) -> PIL.Image.Image:
    """The picture with three channels of 8 bits each."""
    if picture.mode == "I" or picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.int64)
        return PIL.Image.fromarray((grey.clip(0, 65535) // 257).astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        raise _Unusable(
            "undecodable_image",
            "has floating-point pixels, whose black and white nobody knows",
            "save it as PNG",
        )
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        picture = PIL.Image.new("RGBA", above.size, "black")
        picture.alpha_composite(above)
        return picture.convert("RGB")
    if profile and picture.mode in {"RGB", "CMYK", "L"}:
        try:
            known = PIL.ImageCms.ImageCmsProfile(BytesIO(profile))
            seen = PIL.ImageCms.profileToProfile(
                picture, known, PIL.ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (PIL.ImageCms.PyCMSError, OSError, ValueError):
            seen = None  # a profile that belongs to other pixels, or is broken: the plain colours are close
        if seen is not None:
            return seen
    return picture.convert("RGB")


def _why_unreadable(path: Path, error: Exception) -> tuple[str, str, str]:
    """A kind of problem, a reason and a fix."""
    if isinstance(error, PIL.Image.DecompressionBombError):
        most = 2 * (PIL.Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        return "undecodable_image", f"has more than {most} megapixels", "scale it down first"
    again = "copy or download it again"
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        return "missing_image", "isn't there", "is --images the folder that the table's paths start at?"
    except OSError as unreadable:
        return "undecodable_image", f"can't be read: {unreadable.strerror}", "make it readable"
    if not head:
        return "undecodable_image", "is an empty file", again
    if (other := other_format(head)) is not None:
        return "undecodable_image", f"is {other[0]}", other[1]
    if isinstance(error, PIL.UnidentifiedImageError):
        return "undecodable_image", f"isn't an image of a kind that is read: {', '.join(FORMATS)}", again
    return "undecodable_image", f"can't be decoded: {error}", again
