from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from whaledo.challenge.model import Challenge
from whaledo.challenge.truth import labels_of
from whaledo.report.answers import Answers, read_answers, read_right_answers
from whaledo.report.figures import confused_pairs, score_spread
from whaledo.report.gallery import MOST_MISSED, RIGHT, TIED, Candidates, Gallery, build_gallery, ranked

if TYPE_CHECKING:
    from tests.report.conftest import MakeCase

ANIMALS = {"a": "ada", "b": "ada", "c": "bo", "d": "bo", "e": "cy"}
QUERIES = {"q1": "a", "q2": "c"}
ROWS = [("q1", "b", 0.9), ("q1", "c", 0.5), ("q2", "a", 0.8), ("q2", "d", 0.4), ("q2", "e", 0.4)]


def read(
    make_case: MakeCase,
    rows: Sequence[tuple[str, str, float]],
    queries: Mapping[str, str] = QUERIES,
    animals: Mapping[str, str] = ANIMALS,
    *,
    has_identities: bool = True,
) -> tuple[Challenge, Answers]:
    """A challenge, and the answers of a submission for it."""
    case = make_case(animals, queries, has_identities=has_identities)
    challenge, truth, _ = read_right_answers(case.data, None)
    return challenge, read_answers(Path(case.answer(rows)), challenge, truth)


def gallery_of(challenge: Challenge, *answers: Answers) -> Gallery:
    labels = labels_of(challenge) if challenge.identity_column else None
    return build_gallery(challenge, answers, labels)


def test_candidates_stand_by_falling_score_and_ties_in_the_order_of_the_file(make_case: MakeCase) -> None:
    rows = [("q1", "d", 0.5), ("q2", "a", 0.1), ("q1", "b", 0.5), ("q1", "c", 0.75), ("q2", "d", 0.2)]
    _, answers = read(make_case, rows)

    assert ranked(answers) == {
        "q1": Candidates(("c", "d", "b"), (0.75, 0.5, 0.5), f"0{TIED}{RIGHT}"),
        "q2": Candidates(("d", "a"), (0.2, 0.1), f"{RIGHT}0"),
    }


def test_every_query_is_in_the_gallery_answered_or_not(make_case: MakeCase) -> None:
    challenge, answers = read(make_case, [("q2", "a", 0.1)])
    document = gallery_of(challenge, answers).document
    side = document["sides"][0]

    assert document["queries"]["id"] == ["q1", "q2"]
    assert [len(images) for images in side["images"]] == [0, 1]
    assert side["precision"] == [0.0, 0.0]
    assert side["relevant"] == [1, 1]


def test_a_query_without_a_right_answer_is_not_scored(make_case: MakeCase) -> None:
    challenge, answers = read(make_case, [("q1", "b", 1), ("lone", "a", 1)], {"q1": "a", "lone": "e"})
    document = gallery_of(challenge, answers).document

    assert document["sides"][0]["precision"] == [1.0, None]


def test_photographs_are_named_once_and_pointed_to(make_case: MakeCase) -> None:
    challenge, answers = read(make_case, ROWS)
    gallery = gallery_of(challenge, answers, answers)
    document = gallery.document

    assert sorted(gallery.images) == ["a", "b", "c", "d", "e"]
    assert [gallery.images[n] for n in document["sides"][1]["images"][0]] == ["b", "c"]
    animals = document["images"]["animal"]
    assert [animals["names"][code] for code in animals["codes"]] == [
        ANIMALS[image] for image in gallery.images
    ]


def test_right_answers_that_were_not_found_are_shown_up_to_a_number(make_case: MakeCase) -> None:
    animals = {f"i{number:02}": "ada" for number in range(20)}
    challenge, answers = read(make_case, [("q", "i01", 1), ("q", "i02", 0.5)], {"q": "i00"}, animals)
    gallery = gallery_of(challenge, answers)
    missed = [gallery.images[place] for place in gallery.document["queries"]["missed"][0]]

    assert missed == [f"i{number:02}" for number in range(3, 3 + MOST_MISSED)]
    assert gallery.document["queries"]["unfound"] == [17]
    assert gallery.document["sides"][0]["relevant"] == [19]


def test_of_two_submissions_what_neither_found_was_not_found(make_case: MakeCase) -> None:
    case = make_case(dict.fromkeys("abcd", "ada") | {"e": "bo"}, {"q": "a", "lone": "e"})
    challenge, truth, _ = read_right_answers(case.data, None)
    rows = {"one.csv": [("q", "b", 0.5), ("lone", "a", 0.5)], "two.csv": [("q", "e", 0.9), ("q", "d", 0.5)]}
    one, two = (read_answers(case.answer(each, name), challenge, truth) for name, each in rows.items())

    gallery = gallery_of(challenge, one, two)
    assert [[gallery.images[n] for n in each] for each in gallery.document["queries"]["missed"]] == [
        ["c"],
        [],
    ]
    assert gallery.document["queries"]["unfound"] == [1, 0]


def test_without_right_answers_there_are_candidates_and_no_judgement(make_case: MakeCase) -> None:
    challenge, answers = read(make_case, ROWS, has_identities=False)
    document = gallery_of(challenge, answers).document

    assert not document["judged"]
    assert document["sides"][0]["marks"] == ["00", f"0{TIED}0"]
    assert "precision" not in document["sides"][0]


def test_two_animals_are_mixed_up_where_the_first_row_shows_the_other(make_case: MakeCase) -> None:
    rows = [("q1", "c", 0.5), ("q2", "a", 0.8), ("q3", "b", 0.7)]
    challenge, answers = read(make_case, rows, {"q1": "a", "q2": "c", "q3": "d"})
    assert answers.judged is not None
    (pair,) = confused_pairs(challenge, answers.judged, ranked(answers))

    assert (pair.animal, pair.taken_for, pair.queries) == ("bo", "ada", 3)
    assert (pair.query_image, pair.answer_image, pair.score) == ("c", "a", 0.8)


def test_the_scores_of_right_and_wrong_pairs_of_scored_queries_are_counted(make_case: MakeCase) -> None:
    rows = [("q1", "b", 1.0), ("q1", "c", 0.92), ("q2", "a", 0.0), ("lone", "a", 0.5)]
    _, answers = read(make_case, rows, {"q1": "a", "q2": "c", "lone": "e"})
    assert answers.judged is not None
    spread = score_spread(answers.judged)

    assert spread is not None
    assert (sum(spread.right), spread.right[-1]) == (1, 1)
    assert (sum(spread.wrong), spread.wrong[0], spread.wrong[18]) == (2, 1, 1)
    assert [(each.right, each.pairs) for each in spread.reliability] == [(0.0, 1), (0.5, 2)]
    assert abs(spread.calibration_error - 2 * 0.46 / 3) < 1e-9
