"""Open photographs ahead of those who need them: any mode, any size, and never an exception for a bad file.

What is done with a photograph is given as a function, so that threads decode and describe at once. Pillow decodes
rather than OpenCV, because it tells a CMYK file and a file with 16 bits from a plain one.
"""

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from PIL import Image, ImageOps
from PIL.ExifTags import Base

Given = TypeVar("Given")
Made = TypeVar("Made")
Size: TypeAlias = "int | tuple[int, int]"
"""What a photograph is made to fit: so many pixels of its long side, or a width and a height it is squeezed to."""

LARGE_PIXELS = 16_000_000
LARGEST_PIXELS = 250_000_000
_ONE_LARGE_AT_A_TIME = threading.Lock()  # decoded, 100 megapixels are 300 MB
Image.MAX_IMAGE_PIXELS = None  # ours are LARGEST_PIXELS
cv2.setNumThreads(1)  # one photograph a thread is faster than a photograph for all threads


def usable_cpus() -> int:
    """Count the processors that this process may use: fewer than the machine has, where a limit was set."""
    cpus = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, int(quota) // int(period)))


def read_photograph(path: Path, size: Size) -> np.ndarray | None:
    """Decode a photograph at a size; what can't be read is told in the log.

    Returns:
        RGB, height x width x 3, uint8; None if it can't be read. With only a long side small ones stay small.
    """
    try:
        with Image.open(path) as photograph:
            pixels = photograph.width * photograph.height
            if pixels > LARGEST_PIXELS:
                raise ValueError(f"{photograph.width} x {photograph.height} pixels are too many")
            with _ONE_LARGE_AT_A_TIME if pixels > LARGE_PIXELS else nullcontext():
                return _decode(photograph, size)
    except Exception as error:  # a decoder may raise anything for a broken file
        print(f"{path} can't be read, so it gets a neutral description: {error}", flush=True)
        return None


def _decode(photograph: Image.Image, size: Size) -> np.ndarray:
    if isinstance(size, int):
        scale = min(1, size / max(photograph.size))
        wanted = [math.ceil(side * scale) for side in photograph.size]
    else:
        wanted = list(reversed(size)) if photograph.getexif().get(Base.Orientation, 1) > 4 else list(size)
    photograph.draft("RGB", (wanted[0], wanted[1]))  # a JPEG decodes faster at a half, a quarter or an eighth
    made: Image.Image = photograph
    if made.mode.startswith(("I", "F")):
        made = _with_8_bits(made)
    elif made.mode not in ("RGB", "L", "CMYK"):
        made = made.convert("RGBA")
    ImageOps.exif_transpose(made, in_place=True)
    if isinstance(size, int):
        made.thumbnail((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return _rgb(made)
    # Means of whole pixels come first, so that each pixel counts; less than a half is left to interpolation.
    made = made.reduce((max(1, made.width // size[0]), max(1, made.height // size[1])))
    return cv2.resize(_rgb(made), size, interpolation=cv2.INTER_LINEAR)


def _rgb(photograph: Image.Image) -> np.ndarray:
    return np.asarray(photograph if photograph.mode == "RGB" else photograph.convert("RGB"))


def _with_8_bits(photograph: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(photograph, np.float32))
    darkest, brightest = float(values.min()), float(values.max())
    return Image.fromarray(((values - darkest) * (255 / max(brightest - darkest, 1))).astype(np.uint8))


def ahead(work: Callable[[Given], Made], pieces: Iterable[Given], threads: int) -> Iterator[Made]:
    """Do the work for each piece in threads, a little ahead of whoever takes the results, in order."""
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > 8 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def with_progress(items: Iterable[Made], total: int, what: str) -> Iterator[Made]:
    """Pass items on, and print a line for each tenth of them: a bar would fill a log with its redrawing."""
    for number, item in enumerate(items, start=1):
        yield item
        if number == total or number * 10 // total > (number - 1) * 10 // total:
            print(f"{what}: {number} of {total}", flush=True)
