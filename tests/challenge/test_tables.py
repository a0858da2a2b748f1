"""Reading small text files: what people's programs write is understood, or said to be wrong at its line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.challenge.tables import Table, read_ids, read_table
from whaledo.errors import Problems

SIMPLE = "query_id,query_image_id\nq1,a\nq2,b\n"


def read(
    folder: Path, content: bytes | str, required: Sequence[str] = ("query_id", "query_image_id")
) -> tuple[Table | None, list[str]]:
    """The table, and each problem as `line code: message`."""
    path = folder / "q.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    problems = Problems()
    table = read_table(path, problems, required=required)
    assert all(problem.file == str(path) for problem in problems)
    return table, [f"{problem.line} {problem.code}: {problem.message}" for problem in problems]


def ids(folder: Path, content: bytes) -> tuple[list[tuple[int, str]] | None, list[str]]:
    path = folder / "d.txt"
    path.write_bytes(content)
    problems = Problems()
    found = read_ids(path, problems)
    return found, [f"{problem.line} {problem.code}" for problem in problems]


@pytest.mark.parametrize(
    "content",
    [
        SIMPLE.encode(),
        codecs.BOM_UTF8 + SIMPLE.encode(),
        SIMPLE.replace("\n", "\r\n").encode(),
        SIMPLE.replace("\n", "\r").encode(),
        SIMPLE.rstrip("\n").encode(),
        b'"query_id","query_image_id"\n"q1","a"\n"q2","b"\n',
        SIMPLE.encode() + b"\n\n\r\n",
    ],
    ids=["plain", "bom", "crlf", "cr", "no-last-line-end", "all-quoted", "blank-lines-at-the-end"],
)
def test_every_common_way_of_writing_a_csv_is_read(tmp_path: Path, content: bytes) -> None:
    table, problems = read(tmp_path, content)
    assert problems == []
    assert table is not None
    assert table.columns == ("query_id", "query_image_id")
    assert list(table.select("query_image_id", "query_id")) == [(2, ("a", "q1")), (3, ("b", "q2"))]


def test_ids_stay_text(tmp_path: Path) -> None:
    table, problems = read(tmp_path, "query_id,query_image_id\n001,NA\n1e3,nan\n1.0,None\n")
    assert problems == []
    assert table is not None
    assert [list(row) for row in table.rows] == [["001", "NA"], ["1e3", "nan"], ["1.0", "None"]]


def test_the_line_of_a_row_is_where_its_record_starts(tmp_path: Path) -> None:
    table, problems = read(tmp_path, 'query_id,query_image_id,note\nq1,a,"two\nlines"\nq2,,x\n')
    assert table is not None
    assert table.lines == [2, 4]
    assert problems == ["4 empty_value: query_image_id is empty"]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    # str.splitlines would also break the line at a form feed and at U+2028.
    _, problems = read(tmp_path, "query_id,query_image_id,note\nq1,a,\x0c\u2028\nq2,,x\n")
    assert problems == ["3 empty_value: query_image_id is empty"]


def test_blank_lines_between_rows_are_warned_about_and_skipped(tmp_path: Path) -> None:
    table, problems = read(tmp_path, "\nquery_id,query_image_id\n\nq1,a\n\n")
    assert table is not None
    assert table.lines == [4]
    assert problems == ["1 blank_line: an empty line, skipped", "3 blank_line: an empty line, skipped"]


class TestText:
    """What isn't UTF-8 text."""

    def test_latin_1_is_told_with_line_byte_and_likely_meaning(self, tmp_path: Path) -> None:
        table, problems = read(tmp_path, "query_id,query_image_id\nq1,a\nÉmile,b\nq3,ö\n".encode("latin-1"))
        assert problems == [
            "3 undecodable_text: byte 0xC9, number 1 of the line, isn't UTF-8; the line may mean 'Émile,b'",
            "4 undecodable_text: byte 0xF6, number 4 of the line, isn't UTF-8; the line may mean 'q3,ö'",
        ]
        assert table is not None  # so that the rest can be checked too

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
    def test_utf_16_is_one_problem_and_not_one_a_line(self, tmp_path: Path, encoding: str) -> None:
        table, problems = read(tmp_path, SIMPLE.encode(encoding))
        assert table is None
        assert len(problems) == 1
        assert problems[0].startswith("None undecodable_text: the file is UTF-16 text")

    def test_a_nul_byte_is_told_with_its_line(self, tmp_path: Path) -> None:
        _, problems = read(tmp_path, b"query_id,query_image_id\nq1,a\nq2,b\0\n")
        assert problems == ["3 nul_byte: the line holds a NUL byte, which no text has"]

    def test_other_formats_are_called_by_their_name(self, tmp_path: Path) -> None:
        workbook = io.BytesIO()
        with zipfile.ZipFile(workbook, "w") as file:
            file.writestr("xl/workbook.xml", "")
        told = {
            "an Excel workbook": workbook.getvalue(),
            "gzip": gzip.compress(SIMPLE.encode()),
            "a web page": b"\n<!DOCTYPE html>\n<html>Please log in</html>",
            "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        }
        for name, content in told.items():
            table, problems = read(tmp_path, content)
            assert table is None
            assert len(problems) == 1
            assert problems[0].startswith("None other_format: ")
            assert name in problems[0]

    def test_an_empty_file_is_told_what_it_starts_with(self, tmp_path: Path) -> None:
        problems = Problems()
        for content in (b"", codecs.BOM_UTF8, b"\r\n\r\n"):
            (tmp_path / "q.csv").write_bytes(content)
            assert read_table(tmp_path / "q.csv", problems, required=["query_id", "query_image_id"]) is None
        assert [problem.code for problem in problems] == ["empty_file"] * 3
        assert {problem.hint for problem in problems} == {"it starts with: query_id,query_image_id"}

    def test_a_file_that_is_missing_or_a_folder_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "folder.csv").mkdir()
        problems = Problems()
        assert read_table(tmp_path / "folder.csv", problems, required=["a"]) is None
        assert read_table(tmp_path / "nothing.csv", problems, required=["a"]) is None
        assert [problem.code for problem in problems] == ["unreadable_file", "missing_file"]
        assert [problem.hint for problem in problems][1] == f"{tmp_path} holds 'folder.csv'"


