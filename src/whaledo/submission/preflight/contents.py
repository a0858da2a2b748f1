"""The files of a submission, read one at a time and never unpacked to disk: from a zip, or from a folder.

A zip goes through the same checks as before a run, so that nothing here meets a name or a size that a run would
refuse. Checksums of what isn't read are left to the run, which reads everything anyway.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from whaledo.archive import ArchiveLimits, Member, check_members
from whaledo.archive.directory import ZipBytes
from whaledo.archive.inspection import Content, survey
from whaledo.archive.records import DEFLATED
from whaledo.errors import BadSubmission, MachineError

_DEFLATED_AT_MOST = 2

_COMPILED = re.compile(r"((?:[^/]+/)*[^./]+)(?:(?:\.cpython-311-[\w-]+|\.abi3)?\.so|\.pyc)")
"""What Python 3.11 on Linux imports besides `.py` files."""


class Read(Protocol):
    """How a file is read."""

    def __call__(self, name: str, most_bytes: int) -> bytes:
        """The first `most_bytes` of the file `name`."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a submission holds.

    Attributes:
        files: by name, with forward slashes.
        folders: every folder that unpacking makes, without the root.
        compiled: the names of extension modules and of modules without their source, as paths without suffix.
        size_bytes: of the zip; None for a folder.
        read: reads a file.
    """

    files: Mapping[str, Member]
    folders: frozenset[str]
    compiled: frozenset[str]
    size_bytes: int | None
    read: Read


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """Open a zip, or a folder as it would be packed.

    Raises:
        BadArchive: the zip is refused or damaged.
        BadSubmission: the folder can't be packed.
        UsageError: there is nothing of that name, or it may not be read.
        MachineError: the disk fails.
    """
    if path.is_dir():
        yield _folder(path)
        return
    with ZipBytes(path) as archive:
        found = survey(archive, ArchiveLimits())
        by_name = {content.member.name: content for content in found.contents}

        def read(name: str, most_bytes: int) -> bytes:
            return _member(archive, by_name[name], most_bytes)

        yield _contents(found.listing.members, archive.size_bytes, read)


def _folder(path: Path) -> Contents:
    from whaledo.submission.folder import scan_folder
    from whaledo.submission.left_out import read_rules

    root = path.resolve()
    scan = scan_folder(root, read_rules(root))
    members = [source.member for source in scan.sources]
    scan.problems.extend(check_members(members, ArchiveLimits()))
    if scan.problems:
        raise BadSubmission(f"{path} can't be packed", problems=scan.problems)
    paths = {source.member.name: source.path for source in scan.sources if source.path}

    def read(name: str, most_bytes: int) -> bytes:
        try:
            with paths[name].open("rb") as file:
                return file.read(most_bytes)
        except OSError as error:
            raise MachineError(f"{paths[name]} can't be read: {error.strerror}") from None

    return _contents(members, None, read)


def _contents(members: list[Member] | tuple[Member, ...], size_bytes: int | None, read: Read) -> Contents:
    folders: set[str] = set()
    for member in members:
        folder = member.name if member.is_folder else member.name.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    files = {member.name: member for member in members if not member.is_folder}
    compiled = frozenset(match[1] for name in files if (match := _COMPILED.fullmatch(name)))
    return Contents(files, frozenset(folders), compiled, size_bytes, read)


def _member(archive: ZipBytes, content: Content, most_bytes: int) -> bytes:
    """The beginning of a member. Honest deflate never makes contents longer than `_DEFLATED_AT_MOST` times."""
    entry = content.entry
    packed = archive.read_at(content.offset, min(entry.compressed_bytes, _DEFLATED_AT_MOST * most_bytes + 64))
    if entry.method != DEFLATED:
        return packed[:most_bytes]
    try:
        return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(packed, max(most_bytes, 1))
    except zlib.error as error:
        raise archive.bad(f"is damaged: {error}", member=entry.raw_name) from None
