"""Ids that are nearly known are told with what sets them apart; others aren't."""

from __future__ import annotations

import pytest

from whaledo.scoring.lookalike import lookalikes


@pytest.mark.parametrize(
    ("name", "known", "difference"),
    [
        (" a", "a", "blanks"),
        ("a\t", "a", "blanks"),
        ("Train01", "train01", "capital letters"),
        ("e\u0301", "\u00e9", "Unicode form"),
        ("a\u200b", "a", "invisible character"),
        ("\ufeffa", "a", "invisible character"),
        ("12.0", "12", "decimal number"),
        ("1", "001", "zeros lost"),
        ("images/a.JPG", "a", "file's name"),
        ("C:\\data\\a", "a", "file's name"),
        (" IMAGES/A.jpg", "a", "otherwise"),
    ],
)
def test_the_difference_is_named(name: str, known: str, difference: str) -> None:
    (said,) = lookalikes([name], [known, "other"]).values()

    assert said.startswith(f"{known!r} is meant? ")
    assert difference in said


@pytest.mark.parametrize(
    ("name", "known"), [("a", "b"), ("left.a", "left.b"), ("1.5", "1"), ("10", "1"), ("train", "train01")]
)
def test_different_ids_are_left_apart(name: str, known: str) -> None:
    assert lookalikes([name], [known]) == {}


def test_a_long_id_is_cut() -> None:
    (said,) = lookalikes(["a" * 10_000 + " "], ["a" * 10_000]).values()

    assert len(said) < 200
