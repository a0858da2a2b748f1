"""Whatever a folder holds: it is refused, or what comes out of the zip is what went in."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.archive import extract_archive
from whaledo.errors import BadSubmission
from whaledo.submission.pack import pack

PARTS = st.one_of(
    st.sampled_from(
        [
            "main.py",
            "a",
            "A",
            "é",
            "e\u0301",
            "data",
            "lib",
            ".git",
            "__MACOSX",
            ".DS_Store",
            "w.pt",
            "a.",
            " ",
        ]
    ),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
).filter(lambda part: part not in {".", ".."} and len(part.encode()) < 200)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
FOLDERS = st.dictionaries(PATHS, st.one_of(st.none(), st.binary(max_size=60)), max_size=6)


def create(folder: Path, entries: dict[str, bytes | None]) -> None:
    """Make what can be made; None is a folder."""
    for name, data in {"main.py": b"print()", **entries}.items():
        path = folder / name
        try:
            (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)
        except OSError:
            continue


def is_among(name: str, left_out: list[str]) -> bool:
    return any(name == left or (left.endswith("/") and name.startswith(left)) for left in left_out)


@settings(deadline=None)
@given(FOLDERS, st.booleans())
def test_a_folder_is_refused_or_comes_out_as_it_went_in(
    entries: dict[str, bytes | None], store: bool
) -> None:
    with tempfile.TemporaryDirectory() as around:
        source, out, zip_path = Path(around) / "in", Path(around) / "out", Path(around) / "s.zip"
        source.mkdir()
        out.mkdir(mode=0o700)
        create(source, entries)
        try:
            packed = pack(source, zip_path, store=store)
        except BadSubmission:
            assert not zip_path.exists()
            return
        extract_archive(zip_path, out)
        came_out = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
        left_out = [left.name for left in packed.left_out]
        files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
        went_in = {name: path for name, path in files.items() if not is_among(name, left_out)}
        assert came_out.keys() == went_in.keys() == {file.name for file in packed.files}
        assert all(path.read_bytes() == went_in[name].read_bytes() for name, path in came_out.items())
        assert sorted(os.fsencode(name) for name in came_out) == [os.fsencode(f.name) for f in packed.files]
