"""What people type for a network's settings: a size, and a number for each colour."""

from __future__ import annotations

import math
import re

from whaledo.errors import UsageError


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Read height and width, `224x192`, or one number for both.

    Raises:
        UsageError: if it is neither.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})(?:x(\d{1,6}))?", text.strip(), re.ASCII)
    if found is None:
        raise UsageError(f"{text!r} is no size", hint="height and width in pixels: --size 224x224")
    return int(found[1]), int(found[2] or found[1])


def parse_colours(text: str | None, option: str) -> tuple[float, float, float] | None:
    """Read a number for each of red, green and blue: `0.485,0.456,0.406`.

    Raises:
        UsageError: if it isn't three finite numbers.
    """
    if text is None:
        return None
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        red = green = blue = math.nan
    if not all(math.isfinite(part) for part in (red, green, blue)):
        hint = f"one each for red, green and blue, from 0 to 1: {option} 0.5,0.5,0.5"
        raise UsageError(f"{option} {text!r} isn't three numbers", hint=hint)
    return red, green, blue
