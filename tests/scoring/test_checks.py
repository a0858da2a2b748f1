"""What refuses the answers of a submission.csv, what is only odd, and what is said of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from whaledo.challenge.model import Challenge
from whaledo.challenge.truth import Labels, labels_of
from whaledo.errors import SHOWN_PER_CODE, Problem, Problems, Severity
from whaledo.scoring.checks import ANSWER_PROBLEMS, ANSWER_WARNINGS, check_answers, check_scored
from whaledo.scoring.join import join
from whaledo.scoring.rankings import Rankings

Make = Callable[[Iterable[tuple[str, str, float]]], Rankings]
MakeLabels = Callable[[Iterable[tuple[str, str]]], Labels]

FINE = [("one-a1", "a2", 0.5), ("one-a1", "b1", 0.4), ("one-z1", "a1", 0.3), ("two-b1", "b2", 1.0)]
FINE += [("two-a2", "a4", 0.5)]


def check(
    rankings: Rankings, challenge: Challenge | None = None, labels: Labels | None = None, limit: int = 20
) -> Problems:
    if labels is not None:
        joined = join(rankings, labels)
        problems = check_scored(rankings, labels, joined, rows_per_query=limit, challenge=challenge)
    else:
        assert challenge is not None
        settings = replace(challenge.settings, rows_per_query=limit)
        problems = check_answers(rankings, replace(challenge, settings=settings))
    for problem in problems:
        assert problem.code in (ANSWER_PROBLEMS if problem.severity is Severity.ERROR else ANSWER_WARNINGS)
    return problems


def only(problems: Problems) -> Problem:
    (problem,) = problems
    return problem


def test_good_answers_have_no_problems(rankings: Make, challenge: Challenge) -> None:
    assert not check(rankings(FINE), challenge)
    assert not check(rankings(FINE), challenge, labels_of(challenge))


def test_a_repeated_row_is_told_with_the_first_one(rankings: Make, challenge: Challenge) -> None:
    found = only(check(rankings([*FINE, ("one-a1", "b1", 0.1)]), challenge))

    assert (found.code, found.line) == ("repeated_row", 7)
    assert found.message == "query 'one-a1' has image 'b1' again; line 3 has it already"
    assert "keep one" in found.hint


def test_a_file_written_twice_is_recognised(rankings: Make, challenge: Challenge) -> None:
    problems = check(rankings(FINE + FINE), challenge)

    assert problems.errors == len(FINE)
    assert all("appending" in problem.hint for problem in problems)


def test_too_many_rows_are_told_once_a_query(rankings: Make, challenge: Challenge) -> None:
    found = only(check(rankings(FINE), challenge, limit=1))

    assert found.code == "too_many_rows"
    assert found.message == "query 'one-a1' has 2 rows, and at most 1 are allowed"


def test_an_unknown_query_is_told_with_the_one_that_is_meant(rankings: Make, challenge: Challenge) -> None:
    found = only(check(rankings([*FINE, ("ONE-a1", "a2", 1.0), ("ONE-a1", "a3", 1.0)]), challenge))

    assert found.code == "unknown_query"
    assert found.message == "the data folder has no query 'ONE-a1' (2 rows)"
    assert "'one-a1' is meant? capital letters differ" in found.hint


def test_the_querys_own_image_is_refused_in_its_database_or_not(rankings: Make, challenge: Challenge) -> None:
    problems = check(rankings([*FINE, ("one-a1", "a1", 1.0), ("two-b1", "b1", 1.0)]), challenge)

    assert [problem.code for problem in problems] == ["own_image", "own_image"]
    assert "'one-a1' is answered with its own image 'a1'" in next(iter(problems)).message


@pytest.mark.parametrize(
    ("image", "hint"),
    [
        ("a2", "it is in the database of 'one'"),
        ("z1", "not among those in databases/two.txt"),
        ("B2", "'b2' is meant? capital letters differ"),
        ("images/b2.jpg", "'b2' is meant? a file's name"),
        ("whale", ""),
    ],
)
def test_an_image_from_elsewhere_is_refused_with_where_it_belongs(
    rankings: Make, challenge: Challenge, image: str, hint: str
) -> None:
    found = only(check(rankings([*FINE, ("two-b1", image, 1.0)]), challenge))

    assert found.code == "not_in_database"
    assert f"{image!r} isn't in the database of 'two'" in found.message
    assert hint in found.hint if hint else found.hint == ""


def test_one_image_may_answer_several_queries(rankings: Make, challenge: Challenge) -> None:
    assert not check(rankings([*FINE, ("two-b1", "a4", 1.0), ("one-a1", "a4", 1.0)]), challenge)


def test_unanswered_queries_are_a_warning(rankings: Make, challenge: Challenge) -> None:
    found = only(check(rankings(FINE[:3]), challenge))

    assert (found.severity, found.code) == (Severity.WARNING, "unanswered_query")
    assert found.message == (
        "of 4 scored queries, these have no rows and count 0: 2 queries ('two-b1', 'two-a2')"
    )


def test_a_query_without_a_right_answer_need_not_be_answered(rankings: Make, challenge: Challenge) -> None:
    without_singleton = [row for row in FINE if row[0] != "one-z1"]

    assert not check(rankings(without_singleton), challenge, labels_of(challenge))


def test_with_labels_alone_queries_that_they_dont_name_are_left_out(
    rankings: Make, labels: MakeLabels
) -> None:
    problems = check(
        rankings([("q1", "a", 1), ("qx", "a", 1), ("Q2", "a", 1)]), None, labels([("q1", "a"), ("q2", "b")])
    )

    assert not problems.errors
    assert [(problem.code, problem.message) for problem in problems] == [
        ("unlabelled_query", "left out, because the labels don't name them: 2 queries ('qx', 'Q2')"),
        ("resembling_query", "the labels name no query 'Q2'"),
        ("unanswered_query", "of 2 scored queries, these have no rows and count 0: 1 query ('q2')"),
    ]


def test_with_labels_alone_a_file_without_any_known_query_is_refused(
    rankings: Make, labels: MakeLabels
) -> None:
    problems = check(rankings([("1.0", "a", 1), ("2.0", "a", 1)]), None, labels([("1", "a"), ("2", "b")]))

    assert problems.errors == 2
    assert "'1' is meant? read as a decimal number" in next(iter(problems)).hint


def test_with_labels_alone_other_images_are_fine_unless_they_resemble_a_right_one(
    rankings: Make, labels: MakeLabels
) -> None:
    found = only(check(rankings([("q1", " a", 1), ("q1", "other", 1)]), None, labels([("q1", "a")])))

    assert (found.severity, found.code) == (Severity.WARNING, "resembling_image")
    assert (found.message, found.hint) == ("the labels name no image ' a'", "'a' is meant? blanks around it")


def test_of_many_problems_the_first_are_told_and_all_are_counted(
    rankings: Make, challenge: Challenge
) -> None:
    rows = [(query, f"x{row}", 0.5) for row in range(1000) for query in ("one-a1", "two-b1", f"q{row}")]
    problems = check(rankings(rows * 2), challenge)

    totals = {code: kind.total for (severity, code), kind in problems.kinds.items() if severity == "error"}
    assert totals == {
        "repeated_row": 3000,
        "too_many_rows": 2,
        "unknown_query": 1000,
        "not_in_database": 4000,
    }
    assert all(len(kind.shown) <= SHOWN_PER_CODE for kind in problems.kinds.values())
