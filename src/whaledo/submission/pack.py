"""Turn a folder into a submission zip: the same bytes for the same folder, and one that can be opened.

Everything that stands against packing is said at once, before anything is written. The zip is written beside
its place, looked at as the run will look at it, and moved there when it is whole; what stood there stays until
then.
"""

from __future__ import annotations

import ast
import errno
import secrets
import stat
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from whaledo.archive import ArchiveLimits, check_members, find_main, inspect_archive, sha256_of, shown
from whaledo.archive.main_file import MAIN
from whaledo.errors import BadArchive, BadSubmission, MachineError, Problem, Problems, UsageError
from whaledo.submission.folder import LeftOut, Scan, Source, scan_folder
from whaledo.submission.left_out import read_rules
from whaledo.submission.zip_writer import write_zip
from whaledo.units import show_size

BIG_ZIP_BYTES = 8 << 30
"""A zip beyond this gets a warning: it takes long to upload and to unpack."""

_LONGEST_MAIN_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file that went in."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A zip that was made.

    Attributes:
        path: where it lies, as it was asked for.
        sha256: its digest, in hexadecimal.
        size_bytes: the zip itself.
        files: what went in, by name.
        total_bytes: the files together, unpacked.
        left_out: what didn't go in, and why.
        warnings: what may surprise later.
    """

    path: Path
    sha256: str
    size_bytes: int
    files: tuple[PackedFile, ...]
    total_bytes: int
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


def pack(
    source: Path,
    destination: Path,
    *,
    force: bool = False,
    allow: Sequence[str] = (),
    store: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Packed:
    """Pack a folder.

    Args:
        source: the folder; its main.py has to be at its root.
        destination: the zip; folders on the way are made.
        force: replace a file that is there.
        allow: likely secrets that may go in, by path or by name.
        store: deflate nothing, for the same bytes on every machine.
        on_progress: told how many bytes of files are packed, and of how many.

    Raises:
        UsageError: there is no such folder, or the zip may not be written there.
        BadSubmission: the folder can't be packed: all that is wrong with it in `problems`.
        MachineError: the disk is full or fails; nothing is left of the zip.
    """
    root = _existing_folder(source, destination)
    _require_free(destination, force)
    scan = scan_folder(root, read_rules(root), allow=allow, written=_resolved(destination))
    _require_packable(source, scan)
    total_bytes = sum(found.member.size_bytes for found in scan.sources)
    with _written_beside(destination, force) as (file, path):
        write_zip(file, scan.sources, store=store, on_bytes=_counted(on_progress, total_bytes))
        file.flush()
        _require_openable(source, path)
        sha256, size_bytes = sha256_of(path), file.tell()
    return Packed(
        path=destination,
        sha256=sha256,
        size_bytes=size_bytes,
        files=tuple(
            PackedFile(found.member.name, found.member.size_bytes) for found in scan.sources if found.path
        ),
        total_bytes=total_bytes,
        left_out=tuple(scan.left_out),
        warnings=tuple(_warnings(scan.sources, size_bytes)),
    )


def _existing_folder(source: Path, destination: Path) -> Path:
    try:
        root = source.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        why = "" if isinstance(error, FileNotFoundError) else f" ({error})"
        raise UsageError(f"there is no folder {source}{why}") from None
    if root.is_dir():
        return root
    if source.suffix == ".zip":
        hint = f"pack the folder that it was made from, or go on with `whaledo run {source}`"
        raise UsageError(f"{source} is a zip already", hint=hint)
    hint = f"pack the folder that it lies in: `whaledo pack {source.parent} -o {destination}`"
    raise UsageError(f"{source} is not a folder", hint=hint)


def _require_free(destination: Path, force: bool) -> None:
    """A file may be replaced if that is asked for; anything else never."""
    try:
        kind = stat.S_IFMT(destination.lstat().st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{destination} can't be written: {error.strerror}", hint="give another -o"
        ) from None
    if kind != stat.S_IFREG:
        hint = f"give the zip's whole name, such as -o {destination / 'submission.zip'}"
        raise UsageError(f"{destination} is there and is no file: it is left alone", hint=hint)
    if not force:
        hint = "--force replaces it (with make: FORCE=1); or give another -o"
        raise UsageError(f"{destination} is there already", hint=hint)


def _resolved(destination: Path) -> Path:
    return destination.parent.resolve() / destination.name


def _require_packable(source: Path, scan: Scan) -> None:
    """Raise all that stands against packing: what can't go in, what couldn't be opened, a missing main.py."""
    problems = scan.problems
    members = [found.member for found in scan.sources]
    problems.extend(check_members(members, ArchiveLimits()))
    main = find_main(members, shown(str(source)))
    hidden = next((left for left in scan.left_out if left.name == MAIN), None)
    if hidden:
        problems.add(Problem("no_main", f"main.py is left out by {hidden.reason}", "take that line away"))
    elif not main.found and all(problem.file != MAIN for problem in problems):
        problems.add(Problem("no_main", main.message, main.hint))
    if problems:
        raise _refusal(source, problems)


def _refusal(source: Path, problems: Problems) -> BadSubmission:
    count = f": {problems.errors:,} problems" if problems.errors > 1 else ""
    return BadSubmission(f"{source} can't be packed{count}", problems=problems)


def _require_openable(source: Path, path: Path) -> None:
    """Hold the finished zip against what the run will ask of it; only its ratio is news here."""
    try:
        inspect_archive(path)
    except BadArchive as error:
        raise _refusal(source, error.problems) from error


def _counted(on_progress: Callable[[int, int], None] | None, total_bytes: int) -> Callable[[int], None]:
    done_bytes = 0

    def count(piece_bytes: int) -> None:
        nonlocal done_bytes
        done_bytes += piece_bytes
        if on_progress is not None:
            on_progress(done_bytes, total_bytes)

    return count


@contextmanager
def _written_beside(destination: Path, force: bool) -> Iterator[tuple[BinaryIO, Path]]:
    """A new file beside the destination: moved there at the end, or gone if anything fails."""
    path = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x+b") as file:
            yield file, path
        # Packing takes long enough for somebody else to have made one.
        _require_free(destination, force)
        path.replace(destination)
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "there is no room" if full else error.strerror or str(error)
        hint = "free some space, or give -o on another disk" if full else ""
        raise MachineError(f"{destination} can't be written: {what}", hint=hint) from None
    finally:
        path.unlink(missing_ok=True)


def _warnings(sources: Sequence[Source], size_bytes: int) -> Iterator[str]:
    main = next(found for found in sources if found.member.name == MAIN)
    if found := _syntax_warning(main):
        yield found
    if size_bytes > BIG_ZIP_BYTES:
        yield f"the zip is {show_size(size_bytes)}: it takes long to upload and to unpack"


def _syntax_warning(main: Source) -> str | None:
    if main.path is None or main.member.size_bytes > _LONGEST_MAIN_BYTES:
        return None
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(main.path.read_bytes())
    except SyntaxError as error:
        return f"main.py:{error.lineno or 1} is no valid {python}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"main.py is no valid {python}: {error}"
    return None
