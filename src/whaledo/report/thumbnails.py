"""Small pictures of the photographs, each a WebP of a few hundred bytes to some kilobytes.

All of a report's pictures share one budget, so that a page of 4,900 photographs can still be mailed: the more
there are, the smaller each. What is kept equal is the area, not the longer edge, because animals are photographed
in long narrow crops. A photograph that can't be read gives no thumbnail; why isn't asked here: `whaledo data check`
says it.
"""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

BUDGET_BYTES = 8_800_000
"""For all thumbnails together; base64 makes a third more of it."""

LEAST_BYTES = 700
"""Each may take this much, however many there are: less shows no animal."""

EDGES = (320, 224, 176, 144, 128, 96)
"""The edge of a square with a thumbnail's area, in pixels, from the largest."""

QUALITIES = (72, 50, 30, 12)
"""WebP qualities that are tried until a thumbnail keeps to its share."""

LONGEST = 3
"""A thumbnail's longer side in multiples of that edge, at most."""

_BYTES_PER_PIXEL = 0.075
"""What photographs of belugas take at the first quality, roughly; decides where to begin only."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture.

    Attributes:
        webp: the file.
        width: in pixels.
        height: in pixels.
    """

    webp: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Size:
    """How large thumbnails are made.

    Attributes:
        edge: of the square with a thumbnail's area, in pixels.
        share_bytes: how many bytes one may take.
    """

    edge: int
    share_bytes: int


def size_for(count: int) -> Size:
    """The largest size at which `count` thumbnails keep to the budget."""
    share = max(BUDGET_BYTES // max(count, 1), LEAST_BYTES)
    fitting = (edge for edge in EDGES if edge * edge * _BYTES_PER_PIXEL <= share)
    return Size(next(fitting, EDGES[-1]), share)


def make_thumbnails(
    paths: Sequence[Path], on_progress: Callable[[int, int], None] | None = None
) -> list[Thumbnail | None]:
    """Make a thumbnail of each photograph; None for one that is missing or can't be decoded.

    Args:
        paths: the photographs.
        on_progress: called in this thread after each with the numbers of photographs done and in all.
    """
    size = size_for(len(paths))
    made: list[Thumbnail | None] = []
    # Pillow lets go of the interpreter while it decodes, scales and encodes: threads use all processors.
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        # A large photograph is no attack: whoever gives the data chose it.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        for thumbnail in pool.map(lambda path: make_thumbnail(path, size), paths):
            made.append(thumbnail)
            if on_progress is not None:
                on_progress(len(made), len(paths))
    return made


def make_thumbnail(path: Path, size: Size) -> Thumbnail | None:
    """Make one thumbnail; None where the photograph is missing or can't be decoded."""
    try:
        with Image.open(path) as photograph:
            small = _scaled(photograph, size.edge)
    except Exception:  # decoders raise whatever a broken file leads them to
        return None
    thumbnail = _within(small, size.share_bytes)
    if len(thumbnail.webp) > size.share_bytes and size.edge > EDGES[-1]:
        thumbnail = _within(_scaled(small, EDGES[-1]), size.share_bytes)
    return thumbnail


def _within(picture: Image.Image, share_bytes: int) -> Thumbnail:
    """The picture at the best quality that keeps to its share, or at the worst where none does."""
    for quality in QUALITIES:
        webp = _encoded(picture, quality)
        if len(webp) <= share_bytes:
            break
    return Thumbnail(webp, *picture.size)


def fitted(width: int, height: int, edge: int) -> tuple[int, int]:
    """The size at which a picture has the area of a square of `edge`; never larger than it is."""
    scale = min(1.0, edge / math.sqrt(width * height), LONGEST * edge / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scaled(photograph: Image.Image, edge: int) -> Image.Image:
    # A JPEG can be decoded at a half, a quarter or an eighth of its size in a fraction of the time.
    wanted = fitted(*photograph.size, edge)
    photograph.draft("RGB", wanted)
    turned = ImageOps.exif_transpose(photograph)
    colours = turned if turned.mode == "RGB" else turned.convert("RGB")
    return colours.resize(fitted(*colours.size, edge), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _encoded(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=2)
    return file.getvalue()
