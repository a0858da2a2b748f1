"""The smoke run: it fails in seconds what would fail late, it is no part of the run, and twice shows who gambles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.archive import ArchiveListing, extract_archive
from whaledo.errors import Fault, UsageError
from whaledo.execution import runner
from whaledo.execution.records import (
    SMOKE_QUERIES,
    Agreement,
    Comparison,
    Level,
    RunRequest,
    Smoke,
    Step,
    Trial,
    Usage,
    Verdict,
)
from whaledo.execution.records import Code as Ended
from whaledo.execution.runner import Listener
from whaledo.execution.smoke import compare, describe, verdict_of, warnings_of

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import RunMain

pytestmark = pytest.mark.usefixtures("nothing_left")

ANSWER_ALL = """\
import csv
from pathlib import Path
queries = list(csv.DictReader(open("data/queries/one.csv")))
print("asked", *(query["query_id"] for query in queries))
database = Path("data/databases/one.txt").read_text().split()
rows = [
    f"{query['query_id']},{name},0.5"
    for query in queries for name in database if name != query["query_image_id"]
]
Path("submission/submission.csv").write_text("\\n".join(["query_id,database_image_id,score", *rows, ""]))
"""
"""A main.py that answers what it is asked in the tiny challenge."""

FORGETS_THE_OTHERS = ANSWER_ALL.replace("for query in queries for", "for query in queries[:1] for")
"""Answers the first query only."""


def test_a_good_submission_is_tried_on_a_few_queries_and_then_run(rooms: Rooms) -> None:
    request = rooms.request(ANSWER_ALL, smoke=1)
    result, output = rooms.run(request), Path(request.output)
    assert result.verdict.code == "ok", result.verdict
    assert result.smoke is not None
    assert (result.smoke.queries_per_scenario, result.smoke.queries, result.smoke.images) == (1, 1, 3)
    assert result.smoke.first.verdict.code == "ok"
    assert result.smoke.first.usage.wall_s > 0
    assert set(result.smoke.first.steps) == {"unpack", "start", "run", "collect", "validate"}
    assert list(result.steps) == ["check", "unpack", "smoke", "start", "run", "collect", "validate"]
    assert (result.smoke.second, result.smoke.comparison) == (None, None)
    assert json.loads((output / "run.json").read_text()) == json.loads(json.dumps(result.to_json()))
    assert rooms.printed(output / "smoke") == b"asked q1\n"
    assert rooms.printed(output) == b"asked q1 q2\n"
    assert "q2" not in (output / "smoke" / "submission.csv").read_text()
    tried = json.loads((output / "smoke" / "run.json").read_text())
    assert tried["verdict"]["code"] == "ok"
    assert tried["data"]["folder"] == request.data
    assert tried["submission"] == json.loads((output / "run.json").read_text())["submission"]


def test_with_every_engine_and_every_user(run_main: RunMain) -> None:
    ran = run_main(ANSWER_ALL, smoke=1, require=Level.NOT_ENFORCED)
    assert ran.code == "ok", ran.verdict
    assert ran.record["smoke"]["first"]["verdict"]["code"] == "ok"
    assert ran.rooms.printed(ran.output / "smoke") == b"asked q1\n"
    assert ran.log == b"asked q1 q2\n"


def test_what_fails_only_when_ranking_ends_in_the_smoke_run(rooms: Rooms) -> None:
    request = rooms.request("print('embedding')\nrows = []\nprint(sorted(rows)[0])\n" + ANSWER_ALL, smoke=5)
    result, output = rooms.run(request), Path(request.output)
    assert (result.verdict.code, result.verdict.step) == ("crashed", Step.SMOKE)
    assert result.verdict.fault is Fault.SUBMISSION
    assert "in the smoke run on 2 queries (see smoke/): main.py raised IndexError" in result.verdict.message
    assert result.smoke is not None
    assert result.smoke.first.verdict.step is Step.RUN
    assert "start" not in result.steps
    assert result.engine["guarantees"]
    assert b"embedding" in rooms.printed(output / "smoke")
    assert sorted(path.name for path in output.iterdir()) == [".whaledo.lock", "run.json", "smoke"]


def test_the_smoke_csv_is_held_to_the_rules_of_the_small_challenge(rooms: Rooms, valid_csv_code: str) -> None:
    result = rooms.run(rooms.request(valid_csv_code, smoke=1))  # answers q2, which isn't asked yet
    assert (result.verdict.code, result.verdict.step) == ("invalid_output", Step.SMOKE)
    assert any("q2" in line for line in result.verdict.details)


def test_a_submission_that_answers_only_the_smoke_queries_gets_nothing_for_it(rooms: Rooms) -> None:
    result = rooms.run(rooms.request(FORGETS_THE_OTHERS, smoke=1))
    assert result.rankings is not None
    assert result.rankings["unanswered"] == 1
    assert result.warnings
    assert result.smoke is not None
    assert result.smoke.first.warnings == ()


def test_a_hidden_file_is_explained_in_the_smoke_run_as_in_the_run(rooms: Rooms) -> None:
    result = rooms.run(rooms.request("open('data/labels.csv')", smoke=1))
    assert "`labels.csv` is not there in the official runtime" in result.verdict.hint


def test_what_is_wrong_with_the_zip_needs_no_smoke_run(rooms: Rooms) -> None:
    result = rooms.run(rooms.request({"other.py": ""}, smoke=1))
    assert (result.verdict.code, result.smoke) == ("no_main", None)


def test_no_earlier_smoke_run_lies_beside_a_run_without_one(rooms: Rooms) -> None:
    request = rooms.request(ANSWER_ALL, twice=True)
    document = json.loads(json.dumps(rooms.run(request).to_json()))["smoke"]
    assert document["comparison"]["agreement"] == "identical"
    assert document["second"]["verdict"]["code"] == "ok"
    output = Path(request.output)
    assert (output / "smoke" / "again" / "run.json").exists()
    again = RunRequest.from_json({**request.to_json(), "twice": False})
    assert rooms.run(again).smoke is None
    for folder in (output / "smoke", output / "smoke" / "again"):
        assert not (folder / "run.json").exists()
        assert (folder / "previous" / "run.json").exists()


@pytest.mark.parametrize("during", [Step.SMOKE, Step.SMOKE_AGAIN])
def test_a_cancelled_smoke_run_cancels_all(rooms: Rooms, during: Step) -> None:
    code = ANSWER_ALL + f"import time\ntime.sleep({20 if during is Step.SMOKE else 0.3})\n"
    steps: list[Step] = []
    request = rooms.request(code, twice=True)
    result = rooms.run(request, Listener(step=steps.append, cancelled=lambda: during in steps))
    assert (result.verdict.code, result.verdict.step, result.verdict.fault) == ("cancelled", during, None)
    assert steps[-1] is during
    assert not Path(request.output, "log.txt").exists()


def test_a_submission_that_answers_by_chance_is_told_and_runs_on(rooms: Rooms) -> None:
    code = ANSWER_ALL.replace(",0.5", ",{random.random()}").replace("import csv", "import csv, random")
    result = rooms.run(rooms.request(code, twice=True))
    assert result.verdict.code == "ok"
    assert result.smoke is not None
    assert result.smoke.queries_per_scenario == SMOKE_QUERIES
    found = result.smoke.comparison
    assert found is not None
    assert found.largest_difference
    assert found.query_id in ("q1", "q2")
    assert found.image_id in ("a", "b", "c")
    assert list(result.steps)[:4] == ["check", "unpack", "smoke", "smoke_again"]


def test_rankings_that_differ_are_a_warning_of_the_run(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is changed in between, in place of chance: chance would now and then rank alike."""
    request = rooms.request(ANSWER_ALL.replace(",0.5", ",{ord(name) / 200}"), twice=True)
    steps: list[Step] = []

    def extract(path: Path, folder: Path) -> ArchiveListing:
        listing = extract_archive(path, folder)
        if steps[-1] is Step.SMOKE_AGAIN:
            (folder / "main.py").write_text(ANSWER_ALL.replace(",0.5", ",{1 - ord(name) / 200}"))
        return listing

    monkeypatch.setattr(runner, "extract_archive", extract)
    result = rooms.run(request, Listener(step=steps.append))
    assert result.verdict.code == "ok"
    (warning,) = result.warnings
    assert (
        "different, 2 queries ranked differently, scores differ by up to 0.03 (query q2, image a)" in warning
    )


