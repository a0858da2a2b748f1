"""The report as a file: what it says, what it keeps out, and how it is written."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from whaledo.errors import BadRankings, BadSubmission, MachineError
from whaledo.report.text import short
from whaledo.report.write import ReportRequest
from whaledo.scoring.score import ScoreRequest, score

if TYPE_CHECKING:
    from tests.report.conftest import Case, MakeCase


def write_record(output: Path, **verdict: Any) -> None:
    """A run.json of a run that ended so."""
    record = {
        "started": "2026-08-01T10:00:00+00:00",
        "verdict": {"code": "ok", "message": "all is well", "hint": "", "details": [], **verdict},
        "engine": {
            "name": "bubblewrap",
            "version": "0.8.0",
            "guarantees": {"disk": {"level": "not_enforced", "by": "nothing"}},
        },
        "environment": {"profile": "core"},
        "limits": {"wall_s": 60.0, "memory_bytes": 2**30, "processes": 100},
        "usage": {"wall_s": 57.0, "peak_memory_bytes": 2**29, "max_processes": 3, "output_bytes": 0},
        "warnings": [],
    }
    (output / "run.json").write_text(json.dumps(record))


def sha256(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_score_is_that_of_the_scoring_room(drawn: Case) -> None:
    result, page = drawn.report()

    scored = score(ScoreRequest(str(drawn.output / "submission.csv"), data=str(drawn.data)))
    assert result.mean_average_precision == scored.mean_average_precision > 0
    assert f"{scored.mean_average_precision:.4f}" in page.text
    for scenario in scored.scenarios:
        assert scenario.scenario_id in page.text
    assert page.block("numbers")["score"] == json.loads(json.dumps(scored.to_json()))
    assert result.queries == len(page.block("gallery")["queries"]["id"]) > 0
    assert result.size_bytes == Path(result.path).stat().st_size


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(drawn: Case) -> None:
    _, page = drawn.report()

    metas = [attributes for tag, attributes in page.elements if tag == "meta"]
    policies = [each["content"] for each in metas if each.get("http-equiv") == "Content-Security-Policy"]
    (script,) = [text for attributes, text in page.scripts if attributes.get("type") != "application/json"]
    assert len(policies) == 1
    assert policies[0] is not None
    given = dict(part.split(" ", 1) for part in policies[0].split("; "))
    assert given["default-src"] == "'none'"
    assert given["img-src"] == "data:"
    assert given["script-src"] == sha256(script)
    assert given["style-src"] == sha256(page.style)
    assert "unsafe" not in policies[0]


def test_nothing_in_the_page_names_another_file_or_holds_code_of_its_own(drawn: Case) -> None:
    _, page = drawn.report()

    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("src", "href", "action", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), tag
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_hostile_names_add_no_element_and_no_attribute(hostile: Case, tame: Case) -> None:
    for case in (hostile, tame):
        write_record(case.output)
    _, page = hostile.report()
    _, twin = tame.report()

    assert page.shape == twin.shape
    assert "<script>window" not in page.html
    assert "<img" not in page.html


def test_names_are_in_the_page_as_text_and_shortened(hostile: Case) -> None:
    result, page = hostile.report()

    ids = page.block("gallery")["queries"]["id"]
    assert ids[0] == "<script>window.hacked=1</script>?"
    assert "\u05d0\u05d1\u05d2 (1)?" in ids
    assert max(map(len, ids)) < 200
    assert result.size_bytes < 200_000
    assert short("x" * 10_000 + "?") in ids


def test_each_photograph_is_stored_once_however_often_it_is_seen(small: Case) -> None:
    result, page = small.report()

    gallery, thumbnails = page.block("gallery"), page.block("thumbnails")
    assert sorted(gallery["images"]["id"]) == ["a1", "a2", "a3", "b1", "b2"]
    assert result.images == len(thumbnails["webp"]) == 5
    for picture in thumbnails["webp"]:
        assert base64.b64decode(picture).startswith(b"RIFF")
        assert page.html.count(picture) == 1


def test_missing_and_broken_photographs_are_counted_and_have_a_placeholder(small: Case) -> None:
    (small.data / "images/1.png").unlink()
    broken = small.data / "images/3.png"
    broken.write_bytes(broken.read_bytes()[:40])

    result, page = small.report()

    assert result.missing_images == 2
    assert "2 missing or broken" in page.text
    images, pictures = page.block("gallery")["images"]["id"], page.block("thumbnails")["webp"]
    absent = {image for image, picture in zip(images, pictures, strict=True) if not picture}
    assert absent == {"a2", "b1"}


def test_a_failed_run_shows_its_verdict_and_the_end_of_its_log(small: Case) -> None:
    (small.output / "submission.csv").unlink()
    write_record(
        small.output, code="crashed", message="main.py ended with <b>1</b>", hint="mend it", details=["at 3"]
    )
    log = (
        "".join(f"line {number}\n" for number in range(500))
        + "0%\r50%\r100%\n\x1b[31m\u202e</pre><script>x</script>"
    )
    (small.output / "log.txt").write_bytes(log.encode() + b"\xff")

    result, page = small.report()

    assert (result.verdict, result.mean_average_precision, result.images) == ("crashed", None, 0)
    for said in (
        "crashed",
        "main.py ended with <b>1</b>",
        "mend it",
        "at 3",
        "line 499",
        "57.0 s",
        "\\x1b[31m",
    ):
        assert said in page.text
    assert "</pre><script>x</script>" in page.text
    assert "line 400\n" not in page.text
    assert "50%" not in page.text.partition("line 499")[2]
    assert "disk: not enforced (nothing)" in page.text
    assert not set(page.html) & {"\x1b", "\u202e"}


@pytest.mark.parametrize(
    ("code", "what_to_do"),
    [
        ("crashed", "the last lines of the log say where"),
        ("no_output", "mend that, pack"),
        ("cancelled", "run it again"),
    ],
)
def test_a_failed_run_says_what_to_do_even_where_its_verdict_doesnt(
    small: Case, code: str, what_to_do: str
) -> None:
    write_record(small.output, code=code, message="it failed", hint="")

    _, page = small.report()

    assert "What to do:" in page.text
    assert what_to_do in page.text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_record_with_a_number_that_is_none_is_shown_without_it(small: Case, number: str) -> None:
    write_record(small.output)
    record = (small.output / "run.json").read_text().replace("57.0", number)
    (small.output / "run.json").write_text(record)

    result, page = small.report()

    assert result.verdict == "ok"
    assert page.block("numbers")["run"]["usage"]["wall_s"] is None
    assert "processes and threads" in page.text


def test_a_good_run_is_told_without_its_log(small: Case) -> None:
    write_record(small.output)
    (small.output / "log.txt").write_text("chatter")

    result, page = small.report()

    assert result.verdict == "ok"
    assert "all is well" in page.text
    assert "chatter" not in page.html


@pytest.mark.parametrize("text", ["{", "[]", '{"verdict": 3}', '{"verdict": {"code": NaN}}'])
def test_a_record_that_cant_be_read_is_said_and_left_out(small: Case, text: str) -> None:
    (small.output / "run.json").write_text(text)

    result, page = small.report()

    assert result.verdict is None
    assert result.mean_average_precision is not None
    assert "nothing is said of" in result.warnings[0]
    assert result.warnings[0] in page.text


def test_a_csv_that_breaks_the_rules_is_told_where_a_run_left_it_and_refused_elsewhere(small: Case) -> None:
    small.answer([("q1", "a1", 0.5), ("q1", "<b>", 0.5), ("q2", "b2", 7)])
    with pytest.raises(BadRankings):
        small.report()

    write_record(small.output, code="invalid_output", message="the csv breaks the rules")
    result, page = small.report()

    assert result.mean_average_precision is None
    assert "submission.csv breaks the rules" in page.text
    assert "line 4: " in page.text
    assert "<b>" not in page.html


def test_without_right_answers_nothing_is_judged(make_case: MakeCase) -> None:
    case = make_case({"a": "", "b": ""}, {"q": "a"}, has_identities=False)
    case.answer([("q", "b", 0.5)])

    result, page = case.report()

    assert result.mean_average_precision is None
    assert "nothing is judged" in page.text
    assert "mAP@" not in page.text
    gallery = page.block("gallery")
    assert gallery["judged"] is False
    assert "precision" not in gallery["sides"][0]


def test_labels_judge_where_identities_are_unknown(make_case: MakeCase, tmp_path: Path) -> None:
    case = make_case({"a": "", "b": "", "c": ""}, {"q": "a"}, has_identities=False)
    case.answer([("q", "c", 0.6), ("q", "b", 0.5)])
    (tmp_path / "labels.csv").write_text("query_id,database_image_id\nq,b\n")

    result, page = case.report(labels=str(tmp_path / "labels.csv"))

    assert result.mean_average_precision == 0.5
    assert page.block("gallery")["sides"][0]["marks"] == ["01"]


def test_what_was_confused_is_listed_by_animal(small: Case) -> None:
    _, page = small.report()

    (pair,) = page.block("numbers")["confused_pairs"]
    assert (pair["animal"], pair["taken_for"], pair["queries"]) == ("bo", "ada", 1)
    assert (pair["query_image"], pair["answer_image"], pair["score"]) == ("b1", "a3", 0.8)


def test_right_and_wrong_scores_are_counted_apart(small: Case) -> None:
    _, page = small.report()

    spread = page.block("numbers")["score_spread"]
    assert {step: count for step, count in enumerate(spread["right"]) if count} == {8: 1, 18: 1}
    assert {step: count for step, count in enumerate(spread["wrong"]) if count} == {4: 1, 16: 1}
    # Four pairs in bins of their own: |0.2 - 0|, |0.4 - 1|, |0.8 - 0| and |0.9 - 1|.
    assert spread["calibration_error"] == pytest.approx((0.2 + 0.6 + 0.8 + 0.1) / 4)


def test_right_answers_that_were_not_found_are_shown(small: Case) -> None:
    _, page = small.report()

    gallery = page.block("gallery")
    missed = [[gallery["images"]["id"][place] for place in each] for each in gallery["queries"]["missed"]]
    assert missed == [["a3"], []]


def test_an_empty_folder_has_nothing_to_report_on(small: Case) -> None:
    (small.output / "submission.csv").unlink()
    with pytest.raises(BadSubmission, match="nothing to report on"):
        small.report()


def test_the_old_report_stays_until_the_new_one_is_whole(
    small: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = small.output / "report.html"
    old.write_text("old")

    def fail(_: Path, __: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(MachineError, match="No space left"):
            small.report()
    assert old.read_text() == "old"
    assert {path.name for path in small.output.iterdir()} == {"report.html", "submission.csv"}

    small.report()
    assert old.read_text().startswith("<!doctype html>")


def test_a_link_in_the_reports_place_is_replaced_and_not_written_through(small: Case, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("precious")
    (small.output / "report.html").symlink_to(precious)

    small.report()

    assert precious.read_text() == "precious"
    assert not (small.output / "report.html").is_symlink()


def test_a_request_travels_as_json() -> None:
    request = ReportRequest("out", "data", labels="labels.csv", seed=3)
    assert ReportRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_a_run_that_was_never_started_says_why_and_what_to_do_before_anything_else(small: Case) -> None:
    (small.output / "submission.csv").unlink()
    write_record(
        small.output,
        code="missing_import",
        message="not started, because it would fail: main.py:1: no <timm>",
        hint="mend it and pack anew",
    )
    record = json.loads((small.output / "run.json").read_text())
    shown = [{"file": "main.py", "line": 1, "message": "no <timm>", "hint": ""}]
    found = [{"code": "missing_import", "severity": "error", "total": 1, "shown": shown}]
    check = {"profile": "core", "modules": 1, "problems": found, "not_checked": ""}
    (small.output / "run.json").write_text(json.dumps({**record, "check": check}))

    result, page = small.report()

    assert (result.hint, result.check, result.smoke) == ("mend it and pack anew", check, None)
    order = [page.text.index(part) for part in ("missing import", "What to do:", "1 module read for core")]
    assert order == sorted(order)
    assert "<timm>" not in page.html


def test_of_a_run_that_was_never_started_nothing_is_claimed_about_walls_and_limits(small: Case) -> None:
    (small.output / "submission.csv").unlink()
    write_record(small.output, code="no_main", message="there is no main.py")
    record = json.loads((small.output / "run.json").read_text())
    record |= {"engine": {}, "usage": {"wall_s": 0.0, "log_bytes": 0}}
    (small.output / "run.json").write_text(json.dumps(record))

    _, page = small.report()

    assert "Nothing was started. Environment core." in page.text
    assert "enforced" not in page.text
    assert "3 h 0 min" not in page.text