class TestColumns:
    """What is wrong with the first line."""

    def test_a_file_of_3_gb_is_refused_before_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "metadata.csv"
        with path.open("wb") as file:
            file.truncate(3 * 1024**3)
        problems = Problems()

        assert read_table(path, problems, required=("image_id",)) is None
        (problem,) = problems
        assert "3,221,225,472 bytes, and at most 64 MiB are read" in problem.message

    @pytest.mark.parametrize("separator", [";", "\t", "|"])
    def test_another_separator_is_recognised(self, tmp_path: Path, separator: str) -> None:
        table, problems = read(tmp_path, SIMPLE.replace(",", separator))
        assert table is None
        assert problems == [f"1 missing_column: the columns are separated by {separator!r}, not by ','"]
        reversed_columns = f"image{separator}query_image_id{separator}query_id\n"
        assert read(tmp_path, reversed_columns)[1] == problems

    def test_a_misspelt_column_is_told_with_what_was_meant(self, tmp_path: Path) -> None:
        (tmp_path / "q.csv").write_text("Query_ID,image\nq1,a\n")
        problems = Problems()
        assert read_table(tmp_path / "q.csv", problems, required=["query_id", "query_image_id"]) is None
        assert [(problem.message, problem.hint) for problem in problems] == [
            (
                "column 'query_id' is missing; there is 'Query_ID', 'image'",
                "rename 'Query_ID' to 'query_id'",
            ),
            (
                "column 'query_image_id' is missing; there is 'Query_ID', 'image'",
                "the first line must be: query_id,query_image_id",
            ),
        ]

    def test_a_repeated_column_is_told_with_its_places(self, tmp_path: Path) -> None:
        table, problems = read(tmp_path, "query_id,query_image_id,query_id\nq1,a,q1\n")
        assert table is None
        assert problems == ["1 repeated_column: column 'query_id' stands 2 times: columns 1, 3"]

    def test_rows_are_checked_although_a_column_is_missing(self, tmp_path: Path) -> None:
        _, problems = read(tmp_path, "query_id,image\nq1,a\nq2\n")
        assert [problem.split(":")[0] for problem in problems] == ["1 missing_column", "3 ragged_row"]


