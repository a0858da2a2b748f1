"""The bytes of the zip itself: the same everywhere, and read the same by every program."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from whaledo.archive import Member, inspect_archive
from whaledo.submission import zip_writer
from whaledo.submission.folder import Source
from whaledo.submission.zip_writer import is_worth_deflating, write_zip

CONTENTS = {
    "lib/été.py": b"",
    "main.py": b"print('hello')\n" * 100,
    "w.bin": hashlib.shake_128(b"weights").digest(100_000),
}


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    made = [Source(Member("empty", 0, is_folder=True), None)]
    for number, (name, data) in enumerate(CONTENTS.items()):
        path = tmp_path / f"{number}"
        path.write_bytes(data)
        made.append(Source(Member(name, len(data), executable=name == "main.py"), path))
    return made


def zipped(sources: list[Source], *, store: bool = False) -> bytes:
    file = io.BytesIO()
    write_zip(file, sources, store=store, on_bytes=lambda count: None)
    return file.getvalue()


def test_a_stored_zip_is_these_bytes_on_every_machine(sources: list[Source]) -> None:
    """The digest was worked out once; it may never change, or what people compare by it breaks."""
    digest = hashlib.sha256(zipped(sources, store=True)).hexdigest()
    assert digest == "7714ea8c66665bcdeb720cd374905ebb5d5980a40a70161a49a0d28bc60b14c1"


def test_what_compresses_is_deflated_and_the_rest_is_stored(sources: list[Source]) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(sources))) as archive:
        methods = {info.filename: info.compress_type for info in archive.infolist()}
        assert {name: archive.read(name) for name in CONTENTS} == CONTENTS
    deflated = {name for name, method in methods.items() if method == zipfile.ZIP_DEFLATED}
    assert deflated == {"main.py"}


def test_with_store_nothing_is_deflated(sources: list[Source]) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(sources, store=True))) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.testzip() is None


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs Info-ZIP's unzip")
def test_unzip_finds_nothing_to_complain_about(sources: list[Source], tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(zipped(sources))
    result = subprocess.run(["unzip", "-tq", tmp_path / "s.zip"], check=False, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("too_big", [0, 50, 50_000])
def test_zip64_records_are_written_where_they_are_needed(
    too_big: int, sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert b"PK\x06\x06" not in zipped(sources)
    monkeypatch.setattr(zip_writer, "ZIP64_FROM", too_big)
    (tmp_path / "s.zip").write_bytes(zipped(sources))
    assert b"PK\x06\x06" in (tmp_path / "s.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in CONTENTS} == CONTENTS
    assert inspect_archive(tmp_path / "s.zip").files == 3


def test_samples_are_taken_from_all_over_a_file() -> None:
    random = os.urandom(1 << 20)
    assert not is_worth_deflating(io.BytesIO(random), len(random))
    late = random + b"text " * 800_000
    assert is_worth_deflating(io.BytesIO(late), len(late))
    assert not is_worth_deflating(io.BytesIO(b""), 0)


def test_weights_of_any_kind_are_stored_and_tables_deflated() -> None:
    numpy = pytest.importorskip("numpy")
    weights = numpy.random.default_rng(0).standard_normal(500_000).astype("float32")
    bfloat16 = (weights.view("uint32") >> 16).astype("uint16")
    table = "".join(f"beluga{i:04},{i * 37 % 991}\n" for i in range(50_000)).encode()
    for data in (weights.tobytes(), weights.astype("float16").tobytes(), bfloat16.tobytes()):
        assert not is_worth_deflating(io.BytesIO(data), len(data))
    assert is_worth_deflating(io.BytesIO(table), len(table))
