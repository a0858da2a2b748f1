"""Unpacking: what lands in the folder, and that nothing does when it fails."""

from __future__ import annotations

import errno
import os
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from whaledo.archive import extract_archive, extraction
from whaledo.archive.directory import ZipBytes
from whaledo.archive.inspection import Content
from whaledo.errors import MachineError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "submission.zip"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", b"print()\n" * 1000)
        archive.writestr("empty/", b"")
        program = zipfile.ZipInfo("bin/tool")
        program.external_attr = 0o100744 << 16
        archive.writestr(program, b"#!/bin/sh\n")
        secret = zipfile.ZipInfo("bin/closed")
        secret.external_attr = 0o100000 << 16
        archive.writestr(secret, b"")
        archive.writestr("w.bin", os.urandom(3 << 20))
    return made


def fail_after_first(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    real = extraction._checked

    def failing(archive: ZipBytes, content: Content) -> Iterator[bytes]:
        yield from real(archive, content)
        if content.member.name == "w.bin":
            raise error

    monkeypatch.setattr(extraction, "_checked", failing)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_and_times_are_ours_whatever_the_zip_or_the_umask_says(
    umask: int, path: Path, folder: Path
) -> None:
    before = os.umask(umask)
    try:
        extract_archive(path, folder)
    finally:
        os.umask(before)
    found = {p.relative_to(folder).as_posix(): p.stat() for p in folder.rglob("*")}
    modes = {name: stat.S_IMODE(status.st_mode) for name, status in found.items()}
    assert modes == {
        "main.py": 0o644,
        "empty": 0o755,
        "bin": 0o755,
        "bin/tool": 0o755,
        "bin/closed": 0o644,
        "w.bin": 0o644,
    }
    assert {status.st_mtime for status in found.values() if stat.S_ISREG(status.st_mode)} == {315532800}


def test_contents_are_those_of_the_zip(path: Path, folder: Path) -> None:
    extract_archive(path, folder)
    with zipfile.ZipFile(path) as archive:
        for name in ("main.py", "bin/tool", "w.bin"):
            assert (folder / name).read_bytes() == archive.read(name)


def test_no_descriptor_stays_open(path: Path, folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    extract_archive(path, folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_full_disk_is_the_machines_fault_and_leaves_nothing(
    path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_after_first(OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    with pytest.raises(MachineError, match="no room to unpack") as error:
        extract_archive(path, folder)
    assert error.value.hint
    assert not list(folder.iterdir())


def test_too_little_room_is_seen_before_anything_is_written(
    path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = list(os.statvfs(folder))
    fields[4] = 10
    monkeypatch.setattr(os, "fstatvfs", lambda fd: os.statvfs_result(fields))
    with pytest.raises(MachineError, match=r"3.0 MiB are needed"):
        extract_archive(path, folder)
    assert not list(folder.iterdir())


def test_an_interruption_leaves_nothing(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_after_first(KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        extract_archive(path, folder)
    assert not list(folder.iterdir())


def test_a_folder_that_holds_something_is_left_as_it_is(path: Path, folder: Path) -> None:
    (folder / "main.py").write_text("mine")
    with pytest.raises(MachineError, match="isn't empty"):
        extract_archive(path, folder)
    assert (folder / "main.py").read_text() == "mine"
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_others_may_write_to_is_refused(path: Path, folder: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(MachineError, match="other users"):
        extract_archive(path, folder)


def test_a_missing_folder_is_the_machines_fault(path: Path, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="can't be unpacked into"):
        extract_archive(path, tmp_path / "nowhere")


def test_a_link_in_the_way_is_never_followed(path: Path, folder: Path, tmp_path: Path) -> None:
    # Nobody else can write to the folder; this is what would hold if somebody could.
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "bin").symlink_to(outside)
    root = os.open(folder, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
            extraction._Tree(root).enter("bin")
    finally:
        os.close(root)
    assert not list(outside.iterdir())
