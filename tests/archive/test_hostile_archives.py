"""Zips that somebody built to do harm, each made here byte by byte: all are refused, and by name."""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from whaledo.archive import ArchiveLimits, extract_archive, inspect_archive
from whaledo.errors import BadArchive

SMALL = ArchiveLimits(
    total_bytes=1 << 20, members=100, name_bytes=100, depth=5, ratio=50, ratio_from_bytes=200_000
)


@dataclass(frozen=True)
class Forged:
    """One member, with whatever the two headers are to say about it; None: the truth."""

    name: str | bytes
    data: bytes = b"x"
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    system: int = 3
    claimed_crc: int | None = None
    claimed_bytes: int | None = None
    claimed_compressed_bytes: int | None = None
    local_name: bytes | None = None
    local_method: int | None = None
    local_bytes: int | None = None
    extra: bytes = b""
    header_offset: int | None = None
    packed_as: bytes | None = None

    @property
    def raw_name(self) -> bytes:
        return self.name.encode() if isinstance(self.name, str) else self.name

    @property
    def packed(self) -> bytes:
        if self.packed_as is not None:
            return self.packed_as
        return deflated(self.data) if self.method == 8 else self.data

    @property
    def figures(self) -> tuple[int, int, int]:
        """Checksum, compressed size and size, as claimed."""
        crc = zlib.crc32(self.data) if self.claimed_crc is None else self.claimed_crc
        packed = len(self.packed) if self.claimed_compressed_bytes is None else self.claimed_compressed_bytes
        return crc, packed, len(self.data) if self.claimed_bytes is None else self.claimed_bytes

    def local(self) -> bytes:
        name = self.raw_name if self.local_name is None else self.local_name
        method = self.method if self.local_method is None else self.local_method
        crc, packed, size = self.figures
        size = size if self.local_bytes is None else self.local_bytes
        head = struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, self.flags, method, 0, 33, crc, packed, size, len(name), 0
        )
        return head + name

    def central(self, offset: int) -> bytes:
        made_by = self.system << 8 | 20
        numbers = (made_by, 20, self.flags, self.method, 0, 33, *self.figures)
        lengths = (len(self.raw_name), len(self.extra), 0, 0, 0, self.mode << 16)
        offset = offset if self.header_offset is None else self.header_offset
        head = struct.pack("<4s6H3L5H2L", b"PK\1\2", *numbers, *lengths, offset)
        return head + self.raw_name + self.extra


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def end(members: int, directory_bytes: int, offset: int, comment: bytes = b"") -> bytes:
    numbers = (0, 0, members, members, directory_bytes, offset, len(comment))
    return struct.pack("<4s4H2LH", b"PK\5\6", *numbers) + comment


def forge(members: Sequence[Forged], comment: bytes = b"") -> bytes:
    contents, directory = bytearray(), bytearray()
    for member in members:
        directory += member.central(len(contents))
        contents += member.local() + member.packed
    return bytes(contents + directory) + end(len(members), len(directory), len(contents), comment)


def quoted_overlap_bomb(files: int, kernel_bytes: int, listed: int | None = None) -> bytes:
    """Fifield's "better zip bomb": each file's contents quote the next file's header, and all share one kernel.

    Every header, size and checksum is right, so that only the shared bytes give it away; with only the first
    file `listed` it is an honest zip.
    """
    zeros = b"\0" * kernel_bytes
    header = Forged(f"f{files}", zeros, method=8)
    headers, contents, packed = [header], header.local() + header.packed, header.packed
    data = zeros
    for number in range(files - 1, 0, -1):
        quoted = headers[0].local()
        block = struct.pack("<BHH", 0, len(quoted), len(quoted) ^ 0xFFFF)
        packed, data = block + quoted + packed, quoted + data
        header = Forged(
            f"f{number}",
            method=8,
            claimed_crc=zlib.crc32(data),
            claimed_compressed_bytes=len(packed),
            claimed_bytes=len(data),
        )
        headers.insert(0, header)
        contents = header.local() + block + contents
    directory, offset = b"", 0
    for header in headers[:listed]:
        directory += header.central(offset)
        offset += len(header.local()) + 5
    return contents + directory + end(listed or files, len(directory), len(contents))


