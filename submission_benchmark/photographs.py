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
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

Made = TypeVar("Made")

LARGE_PIXELS = 16_000_000
LARGEST_PIXELS = 250_000_000
_ONE_LARGE_AT_A_TIME = threading.Lock()  # decoded, 100 megapixels are 300 MB
Image.MAX_IMAGE_PIXELS = None  # ours are LARGEST_PIXELS


def usable_cpus() -> int:
    """Count the processors that this process may use: fewer than the machine has, where a limit was set."""
    cpus = len(os.sched_getaffinity(0))
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, int(quota) // int(period)))


def read_photograph(path: Path, long_side: int) -> np.ndarray | None:
    """Decode a photograph, made smaller until its long side fits; what can't be read is told in the log.

    Returns:
        RGB, height x width x 3, uint8; None if it can't be read.
    """
    try:
        with Image.open(path) as photograph:
            pixels = photograph.width * photograph.height
            if pixels > LARGEST_PIXELS:
                raise ValueError(f"{photograph.width} x {photograph.height} pixels are too many")
            with _ONE_LARGE_AT_A_TIME if pixels > LARGE_PIXELS else nullcontext():
                return _decode(photograph, long_side)
    except Exception as error:  # a decoder may raise anything for a broken file
        print(f"{path} can't be read, so it gets a neutral description: {error}", flush=True)
        return None


def _decode(photograph: Image.Image, long_side: int) -> np.ndarray:
    scale = min(1, long_side / max(photograph.size))
    wanted = tuple(math.ceil(side * scale) for side in photograph.size)
    photograph.draft("RGB", wanted)  # a JPEG decodes faster at a half, a quarter or an eighth
    made: Image.Image = photograph
    if made.mode.startswith(("I", "F")):
        made = _with_8_bits(made)
    elif made.mode not in ("RGB", "L", "CMYK"):
        made = made.convert("RGBA")
    made.thumbnail((long_side, long_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(ImageOps.exif_transpose(made).convert("RGB"))


def _with_8_bits(photograph: Image.Image) -> Image.Image:
    values = np.nan_to_num(np.asarray(photograph, np.float32))
    darkest, brightest = float(values.min()), float(values.max())
    return Image.fromarray(((values - darkest) * (255 / max(brightest - darkest, 1))).astype(np.uint8))


def ahead(work: Callable[[Path], Made], paths: Iterable[Path], threads: int) -> Iterator[Made]:
    """Do the work for each path in threads, a little ahead of whoever takes the results, in order."""
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for path in paths:
            waiting.append(pool.submit(work, path))
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