def test_a_second_smoke_run_that_fails_is_a_warning() -> None:
    result = smoke(second=ended(Ended.CRASHED))
    assert verdict_of(result) is None
    assert warnings_of(result) == [
        "the smoke run went well, and then on the same data it didn't: crashed: it ended"
    ]


def ended(code: Ended) -> Verdict:
    """A verdict with this code."""
    return Verdict(code, Step.RUN, None, "it ended")


def smoke(second: Verdict | None = None, comparison: Comparison | None = None) -> Smoke:
    """A smoke run that went well, and perhaps a second one."""
    again = None if second is None else Trial(second, Usage(), {})
    return Smoke(3, 6, 10, "smoke", Trial(ended(Ended.OK), Usage(), {}), again, comparison)


def test_only_rankings_that_differ_are_warned_of() -> None:
    for agreement, warned in (("identical", 0), ("same_ranking", 0), ("different", 1)):
        found = Comparison(Agreement(agreement), 2, 0, 0.25, "q1", "b")
        assert len(warnings_of(smoke(ended(Ended.OK), found))) == warned
    (warning,) = warnings_of(smoke(ended(Ended.OK), found))
    assert "2 queries ranked differently, scores differ by up to 0.25 (query q1, image b)" in warning


BASE = {"q1": {"a": 0.9, "b": 0.5, "c": 0.5}, "q2": {"a": 0.125}}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Comparison(Agreement.IDENTICAL, 0, 0, 0.0)),
        ({"q1": {"c": 0.5, "b": 0.5, "a": 0.9}}, Comparison(Agreement.IDENTICAL, 0, 0, 0.0)),
        ({"q2": {"a": 0.375}}, Comparison(Agreement.SAME_RANKING, 0, 0, 0.25, "q2", "a")),
        # What was a tie is an order now, and the other way round.
        ({"q1": {"a": 0.9, "b": 0.5, "c": 0.25}}, Comparison(Agreement.DIFFERENT, 1, 0, 0.25, "q1", "c")),
        ({"q1": {"a": 0.5, "b": 0.5, "c": 0.5}}, Comparison(Agreement.DIFFERENT, 1, 0, 0.4, "q1", "a")),
        ({"q1": {"a": 0.9, "b": 0.5, "d": 0.5}}, Comparison(Agreement.DIFFERENT, 1, 2, 0.0, "q1", "c")),
        ({"q2": {}}, Comparison(Agreement.DIFFERENT, 1, 1, 0.0, "q2", "a")),
        ({"q2": {"b": 0.125}, "q1": {}}, Comparison(Agreement.DIFFERENT, 2, 5, None, "q1", "a")),
    ],
)
def test_two_runs_are_compared_by_what_they_rank(
    changed: dict[str, dict[str, float]], expected: Comparison
) -> None:
    assert compare(BASE, {**BASE, **changed}) == expected


