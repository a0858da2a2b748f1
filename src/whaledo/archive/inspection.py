"""Look at a zip without unpacking anything: is every member one that may be unpacked here?

The whole directory is read and checked first, so that a person sees all that is wrong at once and nothing is
written for a zip that is refused at its last member. What only the contents can show (a wrong checksum, more
bytes than claimed) is left to `extraction`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from whaledo.archive.directory import Entry, ZipBytes, contents_offset, read_directory
from whaledo.archive.listing import ArchiveLimits, ArchiveListing, Member, shown
from whaledo.archive.records import STORED
from whaledo.archive.rules import (
    check_members,
    check_ratio,
    coding_problem,
    kind_problem,
    overlap_problems,
    refusal,
)
from whaledo.errors import Problem, Problems


@dataclass(frozen=True, slots=True)
class Content:
    """One member that passed, and where its contents lie in the zip."""

    member: Member
    entry: Entry
    offset: int


@dataclass(frozen=True, slots=True)
class Survey:
    """A zip that passed.

    Attributes:
        listing: what it holds.
        contents: the members of the listing, in the same order.
    """

    listing: ArchiveListing
    contents: tuple[Content, ...]


def inspect_archive(path: Path, limits: ArchiveLimits | None = None) -> ArchiveListing:
    """Check every member of a zip by what the zip says of it; nothing is unpacked.

    Raises:
        BadArchive: not a zip, damaged, or with members that are refused: all of them in `problems`.
        UsageError: there is no such file, or it may not be read.
        MachineError: the disk fails while it is read.
    """
    with ZipBytes(path) as archive:
        return survey(archive, limits or ArchiveLimits()).listing


def sha256_of(path: Path) -> str:
    """The SHA-256 of a zip, in hexadecimal.

    Raises:
        BadArchive: it is a folder, or no file at all.
        UsageError: there is no such file, or it may not be read.
    """
    with ZipBytes(path) as archive, os.fdopen(archive.fd, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def survey(archive: ZipBytes, limits: ArchiveLimits) -> Survey:
    """Check every member of an open zip.

    Raises:
        BadArchive: as `inspect_archive`.
        MachineError: the disk fails while it is read.
    """
    entries, directory_offset = read_directory(archive, limits)
    problems = Problems()
    contents: list[Content] = []
    spans: list[tuple[int, int, str]] = []
    for entry in entries:
        found = _content(archive, entry, directory_offset)
        if isinstance(found, Problem):
            problems.add(found)
            continue
        contents.append(found)
        name = found.member.name
        spans.append((entry.header_offset, found.offset + entry.compressed_bytes, name))
    problems.extend(check_members((content.member for content in contents), limits))
    for problem in overlap_problems(spans, directory_offset, archive.name):
        problems.add(problem)
    total_bytes = sum(content.member.size_bytes for content in contents)
    if bomb := check_ratio(total_bytes, archive.size_bytes, limits):
        problems.add(bomb)
    if problems:
        raise refusal(archive.name, problems)
    return _without_macos_files(contents, archive.size_bytes)


def _content(archive: ZipBytes, entry: Entry, directory_offset: int) -> Content | Problem:
    try:
        name = entry.raw_name.decode()
    except UnicodeDecodeError:
        return Problem("not_utf8", "has a name that isn't UTF-8", file=shown(entry.raw_name))
    problem = kind_problem(name, entry.mode, entry.size_bytes) or coding_problem(
        name, entry.flags, entry.method
    )
    if problem:
        return problem
    if entry.method == STORED and entry.compressed_bytes != entry.size_bytes:
        return Problem("sizes", "is stored as it is, but with two different sizes", file=shown(name))
    offset = contents_offset(archive, entry, directory_offset)
    if isinstance(offset, Problem):
        return offset
    is_folder = name.endswith("/")
    member = Member(
        name=name.removesuffix("/"),
        size_bytes=entry.size_bytes,
        is_folder=is_folder,
        executable=not is_folder and bool(entry.mode & 0o111),
    )
    return Content(member, entry, offset)


def _without_macos_files(contents: list[Content], archive_bytes: int) -> Survey:
    kept = tuple(content for content in contents if not _from_macos(content.member.name))
    members = tuple(content.member for content in kept)
    listing = ArchiveListing(
        members=members,
        skipped=tuple(content.member.name for content in contents if _from_macos(content.member.name)),
        total_bytes=sum(member.size_bytes for member in members),
        archive_bytes=archive_bytes,
    )
    return Survey(listing, kept)


def _from_macos(name: str) -> bool:
    return name.partition("/")[0] == "__MACOSX" or name.rpartition("/")[2] == ".DS_Store"