class TestRows:
    """What is wrong with a row."""

    def test_too_few_and_too_many_values_are_told_and_the_id_is_kept(self, tmp_path: Path) -> None:
        table, problems = read(tmp_path, "query_id,query_image_id\nq1\nq2,b,c\n")
        assert problems == [
            "2 ragged_row: the row has 1 value where there are 2 columns: 'q1'",
            "3 ragged_row: the row has 3 values where there are 2 columns: 'q2', 'b', 'c'",
        ]
        assert table is not None
        assert [list(row) for row in table.rows] == [["q1", ""], ["q2", "b"]]

    def test_blanks_and_invisible_characters_in_ids_are_errors_that_show_them(self, tmp_path: Path) -> None:
        table, problems = read(tmp_path, "query_id,query_image_id\n q1,a\xa0\nq\u200b2,b\n  ,c\n")
        assert problems == [
            "2 blanks_around: query_id has blanks around it: ' q1'",
            "2 blanks_around: query_image_id has blanks around it: 'a\\xa0'",
            "3 unprintable_character: query_id holds the invisible character U+200B: 'q\\u200b2'",
            "4 empty_value: query_id is empty",
        ]
        assert table is not None
        assert list(table.rows[0]) == ["q1", "a"]  # so that the blank isn't told again as an unknown id

    def test_a_quote_that_is_never_closed_is_told_where_it_opens(self, tmp_path: Path) -> None:
        _, problems = read(tmp_path, 'query_id,query_image_id\nq1,a\n"q2,b\nq3,c\n')
        assert problems == ["3 broken_quotes: a quote is opened in this row and never closed"]

    def test_a_quote_that_swallows_a_long_file_is_one_problem(self, tmp_path: Path) -> None:
        _, problems = read(tmp_path, 'query_id,query_image_id\n"q1,a\n' + "q,b\n" * 50_000 + '"q","b"\n')
        assert problems == ["2 broken_quotes: a quote is opened in this row and never closed"]

    def test_text_behind_a_quote_is_told_and_reading_goes_on(self, tmp_path: Path) -> None:
        table, problems = read(tmp_path, 'query_id,query_image_id\n"q"1,a\nq2,\n')
        assert problems == [
            "2 broken_quotes: text stands right after a closing quote",
            "3 empty_value: query_image_id is empty",
        ]
        assert table is not None

    def test_a_column_that_may_be_empty_must_be_clean_where_it_isnt(self, tmp_path: Path) -> None:
        (tmp_path / "m.csv").write_text("image_id,whale_id\na,\nb,  \nc,ada \n")
        problems = Problems()
        table = read_table(
            tmp_path / "m.csv", problems, required=["image_id"], may_be_empty=["whale_id", "identity"]
        )
        assert table is not None
        assert [row[1] for row in table.rows] == ["", "", "ada"]
        assert [(problem.line, problem.code) for problem in problems] == [(4, "blanks_around")]


def test_a_list_of_ids_is_read_with_its_lines(tmp_path: Path) -> None:
    assert ids(tmp_path, b"001\nNA\nb") == ([(1, "001"), (2, "NA"), (3, "b")], [])
    assert ids(tmp_path, codecs.BOM_UTF8 + b"a\r\nb\r\n\r\n") == ([(1, "a"), (2, "b")], [])
    assert ids(tmp_path, b"a\n\n b\n   \n") == (
        [(1, "a"), (3, "b")],
        ["2 blank_line", "3 blanks_around", "4 empty_value"],
    )
    assert ids(tmp_path, b"") == ([], [])


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), max_size=8))
def test_what_a_csv_writer_wrote_is_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b", "c"], *rows])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(text.getvalue().encode())
    problems = Problems()
    table = read_table(path, problems, required=[])
    assert not problems
    assert table is not None
    assert [list(row) for row in table.rows] == rows


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.text(st.sampled_from('ab,;"\n\r\t \0é\ufeff'), max_size=60).map(str.encode),
        st.binary(max_size=40).map(lambda tail: b"a,b\nx,y\n" + tail),
    )
)
def test_no_bytes_at_all_make_a_reader_raise(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    for required in (["a"], ["a", "b"]):
        problems = Problems()
        table = read_table(path, problems, required=required)
        assert table is not None or problems.errors
        if table is not None and not problems.errors:
            assert all(value.strip() for _, values in table.select(*required) for value in values)
    read_ids(path, Problems())