SCORES = st.dictionaries(
    st.sampled_from(["q1", "q2"]),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1),
)


@given(SCORES, SCORES)
def test_comparing_knows_no_first_and_no_second(one: Any, other: Any) -> None:
    assert compare(one, other) == compare(other, one)
    assert (compare(one, other).agreement is Agreement.IDENTICAL) == (one == other)
    assert describe(compare(one, other))


@pytest.mark.parametrize("queries", [0, -1])
def test_a_smoke_run_of_no_queries_is_a_usage_error(queries: int) -> None:
    with pytest.raises(UsageError, match=f"of {queries} queries") as caught:
        RunRequest("s.zip", "data", "out", smoke=queries)
    assert caught.value.hint


def test_a_smoke_run_cant_show_labels_that_it_doesnt_have() -> None:
    with pytest.raises(UsageError, match="can't show identities"):
        RunRequest("s.zip", "data", "out", show_identities=True, twice=True)


def test_requests_of_before_and_of_now_are_read_back() -> None:
    new = RunRequest("s.zip", "data", "out", smoke=4, twice=True, require=Level.BEST_EFFORT)
    document = json.loads(json.dumps(new.to_json()))
    assert RunRequest.from_json(document) == new
    assert RunRequest.from_json(document).require is Level.BEST_EFFORT
    for name in ("smoke", "twice", "require"):
        del document[name]
    assert RunRequest.from_json(document) == RunRequest("s.zip", "data", "out")
