"""Text that others wrote, made fit to be shown: nothing invisible in it, and not too long.

Escaping for HTML isn't done here but where text becomes HTML (jinja2 and `charts.py`); for a script, `embedded`
writes JSON that no HTML parser can take for markup.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST = 120
"""How many characters of an id are shown."""

_MARKUP = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def visible(text: str) -> str:
    """The text with control characters, and what turns the direction of writing, spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str) -> str:
    """The text as a page shows an id: visible, and its middle left out where it is long."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 2 // 3]}…{text[-LONGEST // 3 + 1 :]}"
    return visible(text)


def log_tail(raw: bytes, lines: int = 60, width: int = 400) -> list[str]:
    """The last lines of a log, visible; of a line that was written over and over, what was left in the end."""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n").rstrip()
    last = (line.rstrip("\r").rpartition("\r")[2].rstrip().expandtabs() for line in text.split("\n")[-lines:])
    return [visible(line if len(line) <= width else f"{line[:width]}…") for line in last]


def embedded(document: Any) -> str:
    """A document as JSON that can stand between `<script>` tags: plain ASCII without `<`, `>` and `&`."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).translate(_MARKUP)
