"""The right answers: read from a file or from identities, and what is said where they can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from whaledo.challenge.load import load_challenge
from whaledo.challenge.truth import Labels, check_labels, is_metadata, labels_of, read_labels
from whaledo.errors import BadData

HEADER = "query_id,database_image_id"


def pairs(labels: Labels) -> list[tuple[str, str]]:
    return list(zip(labels.queries.texts(), labels.images.texts(), strict=True))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def problems_of(path: Path) -> list[tuple[str, int | None]]:
    with pytest.raises(BadData, match=r"labels\.csv") as caught:
        read_labels(path)
    return sorted((problem.code, problem.line or 0) for problem in caught.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n001,NA\nq2,b\n",
        f"\ufeff{HEADER}\r\n001,NA\r\n\r\nq2,b",
        "database_image_id,score,query_id\nNA,1,001\nb,0,q2\n",
        'query_id,"database_image_id",x,x\n"001",NA,,\nq2,b,"1\n2",3\n',
    ],
    ids=["plain", "bom and crlf", "further columns", "quotes"],
)
def test_labels_are_read_as_text_and_further_columns_ignored(labels: Path, text: str) -> None:
    labels.write_text(text, newline="")

    assert pairs(read_labels(labels)) == [("001", "NA"), ("q2", "b")]


def test_every_problem_of_the_rows_is_told_at_once(labels: Path) -> None:
    labels.write_bytes(f"{HEADER}\nq1,a\nq1,\n,a\nq1,a\nq1,a,b\nq1,\0c\n".encode() + b"q1,\xff\n")

    assert problems_of(labels) == [
        ("empty_value", 3),
        ("empty_value", 4),
        ("nul_byte", 7),
        ("ragged_row", 6),
        ("repeated_label", 5),
        ("undecodable_text", 8),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("query,image\nq1,a\n", [("missing_column", 1), ("missing_column", 1)]),
        ("query_id,query_id\nq1,a\n", [("missing_column", 1), ("repeated_column", 1)]),
        ("", [("empty_file", 0)]),
    ],
)
def test_wrong_columns_are_told(labels: Path, text: str, found: list[tuple[str, int]]) -> None:
    labels.write_text(text)

    assert problems_of(labels) == found


def test_labels_without_any_query_are_refused(labels: Path) -> None:
    labels.write_text(f"{HEADER}\n")

    with pytest.raises(BadData, match="name no query"):
        read_labels(labels)


def test_labels_of_3_gb_are_refused_before_they_are_read(labels: Path) -> None:
    with labels.open("wb") as file:
        file.truncate(3 * 1024**3)

    with pytest.raises(BadData) as raised:
        read_labels(labels)
    (problem,) = raised.value.problems
    assert problem.code == "file_too_large"
    assert "3,221,225,472 bytes, and at most 256 MiB" in problem.message


def test_labels_follow_from_the_identities(data: Path) -> None:
    assert pairs(labels_of(load_challenge(data))) == [("one-a1", "a2"), ("two-b1", "b2"), ("two-a2", "a1")]


def test_a_challenge_in_which_nothing_matches_is_refused(data_a: Path) -> None:
    for name in ("one", "two"):
        (data_a / "databases" / f"{name}.txt").write_text("001\nNA\n")

    with pytest.raises(BadData, match="nothing to score"):
        labels_of(load_challenge(data_a))


def test_labels_of_another_challenge_are_refused_with_every_misfit(data_a: Path, labels: Path) -> None:
    challenge = load_challenge(data_a)
    labels.write_text(f"{HEADER}\none-a1,a2\none-a1,b1\nelse,a2\n")

    with pytest.raises(BadData, match="don't fit") as caught:
        check_labels(read_labels(labels), challenge)
    assert [problem.code for problem in caught.value.problems] == ["unknown_query", "not_in_database"]
    check_labels(labels_of(challenge), challenge)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("image_id,path,whale_id", True),
        ('\ufeff"image_id","path"', True),
        (HEADER, False),
        ("query_id,image_id", False),
        ("", False),
    ],
)
def test_a_metadata_file_is_told_from_labels_by_its_columns(
    tmp_path: Path, header: str, expected: bool
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{header}\r\n1,2,3\r\n", newline="")

    assert is_metadata(path) is expected
    assert not is_metadata(tmp_path / "missing.csv")


def test_the_real_labels_follow_from_the_real_identities(beluga: Path) -> None:
    assert sorted(pairs(labels_of(load_challenge(beluga)))) == sorted(
        pairs(read_labels(beluga / "labels.csv"))
    )
