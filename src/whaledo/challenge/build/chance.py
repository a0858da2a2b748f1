"""Orders that follow from a seed and can't be guessed without it.

Every choice of a build (which animals compete, which image gets which id) sorts names by a keyed hash. Unlike a
random generator's stream, a name's place doesn't depend on the rows around it, on their order in the table, or on
the release of a library; and whoever doesn't know the seed learns nothing from an id.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")

SEED_BITS = 63
"""Enough that nobody finds a drawn seed by trying, and few enough for every reader of JSON."""


def draw_seed() -> int:
    """A seed that nobody can guess."""
    return secrets.randbits(SEED_BITS)


def shuffled(seed: int, topic: str, items: Iterable[Item], name: Callable[[Item], str]) -> list[Item]:
    """The items in an order that follows from the seed, the topic and their names, which must differ."""
    key = seed.to_bytes(16, "big")

    def place(item: Item) -> bytes:
        return hashlib.blake2b(f"{topic}\0{name(item)}".encode(), key=key, digest_size=16).digest()

    return sorted(items, key=place)
