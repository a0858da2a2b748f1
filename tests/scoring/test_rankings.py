"""Reading a submission.csv: what is read, and what is said of a file that can't be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whaledo.challenge import columns, sheet
from whaledo.errors import SHOWN_PER_CODE, Problems
from whaledo.scoring.rankings import FILE_PROBLEMS, HEADER, Rankings, read_rankings

Write = Callable[..., Path]


def read(path: Path) -> tuple[Rankings | None, Problems]:
    problems = Problems()
    return read_rankings(path, problems), problems


def rows(rankings: Rankings | None) -> list[tuple[str, str, float]]:
    assert rankings is not None
    return list(zip(rankings.queries.texts(), rankings.images.texts(), rankings.scores.tolist(), strict=True))


def only(problems: Problems) -> tuple[str, int | None, str, str]:
    """The one problem: its code, line, message and hint."""
    (problem,) = problems
    assert problem.code in FILE_PROBLEMS
    return problem.code, problem.line, problem.message, problem.hint


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\nq1,a,0.5\nq2,b,1\n",
        f"{HEADER}\r\nq1,a,0.5\r\nq2,b,1\r\n",
        f"{HEADER}\rq1,a,0.5\rq2,b,1",
        f"\ufeff{HEADER}\nq1,a,0.5\nq2,b,1",
        f"\n{HEADER}\n\nq1,a,0.5\n\n\nq2,b,1\n\n",
        '"query_id","database_image_id","score"\n"q1","a","0.5"\n"q2","b","1"\n',
        f"{HEADER}\nq1,a, 5e-1\nq2,b,+1.\t\n",
        "database_image_id,query_id,score\na,q1,.5\nb,q2,1\n",
    ],
    ids=["lf", "crlf", "cr", "bom", "blank lines", "quotes", "numbers", "query_id elsewhere"],
)
def test_one_file_written_in_many_ways_is_read_as_the_same_rows(write: Write, text: str) -> None:
    rankings, problems = read(write(text))

    assert not problems
    assert rows(rankings) == [("q1", "a", 0.5), ("q2", "b", 1.0)]


def test_ids_stay_text(write: Write) -> None:
    rankings, problems = read(write(f'{HEADER}\n001,NA,0\n1.0,True,0\n,"",0\nnan, x ,0\n"a,""b""\n",é,0\n'))

    assert {problem.code for problem in problems} == {"blank_id"}
    assert [row[:2] for row in rows(rankings)] == [
        ("001", "NA"),
        ("1.0", "True"),
        ("nan", " x "),
        ('a,"b"\n', "é"),
    ]


@settings(deadline=None)
@given(value=st.floats(0, 1) | st.sampled_from([5e-324, 2.2250738585072011e-308, 0.1 + 0.2]))
def test_a_score_is_the_double_nearest_to_its_text(
    tmp_path_factory: pytest.TempPathFactory, value: float
) -> None:
    path = tmp_path_factory.mktemp("scores") / "submission.csv"
    texts = [repr(value), f"{value:.25f}", f"{value:.3e}"]
    path.write_text("\n".join([HEADER, *(f"q,{n},{text}" for n, text in enumerate(texts)), "q,9,no number"]))
    slowly, _ = read(path)
    path.write_text("\n".join([HEADER, *(f"q,{n},{text}" for n, text in enumerate(texts))]))
    quickly, _ = read(path)

    assert [row[2] for row in rows(quickly)] == list(map(float, texts))
    assert [row[2] for row in rows(slowly)][:-1] == list(map(float, texts))


@pytest.mark.parametrize(
    ("text", "code", "said", "hint"),
    [
        ("95%", "not_a_number", "'95%' is a percentage", "write 0.95 for 95%"),
        ("", "not_a_number", "the score is empty", "every row needs one"),
        ("True", "not_a_number", "'True' isn't a number", "write 1 and 0"),
        ('"0,5"', "not_a_number", "'0,5' has a decimal comma", "write a point"),
        ("nan", "not_a_number", "'nan' isn't a finite number", "divided by zero"),
        ("-inf", "not_a_number", "'-inf' isn't a finite number", "divided by zero"),
        ("1e999", "not_a_number", "'inf' isn't a finite number", "divided by zero"),
        ("0x1p-1", "not_a_number", "'0x1p-1' isn't a number", "a decimal number"),
        ("1_0", "not_a_number", "'1_0' isn't a number", "a decimal number"),
        ("\u0660.\u0665", "not_a_number", "'\u0660.\u0665' isn't a number", "a decimal number"),
        ("9" * 10_000 + "x", "not_a_number", "…' isn't a number", "a decimal number"),
        ("1.0000000000000002", "out_of_range", "1.0000000000000002 isn't between 0 and 1", "clip the scores"),
        ("-1e-9", "out_of_range", "-1e-09 isn't between 0 and 1", "clip the scores"),
        ("-0.25", "out_of_range", "-0.25 isn't between 0 and 1", "cosine similarities?"),
        ("73.5", "out_of_range", "73.5 isn't between 0 and 1", "percentages?"),
        ("-512", "out_of_range", "-512.0 isn't between 0 and 1", "keeps their order"),
    ],
)
def test_a_score_that_is_none_is_refused_with_its_line_and_the_likely_fix(
    write: Write, text: str, code: str, said: str, hint: str
) -> None:
    _, problems = read(write(f"{HEADER}\nq1,a,0.5\n\nq1,b,{text}\nq1,c,0.25\n"))

    found = only(problems)
    assert found[:2] == (code, 4)
    assert said in found[2]
    assert hint in found[3]
    assert len(found[2]) < 200


@pytest.mark.parametrize(
    ("header", "code", "hint"),
    [
        ("query_id,score,database_image_id", "wrong_columns", "another order"),
        ("query_id, database_image_id, score", "wrong_columns", "blanks around"),
        ("Query_ID,database_image_id,score", "wrong_columns", "rename 'Query_ID' to 'query_id'"),
        (",query_id,database_image_id,score", "wrong_columns", "index=False"),
        ("query_id,database_image_id", "wrong_columns", "'score' is missing"),
        ("query_id,database_image_id,score,rank", "wrong_columns", "leave out 'rank'"),
        ("query_id,database_image_id,score,score", "wrong_columns", "the first line must be"),
        ("query_id,image,confidence", "wrong_columns", "the first line must be"),
        ("query_id\tdatabase_image_id\tscore", "other_separator", "commas"),
        ("query_id;database_image_id;score", "other_separator", "commas"),
        ("q1,a,0.5", "no_header", HEADER),
        ("a" * 10_000, "wrong_columns", "the first line must be"),
        (",".join(map(str, range(1000))), "wrong_columns", "the first line must be"),
        (",".join(map(str, range(100_000))), "row_too_long", "the names of the columns"),
        ('"query_id,database_image_id,score', "wrong_columns", "the first line must be"),
    ],
)
def test_a_wrong_first_line_is_told_with_the_likely_fix(
    write: Write, header: str, code: str, hint: str
) -> None:
    rankings, problems = read(write(f"{header}\nq1,a,0.5\n"))

    assert rankings is None
    found = only(problems)
    assert found[:2] == (code, 1)
    assert hint in found[3]
    assert len(found[2]) < 1000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\r\n\n", "empty_file"),
        (f"{HEADER}\n".encode(), "no_rows"),
        (f"{HEADER}\n\n".encode(), "no_rows"),
        (f"{HEADER}\nq1,a,0.5\n".encode("utf-16"), "undecodable_text"),
        (f"{HEADER}\nq1,a,0.5\n".encode("utf-16-le"), "undecodable_text"),
        (b"PK\x03\x04 and so on", "other_format"),
        (b"<!DOCTYPE html><html>", "other_format"),
    ],
)
def test_a_file_that_holds_no_rows_is_told_for_what_it_is(write: Write, content: bytes, code: str) -> None:
    assert only(read(write(content))[1])[0] == code


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert only(read(tmp_path / "nothing.csv")[1])[0] == "missing_file"
    assert only(read(tmp_path)[1])[0] == "unreadable_file"


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)

    code, _, said, _ = only(read(path)[1])
    assert code == "file_too_large"
    assert "3,221,225,472 bytes, and at most 256 MiB" in said


def test_a_file_with_too_many_lines_is_refused_before_it_is_parsed(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "MAX_LINES", 100)
    monkeypatch.setattr(columns, "_parse", None)

    code, _, said, _ = only(read(write(HEADER + "\nq1,a,0.5" * 101))[1])
    assert code == "file_too_large"
    assert "101 lines, and at most 100" in said


def test_every_problem_is_told_at_once_with_its_line(write: Write) -> None:
    text = f"{HEADER}\nq1,a\n\nq1,b,0.5,7\nq1,,0.5\n,b,0.5\nq1,c,x\nq1,d,2\n{HEADER}\nq1,\0e,0.5\nq1,f,0.5\n"
    rankings, problems = read(write(text.encode() + b"q1,\xe9,0.5\n"))

    assert sorted((problem.code, problem.line) for problem in problems) == [
        ("blank_id", 5),
        ("blank_id", 6),
        ("not_a_number", 7),
        ("nul_byte", 10),
        ("out_of_range", 8),
        ("ragged_row", 2),
        ("ragged_row", 4),
        ("repeated_header", 9),
        ("undecodable_text", 12),
    ]
    assert rankings is not None
    assert rankings.images.texts() == ["c", "d", "e", "f", "\ufffd"]


def test_lines_are_right_beyond_quoted_line_ends_and_skipped_rows(write: Write) -> None:
    text = f'{HEADER}\n"q\n1",a,0.5\n\nq1,"b""\r\n\n",0.5\nq1,short\nq1,c,2\n"q1",d,0.5\nq1,"x"y,3\n'
    _, problems = read(write(text))

    assert [(problem.code, problem.line) for problem in problems] == [
        ("ragged_row", 8),
        ("out_of_range", 9),
        ("out_of_range", 11),
    ]


def test_a_quote_that_is_never_closed_is_told_where_it_is_opened(write: Write) -> None:
    short = write(f'{HEADER}\nq1,a,0.5\nq1,"b,0.5\nq1,c,0.5\n')
    long = write(f'{HEADER}\nq1,a,0.5\nq1,"b,0.5\n' + "q1,c,0.5\n" * 1_000_000, "long.csv")

    for path, code in ((short, "ragged_row"), (long, "row_too_long")):
        found = only(read(path)[1])
        assert found[:2] == (code, 3)
        assert "never closed" in found[3]


def test_a_row_longer_than_any_row_can_be_is_told_where_it_is(write: Write) -> None:
    _, problems = read(write(f"{HEADER}\nq1,a,0.5\nq1,{'b' * 9_000_000},0.5\n" + "q1,c,0.5\n" * 3))

    assert only(problems)[:2] == ("row_too_long", 3)


def test_of_a_million_problems_the_first_are_told_and_all_are_counted(write: Write) -> None:
    number = 100_000
    _, problems = read(write(HEADER + "\nq1,a,2\nq1,,x\nq1,b" * number))

    shown = {code: len(kind.shown) for (_, code), kind in problems.kinds.items()}
    assert shown == dict.fromkeys(("out_of_range", "blank_id", "ragged_row"), SHOWN_PER_CODE)
    assert {kind.total for kind in problems.kinds.values()} == {number}
    assert [problem.line for problem in problems if problem.code == "out_of_range"][:3] == [2, 5, 8]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["q1", "0.5", '"', '""', "\r", "\n", ",", HEADER, "nan", " ", "\x00", "é"]
)


@settings(deadline=None)
@given(parts=st.lists(TEXTS, max_size=40), header=st.booleans(), rest=st.binary(max_size=20))
def test_no_file_whatsoever_makes_the_reader_fail(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], header: bool, rest: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "submission.csv"
    path.write_bytes((f"{HEADER}\n" * header + "".join(parts)).encode() + rest)

    rankings, problems = read(path)

    assert {problem.code for problem in problems} <= FILE_PROBLEMS.keys()
    assert rankings is not None or problems.errors
    if rankings is not None and not problems.errors:
        assert all(0 <= score <= 1 for score in rankings.scores)
        assert "" not in rankings.queries.texts() + rankings.images.texts()
