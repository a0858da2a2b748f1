"""What a zip holds once it has been looked at, how much it may hold, and how names are shown."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30

SHOWN_CHARACTERS = 120
"""Longer names are shown with their middle left out."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may hold. The defaults let several sets of big weights through.

    Attributes:
        total_bytes: all contents together, unpacked.
        members: files and folders, those counted that are only named on the way to a file.
        directory_bytes: the zip's own list of names, which is read into memory.
        name_bytes: one member's whole name, in UTF-8.
        part_bytes: one part of a name between slashes; 255 is what file systems hold.
        depth: parts of one name.
        ratio: contents to zip. Code and weights stay under 10, bombs are built for 1,000.
        ratio_from_bytes: contents up to this size are never refused for their ratio: zeros compress 1,000 times
            and are honest, and what a run could write by itself is no bomb.
    """

    total_bytes: int = 32 * GIB
    members: int = 100_000
    directory_bytes: int = 32 * MIB
    name_bytes: int = 1024
    part_bytes: int = 255
    depth: int = 32
    ratio: int = 200
    ratio_from_bytes: int = 4 * GIB


@dataclass(frozen=True, slots=True)
class Member:
    """One file or folder in a zip, or about to be.

    Attributes:
        name: its path in the zip, with forward slashes and none at the end.
        size_bytes: its contents; as the zip claims, until they are unpacked.
        is_folder: a folder that stands in the zip by itself.
        executable: whether it may be started as a program.
    """

    name: str
    size_bytes: int
    is_folder: bool = False
    executable: bool = False


@dataclass(frozen=True, slots=True)
class ArchiveListing:
    """What unpacking a zip gives.

    Attributes:
        members: in the zip's own order.
        skipped: names of what macOS adds to zips; checked like the rest, never unpacked.
        total_bytes: the sum of the members' sizes.
        archive_bytes: the zip file itself.
    """

    members: tuple[Member, ...]
    skipped: tuple[str, ...]
    total_bytes: int
    archive_bytes: int

    @property
    def files(self) -> int:
        """How many files there are, folders not counted."""
        return sum(not member.is_folder for member in self.members)


def shown(name: str | bytes) -> str:
    """A name as it can be put on a screen: what doesn't print is escaped, the middle of a long one left out."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    half = SHOWN_CHARACTERS // 2
    return f"{text[:half]}…{text[-half:]}"
