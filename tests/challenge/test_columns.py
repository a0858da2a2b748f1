"""Columns of ids: coded, joined, and found again on their lines."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whaledo.challenge.columns import Pairs, find, ids_of, read_columns
from whaledo.challenge.sheet import open_sheet
from whaledo.errors import Problems

IDS = st.lists(st.text(st.characters(codec="utf-8"), max_size=3), max_size=30)


@settings(deadline=None)
@given(names=IDS)
def test_ids_are_coded_by_first_appearance(names: list[str]) -> None:
    ids = ids_of(names)

    assert ids.texts() == names
    assert ids.distinct() == list(dict.fromkeys(names))


@settings(deadline=None)
@given(names=IDS, among=IDS)
def test_each_name_is_found_where_it_stands(names: list[str], among: list[str]) -> None:
    names, among = list(dict.fromkeys(names)), list(dict.fromkeys(among))

    places = find(ids_of(names).names, ids_of(among).names)
    assert places.tolist() == [among.index(name) if name in among else -1 for name in names]


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=30))
def test_repeated_pairs_are_found_with_their_first_row(pairs: list[tuple[str, str]]) -> None:
    first, second = (ids_of([pair[place] for pair in pairs]) for place in (0, 1))
    repeated = [row for row, pair in enumerate(pairs) if pair in pairs[:row]]

    rows, firsts = Pairs.of(first, second).repeated()
    assert rows.tolist() == repeated
    assert firsts.tolist() == [pairs.index(pairs[row]) for row in repeated]


VALUES = ["a", "é", "b c", 'q"q', "x,y", "l\nl", "r\rr", "w\r\nw", ""]
ROWS = st.lists(st.lists(st.sampled_from(VALUES), max_size=4).filter(lambda row: row != [""]), max_size=25)


def quote(value: str, always: bool) -> str:
    return '"' + value.replace('"', '""') + '"' if always or set(value) & set('",\r\n') else value


@settings(deadline=None)
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n", "\r"]), always=st.booleans(), final=st.booleans())
@example(rows=[[], [], ["a", "a"], ["b"], [], ["a", "a"]], end="\r\n", always=False, final=True)
def test_the_line_of_every_row_is_the_physical_one(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], end: str, always: bool, final: bool
) -> None:
    text, expected = f"one,two{end}", []
    for row in rows:
        if len(row) == 2:
            expected.append((len(io.StringIO(text, newline="").readlines()) + 1, row))
        text += ",".join(quote(value, always) for value in row) + end
    path = tmp_path_factory.mktemp("lines") / "t.csv"
    path.write_text(text if final else text.removesuffix(end), newline="")

    sheet = open_sheet(path, Problems())
    assert sheet is not None
    columns = read_columns(sheet, Problems(), ids=("one", "two"))
    assert columns is not None
    found = zip(columns.ids["one"].texts(), columns.ids["two"].texts(), strict=True)
    assert [(columns.lines.of(row), list(pair)) for row, pair in enumerate(found)] == expected


def test_further_columns_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,one,x,,two\n1,a,2,3,b\n")
    sheet = open_sheet(path, Problems())

    assert sheet is not None
    columns = read_columns(sheet, Problems(), ids=("two",))
    assert columns is not None
    assert {name: ids.texts() for name, ids in columns.ids.items()} == {"two": ["b"]}


def test_rows_keep_their_order_over_many_blocks(tmp_path: Path) -> None:
    path, number = tmp_path / "t.csv", 400_000
    path.write_text("id,value\n" + "".join(f"image{row:020d},{row}\n" for row in range(number)))
    sheet = open_sheet(path, Problems())

    assert sheet is not None
    columns = read_columns(sheet, Problems(), ids=("id",), number="value")
    assert columns is not None
    assert (columns.number == np.arange(number)).all()
    assert columns.ids["id"].text(number - 1) == f"image{number - 1:020d}"


def test_a_good_file_is_read_without_importing_pandas_or_pyarrow_compute(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,value\na,1\nb,0.5\n")
    code = (
        "import sys; from pathlib import Path; from whaledo.challenge.columns import *;"
        "from whaledo.challenge.sheet import *; from whaledo.errors import Problems;"
        f"sheet = open_sheet(Path({str(path)!r}), Problems());"
        "read_columns(sheet, Problems(), ids=('id',), number='value').ids['id'].rows_of('a');"
        "print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "pyarrow.csv" in loaded
    assert {"pandas", "pyarrow.compute", "numpy.ma"}.isdisjoint(loaded)


@pytest.mark.parametrize("content", [b"id\n" + b"a\n" * 500_000, b"id\n" + b"\0abcdef\n" * 200_000])
def test_the_bytes_that_pyarrows_threads_read_are_its_own(tmp_path: Path, content: bytes) -> None:
    # A thread that lets go of Python's memory while the interpreter ends aborts the process.
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    sheet = open_sheet(path, Problems())

    assert sheet is not None
    assert pa.total_allocated_bytes() >= len(sheet.lines.data) >= 1_000_000


def test_numbers_among_text_are_read_without_importing_pandas(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,value\na,high\nb,+0.5\n")
    code = (
        "import sys; from pathlib import Path; from whaledo.challenge.columns import *;"
        "from whaledo.challenge.sheet import *; from whaledo.errors import Problems;"
        f"sheet = open_sheet(Path({str(path)!r}), Problems());"
        "print(read_columns(sheet, Problems(), ids=('id',), number='value').number, 'pandas' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said == "[nan 0.5] False\n"
