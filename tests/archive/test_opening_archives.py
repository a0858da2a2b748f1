"""What honest people hand in: zips of all makers, and files that aren't zips at all."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from whaledo.archive import ArchiveLimits, extract_archive, inspect_archive, sha256_of
from whaledo.errors import BadArchive, UsageError


def tar_bytes() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("main.py"))
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"

NOT_ZIPS = {
    "an empty file": b"",
    "a text file": "import pandas\n# modèle".encode() * 200,
    "a gzip file": gzip.compress(tar_bytes()),
    "a bzip2 file": bz2.compress(b"x"),
    "an xz file": lzma.compress(b"x"),
    "a tar archive": tar_bytes(),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40),
    "a RAR archive": b"Rar!\x1a\x07\x01\0" + bytes(40),
    "a web page": b"\n<!DOCTYPE html>\n<html><title>Sign in</title>",
    "a Git LFS pointer": LFS,
    "nothing but zero bytes": bytes(5000),
    "one part of a split zip": b"PK\x07\x08PK\x03\x04" + bytes(100),
    "begins with the bytes 93 4e 55 4d": b"\x93NUMPY\1\0v\0" + bytes(range(256)),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "submission.zip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    made.mkdir(mode=0o700)
    return made


def made_by_zipfile(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("what", NOT_ZIPS)
def test_a_file_that_is_no_zip_is_called_by_what_it_is(what: str, path: Path) -> None:
    path.write_bytes(NOT_ZIPS[what])
    with pytest.raises(BadArchive, match=what) as error:
        inspect_archive(path)
    assert error.value.hint
    assert error.value.member is None


def test_the_fix_for_a_git_lfs_pointer_is_git_lfs_pull(path: Path) -> None:
    path.write_bytes(LFS)
    with pytest.raises(BadArchive) as error:
        inspect_archive(path)
    assert "git lfs pull" in error.value.hint


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.97])
def test_a_download_that_broke_off_is_called_cut_short(kept: float, path: Path) -> None:
    made_by_zipfile(path, {"main.py": b"x", "w.bin": os.urandom(5000)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(BadArchive, match="cut short"):
        inspect_archive(path)


def test_missing_or_added_bytes_at_either_end_are_seen(path: Path) -> None:
    made_by_zipfile(path, {"main.py": b"print()"})
    whole = path.read_bytes()
    for damaged, where in (
        (whole[:-1], "its end"),
        (whole + b"\0", "its end"),
        (whole[1:], "not where its end says"),
        (b"#!/bin/sh\n" + whole, "not where its end says"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(BadArchive, match=where):
            inspect_archive(path)


def test_a_file_that_is_not_there_is_the_command_lines_fault(path: Path) -> None:
    for missing in (path, path / "inside"):
        with pytest.raises(UsageError, match="there is no") as error:
            inspect_archive(missing)
        assert "whaledo pack" in error.value.hint


def test_a_folder_or_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="is a folder"):
        inspect_archive(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BadArchive, match="not a file"):
        inspect_archive(pipe)


def test_the_directory_is_read_as_the_standard_library_reads_it(path: Path) -> None:
    files = {"main.py": b"print()", "src/été.py": b"x" * 1000, "src/empty": b"", "w.bin": os.urandom(3000)}
    made_by_zipfile(path, files)
    listing = inspect_archive(path)
    with zipfile.ZipFile(path) as archive:
        expected = [(info.filename, info.file_size) for info in archive.infolist()]
    assert [(member.name, member.size_bytes) for member in listing.members] == expected
    assert listing.total_bytes == sum(map(len, files.values()))
    assert listing.archive_bytes == path.stat().st_size
    assert listing.files == 4


def test_a_zip_with_nothing_in_it_is_a_zip(path: Path) -> None:
    made_by_zipfile(path, {})
    assert inspect_archive(path).members == ()


def test_a_comment_at_the_end_is_fine(path: Path) -> None:
    made_by_zipfile(path, {"main.py": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made on a Friday PK\5\6"
    assert inspect_archive(path).files == 1


def test_a_zip64_end_as_for_very_many_members_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    made_by_zipfile(path, {f"f{i}": b"" for i in range(5)})
    assert b"PK\x06\x06" in path.read_bytes()
    assert inspect_archive(path).files == 5


def test_sizes_that_come_after_the_contents_are_read(path: Path, folder: Path) -> None:
    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]  # the stub asks for any buffer
            self.data += data
            return len(data)

    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", b"print()" * 50)
        with archive.open("w.bin", "w", force_zip64=True) as file:
            file.write(b"abc" * 5000)
    path.write_bytes(stream.data)
    extract_archive(path, folder)
    assert (folder / "w.bin").read_bytes() == b"abc" * 5000


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs Info-ZIP's zip")
def test_zips_of_info_zip_are_read(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "model"
    (source / "lib").mkdir(parents=True)
    (source / "main.py").write_text("print()")
    (source / "lib" / "poids-été.bin").write_bytes(os.urandom(100))
    subprocess.run(["zip", "-qr", tmp_path / "a.zip", "."], cwd=source, check=True)
    extract_archive(tmp_path / "a.zip", folder)
    assert (folder / "lib" / "poids-été.bin").read_bytes() == (source / "lib" / "poids-été.bin").read_bytes()
    with (tmp_path / "piped.zip").open("wb") as piped:
        subprocess.run(["zip", "-qr", "-", "."], cwd=source, check=True, stdout=piped)
    assert inspect_archive(tmp_path / "piped.zip").files == 2


def test_what_macos_adds_is_left_out_and_said(path: Path, folder: Path) -> None:
    added = {"__MACOSX/._main.py": b"x", "lib/.DS_Store": b"x"}
    made_by_zipfile(path, {"main.py": b"x", "lib/a.py": b"", **added})
    listing = extract_archive(path, folder)
    assert listing.skipped == tuple(added)
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*")} == {"main.py", "lib", "lib/a.py"}


def test_what_macos_adds_is_checked_like_the_rest(path: Path) -> None:
    made_by_zipfile(path, {"main.py": b"x", "__MACOSX/../../evil.py": b""})
    with pytest.raises(BadArchive, match="leads out"):
        inspect_archive(path)


def test_a_split_zip_is_refused(path: Path) -> None:
    path.write_bytes(struct.pack("<4s4H2LH", b"PK\5\6", 1, 0, 0, 0, 0, 0, 0))
    with pytest.raises(BadArchive, match="split zip"):
        inspect_archive(path)


def test_a_huge_directory_is_refused_before_it_is_read(path: Path) -> None:
    made_by_zipfile(path, {f"folder/{i}": b"" for i in range(100)})
    with pytest.raises(BadArchive, match="list of names"):
        inspect_archive(path, ArchiveLimits(directory_bytes=1000))


def test_the_digest_is_that_of_the_file(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"abc" * 1_000_000)
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UsageError):
        sha256_of(tmp_path / "missing.zip")
