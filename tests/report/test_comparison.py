"""A page on two submissions: what it says of both, and what it doesn't overwrite."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.errors import BadData, BadRankings, UsageError
from whaledo.report.comparison import ComparisonRequest, write_comparison
from whaledo.scoring.compare import CompareRequest, compare
from whaledo.scoring.score import ScoreRequest, score

if TYPE_CHECKING:
    from tests.report.conftest import Case, MakeCase


def test_it_has_the_scores_and_the_difference_of_the_scoring_room(drawn: Case) -> None:
    a, b = (str(drawn.output / name) for name in ("submission.csv", "other.csv"))
    result, page = drawn.compare(Path(b))

    scores = [score(ScoreRequest(path, data=str(drawn.data))) for path in (a, b)]
    paired = compare(CompareRequest(a, b, data=str(drawn.data)))
    numbers = page.block("numbers")
    assert numbers["scores"] == json.loads(json.dumps([each.to_json() for each in scores]))
    assert numbers["paired"]["overall"] == json.loads(json.dumps(paired.to_json()))["overall"]
    assert result.compared == paired
    shown = [f"{each.mean_average_precision:.4f}" for each in scores]
    shown += [f"{figure:.3f}" for each in paired.scenarios for figure in (each.a, each.b)]
    assert [
        figure for figure in (*shown, f"{paired.overall.difference:+.3f}") if figure not in page.text
    ] == []


def test_the_finding_is_a_plain_sentence(make_case: MakeCase) -> None:
    pairs = {f"{animal}{side}": animal for animal in map("{:02}".format, range(30)) for side in "lr"}
    case = make_case(pairs, {f"q{image}": image for image in pairs if image.endswith("l")})
    rights = [(f"q{image}", f"{image[:-1]}r", 0.5) for image in pairs if image.endswith("l")]
    case.answer(rights)

    for rows, said in (
        (rights[:20], "A is better: +0.333, 95 % interval 0."),
        (rights[:29], "No difference that this data can show (+0.033, 95 % interval 0.000 to 0."),
        (rights, "No difference: every query is answered equally well."),
    ):
        _, page = case.compare(case.answer(rows, "other.csv"))
        assert said in page.text


def test_it_counts_whose_first_row_is_right(make_case: MakeCase) -> None:
    animals = {f"{animal}{side}": animal for animal in "abcde" for side in "lr"} | {"x": "x"}
    case = make_case(animals, {f"q{animal}": f"{animal}l" for animal in "abcde"} | {"qx": "x"})
    right = {animal: [(f"q{animal}", f"{animal}r", 0.5)] for animal in "abcde"}
    wrong = {animal: [(f"q{animal}", "x", 0.5)] for animal in "abcde"}
    case.answer([*right["a"], *right["b"], *right["c"], *wrong["d"], ("qx", "ar", 0.5)])
    other = case.answer([*right["a"], *wrong["b"], *wrong["c"], *right["d"]], "other.csv")

    _, page = case.compare(other)

    assert page.block("numbers")["first_rows"] == {"both": 1, "only_a": 2, "only_b": 1, "neither": 1}
    assert "2 only A is right" in page.text
    assert [side["marks"][0] for side in page.block("gallery")["sides"]] == ["1", "1"]


def test_hostile_names_add_no_element_and_no_attribute(hostile: Case, tame: Case) -> None:
    _, page = hostile.compare(hostile.output / "submission.csv")
    _, twin = tame.compare(tame.output / "submission.csv")

    assert page.shape == twin.shape
    assert "<script>window" not in page.html


def test_labels_judge_where_identities_are_unknown(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case({"a": "", "b": "", "c": ""}, {"q": "a"}, has_identities=False)
    case.answer([("q", "c", 0.6), ("q", "b", 0.5)])
    (tmp_path / "labels.csv").write_text("query_id,database_image_id\nq,b\n")

    with pytest.raises(BadData, match="doesn't say which image shows which animal"):
        case.compare(case.output / "submission.csv")
    result, _ = case.compare(case.output / "submission.csv", labels=str(tmp_path / "labels.csv"))

    assert result.compared.overall.a == 0.5


def test_both_files_are_held_to_the_rules(small: Case) -> None:
    with pytest.raises(BadRankings, match=r"bad\.csv breaks the rules"):
        small.compare(small.answer([("q1", "a1", 0.5)], "bad.csv"))


def request(case: Case, page: Path, *, data: str | None) -> ComparisonRequest:
    csv = str(case.output / "submission.csv")
    return ComparisonRequest(csv, csv, str(page), data)


def test_a_page_of_ours_is_replaced_and_nothing_else(small: Case) -> None:
    page = small.output / "comparison.html"
    for _ in range(2):
        small.compare(small.output / "submission.csv")
    precious = small.data / "metadata.csv"
    before = precious.read_bytes()

    pipe = small.output / "pipe"
    os.mkfifo(pipe)
    told = ((precious, "whaledo didn't make it"), (small.data, "is a folder"), (pipe, "is no plain file"))
    for wrong, said in told:
        with pytest.raises(UsageError, match=said):
            write_comparison(request(small, wrong, data=str(small.data)))
    with pytest.raises(UsageError, match="there is no folder"):
        write_comparison(request(small, small.data / "no/folder.html", data=str(small.data)))
    assert precious.read_bytes() == before
    assert page.read_text().startswith("<!doctype html>")


def test_without_a_data_folder_there_is_nothing_to_look_at(small: Case) -> None:
    page = small.output / "comparison.html"
    with pytest.raises(UsageError, match="no data folder is given"):
        write_comparison(request(small, page, data=None))

    assert not page.exists()


def test_a_request_travels_as_json() -> None:
    request = ComparisonRequest("a.csv", "b.csv", "page.html", "data", seed=3)
    assert ComparisonRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
