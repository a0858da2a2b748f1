"""Whatever bytes are handed in: they are unpacked or refused, and nothing is written outside the folder."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.archive import ArchiveLimits, extract_archive, inspect_archive
from whaledo.errors import BadArchive

LIMITS = ArchiveLimits(total_bytes=1 << 20, members=50, ratio_from_bytes=1 << 16)
NAMES = st.one_of(
    st.sampled_from(
        ["main.py", "a", "a/b", "A", "../up", "/abs", "C:\\x", "data/x", "é", "e\u0301", "d/", "a\n"]
    ),
    st.text(min_size=1, max_size=12).filter(lambda name: name.isprintable() or name.isascii()),
)


def outcome(zip_bytes: bytes) -> set[str]:
    """Look at a zip, then unpack it: what is there afterwards, as paths below the folder."""
    with tempfile.TemporaryDirectory() as around:
        path, folder = Path(around) / "s.zip", Path(around) / "code"
        folder.mkdir(mode=0o700)
        path.write_bytes(zip_bytes)
        try:
            inspect_archive(path, LIMITS)
            listing = extract_archive(path, folder, LIMITS)
        except BadArchive:
            assert not list(folder.iterdir())
            return set()
        finally:
            assert {made.name for made in Path(around).iterdir()} == {"s.zip", "code"}
        made = {p.relative_to(folder).as_posix() for p in folder.rglob("*")}
        assert not any(p.is_symlink() for p in folder.rglob("*"))
        assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) == listing.total_bytes
        assert {member.name for member in listing.members} <= made
        return made


@st.composite
def zips(draw: st.DrawFn) -> bytes:
    """What the standard library writes for any names, modes and methods, half of it with zip64 records."""
    buffer = io.BytesIO()
    zip64 = mock.patch.object(zipfile, "ZIP_FILECOUNT_LIMIT", draw(st.sampled_from([0, 60_000])))
    with zip64, zipfile.ZipFile(buffer, "w") as archive:
        for name in draw(st.lists(NAMES, max_size=5, unique=True)):
            info = zipfile.ZipInfo(name)
            info.external_attr = (
                draw(st.sampled_from([0, 0o100644, 0o100755, 0o120777, 0o40755, 0o104755])) << 16
            )
            method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
            archive.writestr(info, b"" if name.endswith("/") else draw(st.binary(max_size=80)), method)
    return buffer.getvalue()


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    assert outcome(data) == set()


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_before_an_end_record_are_refused_or_nothing(data: bytes) -> None:
    assert outcome(data + b"PK\5\6" + bytes(18)) == set()


@settings(deadline=None)
@given(zips())
def test_any_zip_is_unpacked_whole_or_refused(zip_bytes: bytes) -> None:
    outcome(zip_bytes)


@settings(max_examples=200, deadline=None)
@given(zips(), st.data())
def test_a_damaged_zip_is_unpacked_whole_or_refused(zip_bytes: bytes, data: st.DataObject) -> None:
    damaged = bytearray(zip_bytes)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(damaged) - 1))
        damaged[position] = data.draw(st.sampled_from([0, 1, 0x2E, 0x2F, 0x7F, 0xFF, damaged[position] ^ 1]))
    outcome(bytes(damaged))


@settings(deadline=None)
@given(zips(), st.data())
def test_a_zip_with_a_piece_moved_or_gone_is_unpacked_whole_or_refused(
    zip_bytes: bytes, data: st.DataObject
) -> None:
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(zip_bytes))] * 2)))
    outcome(zip_bytes[:first] + zip_bytes[second:])
    outcome(zip_bytes[:second] + zip_bytes[first:])