MAIN = Forged("main.py", b"print('hello')\n")
WIDE = struct.pack("<2H2Q", 1, 16, 5, 5)

REFUSED: dict[str, tuple[str, Sequence[Forged], str]] = {
    "climbs out": ("traversal", [MAIN, Forged("../evil.py")], "../evil.py"),
    "climbs out further in": ("traversal", [MAIN, Forged("a/../../evil.py")], "a/../../evil.py"),
    "dots as a folder": ("traversal", [MAIN, Forged("../", b"", mode=0o40755)], ".."),
    "absolute": ("absolute", [MAIN, Forged("/etc/cron.d/evil")], "/etc/cron.d/evil"),
    "drive letter": ("drive_letter", [MAIN, Forged("C:/evil.py")], "C:/evil.py"),
    "backslashes": ("backslash", [MAIN, Forged("..\\evil.py")], "..\\evil.py"),
    "null byte": ("control_character", [MAIN, Forged("main.py\0.txt")], "main.py\\x00.txt"),
    "newline": ("control_character", [MAIN, Forged("a\nb")], "a\\nb"),
    "terminal escape": ("control_character", [MAIN, Forged("a\x1b[2Jb")], "a\\x1b[2Jb"),
    "C1 control": ("control_character", [MAIN, Forged("a\x9b2Jb")], "a\\x9b2Jb"),
    "no name": ("not_plain", [MAIN, Forged("")], ""),
    "lone dot": ("not_plain", [MAIN, Forged("./main.py")], "./main.py"),
    "double slash": ("not_plain", [MAIN, Forged("a//b")], "a//b"),
    "latin-1 name": ("not_utf8", [MAIN, Forged(b"mod\xe8le.pt")], "mod\\xe8le.pt"),
    "long name": ("name_too_long", [MAIN, Forged("é" * 51)], "é" * 51),
    "deep": ("too_deep", [MAIN, Forged("a/b/c/d/e/f")], "a/b/c/d/e/f"),
    "link": ("special_file", [MAIN, Forged("model", b"/etc/passwd", mode=0o120777)], "model"),
    "link from a zip that says DOS": (
        "special_file",
        [MAIN, Forged("model", b"/etc/passwd", mode=0o120777, system=0)],
        "model",
    ),
    "named pipe": ("special_file", [MAIN, Forged("pipe", b"", mode=0o10644)], "pipe"),
    "device": ("special_file", [MAIN, Forged("disk", b"", mode=0o60644)], "disk"),
    "socket": ("special_file", [MAIN, Forged("s", b"", mode=0o140644)], "s"),
    "setuid": ("setuid", [MAIN, Forged("su", mode=0o104755)], "su"),
    "setgid": ("setuid", [MAIN, Forged("sg", mode=0o102755)], "sg"),
    "folder with contents": ("folder_with_contents", [MAIN, Forged("a/", b"x")], "a/"),
    "folder that isn't called one": ("folder_without_slash", [MAIN, Forged("a", b"", mode=0o40755)], "a"),
    "twice": ("duplicate", [MAIN, replace(MAIN, data=b"import os")], "main.py"),
    "case": ("case_collision", [MAIN, Forged("Main.py")], "Main.py"),
    "case of a folder": ("case_collision", [MAIN, Forged("a/x"), Forged("A/y")], "A"),
    "two ways to write é": ("case_collision", [MAIN, Forged("é"), Forged("e\u0301")], "e\u0301"),
    "sharp s": ("case_collision", [MAIN, Forged("straße"), Forged("STRASSE")], "STRASSE"),
    "closing dot": ("case_collision", [MAIN, Forged("main.py.")], "main.py."),
    "file, then folder": ("file_as_folder", [MAIN, Forged("a"), Forged("a/b")], "a/b"),
    "folder, then file": ("file_as_folder", [MAIN, Forged("a/b"), Forged("a")], "a"),
    "password": ("encrypted", [MAIN, Forged("w.pt", flags=1)], "w.pt"),
    "strong encryption": ("encrypted", [MAIN, Forged("w.pt", flags=0x41)], "w.pt"),
    "AES": ("encrypted", [MAIN, Forged("w.pt", method=99)], "w.pt"),
    "LZMA": ("compression", [MAIN, Forged("w.pt", method=14)], "w.pt"),
    "Deflate64": ("compression", [MAIN, Forged("w.pt", method=9)], "w.pt"),
    "unknown method": ("compression", [MAIN, Forged("w.pt", method=77)], "w.pt"),
    "other name in its header": ("local_header", [MAIN, Forged("a.py", local_name=b"b.py")], "a.py"),
    "other method in its header": ("local_header", [MAIN, Forged("a.py", local_method=8)], "a.py"),
    "other size in its header": ("local_header", [MAIN, Forged("a.py", local_bytes=9)], "a.py"),
    "header beyond the end": ("local_header", [MAIN, Forged("a.py", header_offset=1 << 30)], "a.py"),
    "header elsewhere": ("local_header", [MAIN, Forged("a.py", header_offset=3)], "a.py"),
    "contents beyond the end": (
        "overlap",
        [MAIN, Forged("a.py", claimed_compressed_bytes=5000, claimed_bytes=5000)],
        "a.py",
    ),
    "stored with two sizes": ("sizes", [MAIN, Forged("a.py", claimed_bytes=1000)], "a.py"),
    "data at the root": ("reserved_name", [MAIN, Forged("data/images/a.jpg")], "data"),
    "data as a file": ("reserved_name", [MAIN, Forged("data")], "data"),
    "its own submission.csv": ("reserved_name", [MAIN, Forged("submission/submission.csv")], "submission"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "run" / "code"
    made.mkdir(parents=True, mode=0o700)
    return made


def refused(zip_bytes: bytes, folder: Path, limits: ArchiveLimits = SMALL) -> BadArchive:
    """The refusal, the same whether the zip is looked at or unpacked; nothing may be written either way."""
    path = folder.parent / "submission.zip"
    path.write_bytes(zip_bytes)
    with pytest.raises(BadArchive) as looked:
        inspect_archive(path, limits)
    with pytest.raises(BadArchive) as unpacked:
        extract_archive(path, folder, limits)
    assert unpacked.value.message == looked.value.message
    assert {made.name for made in folder.parent.iterdir()} == {"submission.zip", "code"}
    assert not list(folder.iterdir())
    return looked.value


def codes(error: BadArchive) -> set[str]:
    return {problem.code for problem in error.problems}


@pytest.mark.parametrize("case", REFUSED)
def test_each_kind_of_hostile_member_is_refused_by_name(case: str, folder: Path) -> None:
    code, members, member = REFUSED[case]
    error = refused(forge(members), folder)
    assert codes(error) == {code}
    assert error.member == member
    assert member in error.message
    assert error.hint


def test_all_that_is_wrong_is_said_at_once(folder: Path) -> None:
    members = [members[-1] for code, members, _ in REFUSED.values() if code not in {"duplicate", "overlap"}]
    error = refused(forge(members), folder)
    assert codes(error) >= {
        "traversal",
        "special_file",
        "encrypted",
        "reserved_name",
        "local_header",
        "not_utf8",
    }
    assert error.problems.errors >= len(members) - 5


def test_a_terminal_escape_in_a_name_is_never_shown_raw(folder: Path) -> None:
    error = refused(forge([MAIN, Forged("\x1b]0;owned\x07/../\u202egpj.exe")]), folder)
    assert error.message.isprintable()
    assert all(str(problem).isprintable() for problem in error.problems)


def test_a_long_name_is_shown_shortened(folder: Path) -> None:
    assert len(refused(forge([MAIN, Forged("a" * 60_000)]), folder).message) < 400


@pytest.mark.parametrize("members", [101, 60_000])
def test_too_many_members_are_refused_by_their_number(members: int, folder: Path) -> None:
    error = refused(forge([Forged(f"f{i}", b"") for i in range(members)]), folder)
    assert f"{members:,} members" in error.message


def test_the_folders_on_the_way_are_counted_too(folder: Path) -> None:
    assert codes(refused(forge([Forged(f"{i}/a/b/c", b"") for i in range(30)]), folder)) == {
        "too_many_members"
    }


def test_contents_beyond_the_total_are_refused_before_anything_is_written(folder: Path) -> None:
    half = Forged("a.bin", os.urandom(600_000))
    assert codes(refused(forge([half, replace(half, name="b.bin")]), folder)) == {"too_large"}


def test_a_flat_bomb_is_refused_by_its_ratio(folder: Path) -> None:
    assert codes(refused(forge([Forged("zeros", b"\0" * 900_000, method=8)]), folder)) == {"ratio"}


def test_what_compresses_well_is_no_bomb_while_it_is_small(folder: Path) -> None:
    path = folder.parent / "submission.zip"
    path.write_bytes(forge([MAIN, Forged("zeros", b"\0" * 150_000, method=8)]))
    assert extract_archive(path, folder, SMALL).total_bytes > 150_000


def test_an_overlapping_bomb_is_refused_although_every_header_is_right(folder: Path) -> None:
    error = refused(quoted_overlap_bomb(files=15, kernel_bytes=10_000), folder)
    assert codes(error) == {"overlap"}
    assert error.problems.errors == 14
    (folder.parent / "submission.zip").write_bytes(quoted_overlap_bomb(15, 10_000, listed=1))
    extract_archive(folder.parent / "submission.zip", folder, SMALL)
    assert (folder / "f1").read_bytes().endswith(b"\0" * 10_000)


def test_a_bomb_that_hides_its_size_stops_at_the_size_it_claims(folder: Path) -> None:
    zip_bytes = forge([MAIN, Forged("w.bin", b"\0" * (64 << 20), method=8, claimed_bytes=100)])
    path = folder.parent / "submission.zip"
    path.write_bytes(zip_bytes)
    with pytest.raises(BadArchive, match="more than the 100 B that the zip claims") as error:
        extract_archive(path, folder)
    assert error.value.member == "w.bin"
    assert not list(folder.iterdir())


BROKEN_CONTENTS = {
    "checksum is wrong": Forged("w.bin", b"abc", claimed_crc=1),
    "holds only 3 B of the 4 B": Forged("w.bin", b"abc", method=8, claimed_bytes=4),
    "end too early": Forged("w.bin", b"abc" * 9, method=8, claimed_compressed_bytes=5),
    "invalid block type": Forged("w.bin", b"", method=8, claimed_bytes=9, packed_as=b"\xff" * 9),
    "belong to nothing": Forged("w.bin", b"abc", method=8, packed_as=deflated(b"abc") + b"more"),
}


@pytest.mark.parametrize("message", BROKEN_CONTENTS)
def test_wrong_contents_leave_the_folder_empty(message: str, folder: Path) -> None:
    path = folder.parent / "submission.zip"
    path.write_bytes(forge([MAIN, Forged("deep/er/a.py"), BROKEN_CONTENTS[message]]))
    inspect_archive(path)
    with pytest.raises(BadArchive, match=message) as error:
        extract_archive(path, folder)
    assert error.value.member == "w.bin"
    assert not list(folder.iterdir())


def test_a_second_name_that_other_programs_believe_is_refused(folder: Path) -> None:
    field = b"\1" + struct.pack("<L", zlib.crc32(b"a.py")) + b"../evil.py"
    member = Forged("a.py", extra=struct.pack("<2H", 0x7075, len(field)) + field)
    assert "second name, ../evil.py" in refused(forge([MAIN, member]), folder).message


def test_zip64_sizes_that_disagree_are_refused(folder: Path) -> None:
    lying = Forged("w", extra=WIDE, claimed_bytes=0xFFFFFFFF, claimed_compressed_bytes=0xFFFFFFFF)
    assert codes(refused(forge([MAIN, lying]), folder)) == {"local_header"}
    too_short = replace(lying, extra=struct.pack("<2HQ", 1, 8, 5))
    assert "zip64" in refused(forge([MAIN, too_short]), folder).message
    twice = replace(lying, extra=WIDE + WIDE)
    assert "damaged extra field" in refused(forge([MAIN, twice]), folder).message


def test_a_zip_that_two_programs_would_read_differently_is_refused(folder: Path) -> None:
    other = forge([Forged("main.py", b"import os")])
    assert "two ends" in refused(forge([MAIN], comment=other), folder).message


def test_folders_may_be_setgid_as_on_shared_disks_and_the_bit_is_dropped(folder: Path) -> None:
    path = folder.parent / "submission.zip"
    path.write_bytes(forge([MAIN, Forged("lib/", b"", mode=0o42775)]))
    extract_archive(path, folder)
    assert stat.S_IMODE((folder / "lib").stat().st_mode) == 0o755
