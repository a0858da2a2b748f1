"""Unpack what was downloaded, as strictly as a submission: every name is checked before anything is written.

Zips go through `whaledo.archive`. A tar.gz is read three times: to its end, which proves its checksum and its
size; for its names; and for its contents. Only files and folders are made, never a link, in a folder that was
empty and is ours; so nothing can be written outside.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj

from whaledo.archive import ArchiveLimits, Member, check_members, extract_archive, shown
from whaledo.archive.rules import check_ratio
from whaledo.challenge.problems import counted
from whaledo.challenge.tables import other_format
from whaledo.errors import BadArchive, BadData, Problem, Problems

LIMITS = ArchiveLimits(total_bytes=64 << 30, members=1_000_000)

AGAIN = "download it again; if that doesn't help, the publisher's file is damaged or another one"

_CHUNK_BYTES = 1 << 20


def unpack(archive: Path, folder: Path, limits: ArchiveLimits = LIMITS) -> int:
    """Unpack a zip or a tar.gz into an empty folder.

    Returns:
        The number of files.

    Raises:
        BadData: if it is neither, damaged, or holds what is refused; nothing outside the folder is written.
    """
    with archive.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"\x1f\x8b"):
        return _unpack_tar(archive, folder, limits)
    if head.startswith(b"PK"):
        try:
            return extract_archive(archive, folder, limits).files
        except BadArchive as error:
            raise BadData(error.message, hint=AGAIN, problems=error.problems) from None
    what = (other_format(head) or ("neither a zip nor a tar.gz",))[0]
    raise BadData(f"what came is {what}", hint="is the address right? A login or an error page may have come")


def _unpack_tar(archive: Path, folder: Path, limits: ArchiveLimits) -> int:
    with _told(archive):
        _check_size(archive, limits)
        sizes = _checked_names(archive, folder.name, limits)
        with _opened(archive) as tar:
            for member in tar:
                name = member.name.rstrip("/")
                if name not in sizes:
                    continue
                path = folder / name
                if member.isdir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(member)
                # "x" never writes over anything, and so never through a link.
                with path.open("xb") as file:
                    if source is not None:
                        copyfileobj(source, file, _CHUNK_BYTES)
    return sum(size is not None for size in sizes.values())


@contextmanager
def _told(archive: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadData(f"{archive.name} is damaged: {error}", hint=AGAIN) from None


def _check_size(archive: Path, limits: ArchiveLimits) -> None:
    """Read to the end: only there gzip says whether the contents are whole."""
    size_bytes = 0
    with gzip.open(archive) as plain:
        while chunk := plain.read(_CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > limits.total_bytes:
                raise BadData(f"{archive.name} unpacks to more than {limits.total_bytes >> 30} GiB")
            if bomb := check_ratio(size_bytes, archive.stat().st_size, limits):
                raise BadData(f"{archive.name} isn't opened: {bomb.message}")


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    # A stream: nothing in the archive can make the reader jump back.
    with gzip.open(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        yield tar


def _checked_names(archive: Path, place: str, limits: ArchiveLimits) -> dict[str, int | None]:
    """Name to size of each member that is unpacked; None: a folder."""
    problems = Problems()
    sizes: dict[str, int | None] = {}
    members = []
    with _opened(archive) as tar:
        for member in tar:
            name = member.name.rstrip("/").removeprefix("./")
            shadow = name.rpartition("/")[2].startswith("._")  # macOS puts these beside files
            if name == "." or shadow:
                continue
            if not (member.isreg() or member.isdir()) or member.issparse():
                said = "is a link, a device or a sparse file; only files and folders are unpacked"
                problems.add(Problem("special_file", said, file=shown(name)))
            else:
                sizes[member.name.rstrip("/")] = None if member.isdir() else member.size
                # Where it will lie: no name is reserved there, as some are at the root of a submission.
                members.append(Member(f"{place}/{name}", member.size, is_folder=member.isdir()))
            if len(members) > limits.members:
                break
    problems.extend(check_members(members, limits))
    if problems.errors:
        said = f"{archive.name} can't be unpacked safely: {counted(problems.errors, 'problem')}"
        raise BadData(said, hint=AGAIN, problems=problems)
    return sizes
