"""Which known id was meant by one that isn't known: the likely fix of a mistake that pandas makes easily.

Ids are compared as text and nothing else, so ` a`, `A`, `a.0` and `images/a.jpg` aren't `a`. This module never
lets one pass for the other; it only finds the pair and names the difference.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping

from whaledo.challenge.problems import shown

_DIFFERENCES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("blanks around it", str.strip),
    ("capital letters differ", str.casefold),
    ("the same letters in another Unicode form", lambda name: unicodedata.normalize("NFC", name)),
    ("an invisible character in it", lambda name: "".join(filter(str.isprintable, name))),
    ("read as a decimal number; read ids with dtype=str", lambda name: name.removesuffix(".0")),
    ("read as a number, its zeros lost; read ids with dtype=str", lambda name: name.lstrip("0")),
    ("a file's name instead of the id", lambda name: _bare(name)),
)
"""How two ids may differ that mean the same, and what takes that difference away."""

_PICTURES = frozenset({"jpg", "jpeg", "png", "tif", "tiff", "webp", "gif", "bmp"})


def lookalikes(names: Iterable[str], known: Iterable[str]) -> Mapping[str, str]:
    """Each of `names` that resembles a known id, with a phrase that names the id and the difference."""
    meant = {_plain(name): name for name in known}
    found = ((name, meant.get(_plain(name))) for name in names)
    return {
        name: f"{shown(other)} is meant? {_difference(name, other)}"
        for name, other in found
        if other is not None
    }


def _plain(name: str) -> str:
    """The id without any of the differences."""
    name = name.strip().casefold()
    if not (name.isascii() and name.isprintable()):
        name = "".join(filter(str.isprintable, unicodedata.normalize("NFC", name)))
    if "." in name or "/" in name or "\\" in name:
        name = _bare(name.removesuffix(".0"))
    return name.lstrip("0")


def _bare(name: str) -> str:
    """A file's name without folders, and without the ending of a picture."""
    name = name.replace("\\", "/").rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    return stem if ending.lower() in _PICTURES else name


def _difference(name: str, other: str) -> str:
    return next(
        (said for said, undone in _DIFFERENCES if undone(name) == undone(other)), "it is written otherwise"
    )
