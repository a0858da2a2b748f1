"""One zip a run: what is hashed, checked and unpacked is the same file, unchanged, or nothing is started."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.archive import ArchiveListing, extract_archive
from whaledo.errors import UsageError
from whaledo.execution import runner
from whaledo.execution.check import Checker
from whaledo.execution.records import Check, Step
from whaledo.execution.zip_source import ZipSource

if TYPE_CHECKING:
    from tests.conftest import Rooms


def swap(path: Path) -> None:
    """Put another file in its place."""
    other = path.with_suffix(".new")
    other.write_bytes(b"x" * path.stat().st_size)
    status = path.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def swap_and_back(path: Path) -> None:
    """Put another file in its place for a moment."""
    held = path.rename(path.with_suffix(".held"))
    path.write_bytes(b"other")
    held.replace(path)


def write(path: Path) -> None:
    """Write to it, and have it look as old as before."""
    status = path.stat()
    with path.open("r+b") as file:
        file.write(b"y")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


CHANGES = [swap, swap_and_back, write, Path.unlink]


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    """A file that was written a while ago."""
    path = tmp_path / "s.zip"
    path.write_bytes(b"x" * 100)
    return path


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen(zipped: Path, change: Callable[[Path], None]) -> None:
    source = ZipSource(zipped)
    assert source.is_unchanged()
    assert source.sha256() == hashlib.sha256(b"x" * 100).hexdigest()
    change(zipped)
    assert not source.is_unchanged()
    source.close()


def test_to_read_it_is_no_change(zipped: Path) -> None:
    source = ZipSource(zipped)
    zipped.read_bytes()
    assert (source.size_bytes, source.is_unchanged()) == (100, True)
    source.close()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda _: None])
def test_what_is_no_file_is_a_usage_error_and_nobody_waits(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "s.zip")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(UsageError, match="there is no zip"):
        ZipSource(tmp_path / "s.zip")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("change", [swap, write])
def test_a_zip_that_changes_while_it_is_unpacked_is_not_started(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    def extract(path: Path, folder: Path) -> ArchiveListing:
        listing = extract_archive(path, folder)
        change(path)
        return listing

    monkeypatch.setattr(runner, "extract_archive", extract)
    result = rooms.run(rooms.request("print('which?')"))
    assert (result.verdict.code, result.verdict.step) == ("bad_archive", Step.UNPACK)
    assert "was changed while it was read" in result.verdict.message
    assert "start" not in result.steps


def test_a_zip_that_changes_while_it_is_checked_is_not_started(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = rooms.request("import timm")
    answer = Checker.answer

    def change(checker: Checker, cancelled: Callable[[], bool]) -> Check | None:
        found = answer(checker, cancelled)
        swap(Path(request.submission))
        return found

    monkeypatch.setattr(Checker, "answer", change)
    result = rooms.run(request)
    assert (result.verdict.code, result.verdict.step, result.check) == ("bad_archive", Step.CHECK, None)
