"""Sizes and durations as people write and read them: `8g`, `90m`, `20.0 MiB`, `1 min 20 s`."""

from __future__ import annotations

import re

from whaledo.errors import UsageError

_NUMBER = r"(\d{1,15}(?:\.\d{1,15})?)"
_SIZE = re.compile(rf"{_NUMBER}\s*([kmgt]?)(i?b)?", re.IGNORECASE)
_DURATION = re.compile(rf"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s?)?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read `8g`, `512m`, `64k` or plain bytes; 1k is 1024 bytes.

    Raises:
        UsageError: the text isn't a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"`{text}` is not a size", hint="write 8g, 512m, 64k or a number of bytes")
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))


def parse_duration(text: str) -> float:
    """Read `3h`, `90m`, `1h30m`, `45s` or plain seconds, in seconds.

    Raises:
        UsageError: the text isn't a duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or not text.strip():
        raise UsageError(f"`{text}` is not a duration", hint="write 3h, 90m, 1h30m, 45s or plain seconds")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def show_size(size_bytes: float) -> str:
    """Write a size for people: `512 B`, `20.0 MiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"


def show_duration(seconds: float) -> str:
    """Write a duration for people: `0.4 s`, `1 min 20 s`, `3 h 0 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
