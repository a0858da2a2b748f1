"""Scores: the cases of the published scorer, real data, and what a result says beyond the number."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from whaledo.errors import BadData, BadRankings, UsageError
from whaledo.scoring.checks import ANSWER_PROBLEMS, ANSWER_WARNINGS
from whaledo.scoring.rankings import FILE_PROBLEMS, HEADER
from whaledo.scoring.score import ScoreRequest, official, score

Write = Callable[..., Path]

DOCUMENT = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text("utf-8")
CASES = re.findall(r"^\| `(\d{3}_\w+)` \| (.+?) \| (\w+) \| (.+?) \| (.+?) \|$", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "outcome", "ours", "published"),
    [(name, outcome, ours, published) for name, _, outcome, ours, published in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_case_ends_as_the_document_says(
    scoring_cases: Path, name: str, outcome: str, ours: str, published: str
) -> None:
    case = scoring_cases / name
    modern = json.loads((case / "official.json").read_text())["modern"]
    said = modern.get("result")
    request = ScoreRequest(str(case / "submission.csv"), str(case / "labels.csv"), official=True)

    refusal = None if said is not None else f"{modern['error_type'].rpartition('.')[2]}: {modern['error']}"
    answer = official(request)
    assert (answer.value, answer.refusal) == (said, refusal)
    assert published == (f"`{said!r}`" if said is not None else "refused")
    if outcome == "refused":
        with pytest.raises(BadRankings) as caught:
            score(request)
        errors = {code for (severity, code) in caught.value.problems.kinds if severity == "error"}
        assert ours == ", ".join(f"`{code}`" for code in sorted(errors))
        return
    result = score(request)
    assert result.official == answer
    assert ours == f"`{result.mean_average_precision!r}`"
    assert outcome == ("same" if result.mean_average_precision == said else "strict")
    if "result_hex" in modern and outcome == "same":
        assert result.mean_average_precision.hex() == modern["result_hex"]


def test_the_document_has_every_case(scoring_cases: Path) -> None:
    assert [case[0] for case in CASES] == sorted(case.name for case in scoring_cases.iterdir())


def test_the_document_has_every_problem() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|$", DOCUMENT, re.MULTILINE))

    assert rows == {**FILE_PROBLEMS, **ANSWER_PROBLEMS, **ANSWER_WARNINGS}


@pytest.fixture
def first_twenty(beluga: Path, tmp_path: Path) -> Path:
    """The first 20 database images for every query of the real scenarios, all with score 0.5."""
    lines = [HEADER]
    for scenario in ("scenario01", "scenario02"):
        database = (beluga / "databases" / f"{scenario}.csv").read_text().splitlines()[1:]
        for line in (beluga / "queries" / f"{scenario}.csv").read_text().splitlines()[1:]:
            query, image = line.split(",")
            lines += [f"{query},{other},0.5" for other in database if other != image][:20]
    path = tmp_path / "submission.csv"
    path.write_text("\n".join(lines))
    return path


def test_the_first_twenty_real_images_score_what_they_always_did(beluga: Path, first_twenty: Path) -> None:
    expected = 0.038531746031746035

    given = str(first_twenty)
    for request in (
        ScoreRequest(given, data=str(beluga), official=True),
        ScoreRequest(given, str(beluga / "labels.csv"), official=True),
        ScoreRequest(given, str(beluga / "metadata.csv"), official=True),
    ):
        result = score(request)
        assert result.mean_average_precision == expected
        assert result.official is not None
        assert result.official.value == expected
        assert result.warnings == ()


ROWS = [("one-a1", "b1", 0.9), ("one-a1", "a2", 0.8), ("two-b1", "b2", 0.9), ("one-z1", "b1", 0.5)]


def test_a_result_says_it_all(write: Write, folder: Path) -> None:
    result = score(ScoreRequest(str(write(ROWS)), data=str(folder), official=True))
    document = json.loads(json.dumps(result.to_json()))

    assert document.pop("breakdown")
    assert document.pop("cmc") == [1 / 3] + [2 / 3] * 19
    low, high = document.pop("confidence_interval")
    assert 0 <= low <= high <= 1
    assert document == {
        "mean_average_precision": (1 / 2 / 3 + 1) / 3,
        "official_mean_average_precision": (1 / 2 / 3 + 1) / 2,
        "official_refusal": None,
        "queries": 3,
        "unanswered": 1,
        "scenarios": [
            {"scenario_id": "one", "queries": 1, "mean_average_precision": 1 / 2 / 3},
            {"scenario_id": "two", "queries": 2, "mean_average_precision": 1 / 2},
        ],
        "resampled": "individuals",
        "units": 2,
        "top": {"1": 1 / 3, "5": 2 / 3, "20": 2 / 3},
        "warnings": ["of 3 scored queries, these have no rows and count 0: 1 query ('two-a2')"],
    }


def test_with_labels_alone_queries_are_resampled_and_there_are_no_scenarios(write: Write) -> None:
    labels = write("query_id,database_image_id\none-a1,a2\ntwo-b1,b2\n", "labels.csv")
    result = score(ScoreRequest(str(write(ROWS)), str(labels)))

    assert (result.resampled, result.units, result.scenarios, result.breakdown) == ("queries", 2, (), ())
    assert result.official is None


def test_labels_beside_a_data_folder_have_the_answers_and_the_folder_the_rules(
    write: Write, folder: Path
) -> None:
    labels = write("query_id,database_image_id\none-a1,b1\n", "labels.csv")
    result = score(ScoreRequest(str(write(ROWS)), str(labels), str(folder)))

    assert (result.mean_average_precision, result.queries) == (1.0, 1)
    assert [scenario.mean_average_precision for scenario in result.scenarios] == [1.0, None]
    with pytest.raises(BadRankings):
        score(ScoreRequest(str(write([*ROWS, ("one-a1", "b2", 0.1)])), str(labels), str(folder)))


def test_the_rows_allowed_come_from_the_challenge(write: Write, folder: Path) -> None:
    (folder / "challenge.toml").write_text("rows_per_query = 1\n")

    with pytest.raises(BadRankings, match="1 problem"):
        score(ScoreRequest(str(write(ROWS)), data=str(folder)))
    result = score(ScoreRequest(str(write(ROWS[2:])), data=str(folder)))
    assert len(result.cmc) == 1
    assert result.mean_average_precision == 1 / 3


def test_an_animal_that_nobody_knows_stands_for_itself(write: Write, folder: Path) -> None:
    labels = write("query_id,database_image_id\none-a1,a2\ntwo-a2,a4\ntwo-b1,b2\n", "labels.csv")
    metadata = folder / "metadata.csv"
    metadata.write_text(re.sub(r"(a[12].*),ada,", r"\1,,", metadata.read_text()))

    assert score(ScoreRequest(str(write(ROWS)), str(labels), str(folder))).units == 3


def test_nothing_to_score_against_is_a_mistake_of_usage(write: Write) -> None:
    with pytest.raises(UsageError, match="nothing to score against"):
        score(ScoreRequest(str(write(ROWS))))


def test_a_folder_without_identities_needs_labels(write: Write, folder: Path) -> None:
    metadata = folder / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("whale_id", "colour"))

    with pytest.raises(BadData, match="no column whale_id") as caught:
        score(ScoreRequest(str(write(ROWS)), data=str(folder)))
    assert "labels file" in caught.value.hint


def test_a_request_travels_as_json() -> None:
    request = ScoreRequest("a.csv", data="data", official=True, seed=3)

    assert ScoreRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_ids_of_any_kind_are_scored(write: Write, folder: Path) -> None:
    ids = ["NA", "001", '<b onclick="x">', "\u202egnp.exe", "a" * 10_000, "日本", "it's"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in ids]
    labels = write("\n".join(["query_id,database_image_id", *(f"{q},{q}" for q in quoted)]), "labels.csv")
    result = score(
        ScoreRequest(str(write("\n".join([HEADER, *(f"{q},{q},0.5" for q in quoted)]))), str(labels))
    )

    assert (result.mean_average_precision, result.queries, result.warnings) == (1.0, len(ids), ())
