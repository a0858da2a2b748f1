"""`whaledo run`: what a person reads, what a program reads, and how it ends."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli.answer import Answer
from whaledo.cli.run import _cancelling, run, say_result, usage_line
from whaledo.errors import Fault
from whaledo.execution.contract import Limits
from whaledo.execution.records import Code, RunResult, Step, Usage, Verdict
from whaledo.resources import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Rooms


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(run)
    return CliRunner().invoke(app, list(arguments))


class Command:
    """`whaledo run` with the tiny challenge; the output folder is `output`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self.output = Path("unknown")

    def __call__(self, code: str | Mapping[str, str | bytes], *options: str) -> Result:
        request = self._rooms.request(code)
        self.output = Path(request.output)
        given = ("--data", request.data, "--output", request.output, "--memory", "1g", "--disk", "64m")
        return invoke(request.submission, *given, *options)


@pytest.fixture
def whaledo_run(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, with the state folder of the tests."""
    monkeypatch.setenv(HOME_VARIABLE, str(rooms.home))
    return Command(rooms)


def test_a_good_run_shows_its_output_its_verdict_and_where_everything_is(
    whaledo_run: Command, valid_csv_code: str
) -> None:
    result = whaledo_run(f"print('ranking \\x1b[31mred')\n{valid_csv_code}", "--score")
    assert result.exit_code == 0, result.output
    assert r"ranking \x1b[31mred" in result.stdout
    assert "✓ ok: submission.csv is valid: 2 of 2 queries answered" in result.stdout
    assert str(whaledo_run.output / "submission.csv") in result.stdout
    assert "mAP" in result.stdout or "mean average precision" in result.stdout.lower()
    assert b"\x1b[31m" in (whaledo_run.output / "log.txt").read_bytes()


def test_with_json_stdout_is_one_document_and_the_output_goes_to_stderr(whaledo_run: Command) -> None:
    result = whaledo_run("print('ranking')\nraise ValueError('no fins')", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["verdict"]["code"] == "crashed"
    assert document == json.loads((whaledo_run.output / "run.json").read_text())
    assert "ranking" in result.stderr
    assert "✗ crashed: main.py raised ValueError: no fins (main.py, line 2)" in result.stderr
    assert "likely, not proven" in result.stderr


def test_options_become_limits(whaledo_run: Command) -> None:
    options = (
        "--timeout 90s --pids 50 --log-limit 1k --shm-size 2m --cpus 1 --profile core --engine bubblewrap"
    )
    result = whaledo_run("print('x' * 5000)", *options.split(), "--json")
    assert json.loads(result.stdout)["limits"] == {
        "wall_s": 90,
        "memory_bytes": 1024**3,
        "cpus": 1,
        "processes": 50,
        "disk_bytes": 64 * 1024**2,
        "log_bytes": 1024,
        "shm_bytes": 2 * 1024**2,
    }
    assert json.loads(result.stdout)["usage"]["log_dropped_bytes"] == 5001 - 1024


ANSWER_ALL = """\
import csv
from pathlib import Path
print("starting without an end of line", end="")
queries = list(csv.DictReader(open("data/queries/one.csv")))
rows = [f"{query['query_id']},c,0.5" for query in queries]
Path("submission/submission.csv").write_text("\\n".join(["query_id,database_image_id,score", *rows, ""]))
"""


def test_the_output_of_a_smoke_run_is_shown_apart_from_that_of_the_run(whaledo_run: Command) -> None:
    result = whaledo_run(ANSWER_ALL, "--smoke", "1", "--twice")
    assert result.exit_code == 0, result.output
    printed = "starting without an end of line\n"
    assert result.stdout.startswith(
        f"[whaledo: smoke run, on a few queries]\n{printed}"
        f"[whaledo: smoke run, again on the same queries]\n{printed}"
        f"[whaledo: the run itself]\n{printed}"
    )
    assert "smoke: ok on 1 query in " in result.stdout
    assert "; twice: identical\n" in result.stdout
    assert str(whaledo_run.output / "smoke" / "log.txt") in result.stdout


def test_a_smoke_run_that_fails_says_where_its_log_is(whaledo_run: Command) -> None:
    result = whaledo_run("[][0]", "--smoke", "1", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["verdict"]["step"], document["smoke"]["first"]["verdict"]["step"]) == ("smoke", "run")
    assert "✗ crashed: in the smoke run on 1 query (see smoke/): main.py raised IndexError" in result.stderr
    assert "smoke: crashed on 1 query in " in result.stderr
    assert str(whaledo_run.output / "smoke" / "log.txt") in result.stderr
    assert str(whaledo_run.output / "log.txt") not in result.stderr


def test_what_is_certain_to_fail_is_listed_with_its_lines_and_never_started(whaledo_run: Command) -> None:
    result = whaledo_run("print('never')\nimport timm\nopen('gone.pth')\nHOME = '/home/me/x'\n")
    assert result.exit_code == 1
    assert "never\n" not in result.output
    assert "✗ missing_import: not started, because it would fail: main.py:2: `timm`" in result.stdout
    assert "  ✗ main.py:3: opens 'gone.pth', which isn't packed" in result.stdout
    assert "--no-check" in result.stdout
    assert result.stdout.count("main.py:4: '/home/me/x'") == 1
    past = whaledo_run("print('started')\nimport timm\n", "--no-check")
    assert past.stdout.startswith("started\n")


def test_warnings_come_before_the_output_and_are_counted_after_it(
    whaledo_run: Command, valid_csv_code: str
) -> None:
    code = f"HOME = '/home/me/x'\nprint('embedding')\n{valid_csv_code}"
    result = whaledo_run(code)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("[whaledo: main.py:1: '/home/me/x' isn't there in a run")
    assert lines[1] == "embedding"
    assert "  ! 1 warning before the run: see above, or `whaledo check`" in lines
    assert result.stdout.count("/home/me/x") == 1
    failed = whaledo_run("HOME = '/home/me/x'\nraise ValueError('no fins')\n")
    assert failed.stdout.count("main.py:1: '/home/me/x' isn't there in a run") == 2


def test_walls_that_are_required_and_missing_are_the_hosts_fault(whaledo_run: Command) -> None:
    result = whaledo_run("", "--require", "enforced", "--network", "host")
    assert result.exit_code == 3
    assert "nothing was started" in result.stderr
    assert (
        "network: not enforced: the host's network was asked for (leave --network host out)" in result.stderr
    )
    assert not whaledo_run.output.exists()


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (["--smoke", "0"], 2, "a smoke run of 0 queries tries nothing"),
        (["--smoke", "-2"], 2, "a smoke run of -2 queries tries nothing"),
        (["--twice", "--show-identities"], 2, "it can't show identities"),
        (["--memory", "8x"], 2, "`8x` is not a size"),
        (["--timeout", "soon"], 2, "`soon` is not a duration"),
        (["--timeout", "0"], 2, "the limit wall_s is 0"),
        (["--cpus", "nan"], 2, "the limit cpus is nan"),
        (["--pids", "1"], 2, "it can't be less than 8"),
        (["--engine", "qemu"], 2, "there is no engine `qemu`"),
        (["--data", "/nowhere"], 1, "/nowhere"),
        (["--output", "/dev/null/x"], 3, "/dev/null/x can't be used"),
    ],
)
def test_a_mistake_is_a_sentence_and_a_status(
    options: list[str], status: int, says: str, whaledo_run: Command
) -> None:
    result = whaledo_run("", *options)
    assert result.exit_code == status, result.output
    assert says in result.stderr
    assert "→" in result.stderr
    assert "Traceback" not in result.output
    assert not whaledo_run.output.exists()


def test_a_zip_that_isnt_there_is_said_with_how_to_make_one() -> None:
    result = invoke("/nowhere/s.zip")
    assert result.exit_code == 2
    assert "there is no zip at /nowhere/s.zip" in result.stderr
    assert "whaledo pack" in result.stderr


def test_a_signal_is_remembered_and_the_old_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with _cancelling() as received:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert received == [signal.SIGTERM, signal.SIGINT]
    assert signal.getsignal(signal.SIGTERM) is before


def result_of(verdict: Verdict, **changes: Any) -> RunResult:
    """A result with this verdict."""
    usage = Usage(wall_s=80, peak_memory_bytes=1024**3, max_processes=7, output_bytes=0, log_bytes=10)
    bare = RunResult("id", "0.1", "now", verdict, {}, {}, {}, {}, Limits(), usage, {})
    return replace(bare, **changes)


def said(result: RunResult, capsys: pytest.CaptureFixture[str]) -> tuple[str, int]:
    """What a person reads of a result, and the exit status."""
    answer = Answer(json=False)
    say_result(result, Path("out"), answer)
    return capsys.readouterr().out, answer.exit_status


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.SUBMISSION, 1), (Fault.DATA, 1), (Fault.MACHINE, 3), (None, 1)]
)
def test_the_exit_status_says_whose_fault_it_is(
    fault: Fault | None, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = Verdict(Code.CANCELLED if fault is None else Code.CRASHED, Step.RUN, fault, "it ended")
    assert said(result_of(verdict), capsys)[1] == status


def test_every_problem_the_fix_and_the_walls_that_arent_whole_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    verdict = Verdict(
        Code.INVALID_OUTPUT,
        Step.VALIDATE,
        Fault.SUBMISSION,
        "2 places",
        "mend them",
        details=("line 2: a", "line 3: \x1b[2Jb"),
    )
    held = {
        "memory": {"level": "best_effort", "by": "looked at now and then"},
        "network": {"level": "enforced", "by": "a namespace"},
        "system_calls": {"level": "not_enforced", "by": "no filter"},
    }
    text, _ = said(result_of(verdict, engine={"guarantees": held}, warnings=("q2 is unanswered",)), capsys)
    assert "✗ invalid_output: 2 places\n  ✗ line 2: a\n  ✗ line 3: \\x1b[2Jb\n  → mend them\n" in text
    assert "! q2 is unanswered" in text
    assert "memory: best effort (looked at now and then)" in text
    assert "system_calls: not enforced (no filter)" in text
    assert "network" not in text
    assert "likely, not proven" not in text


def test_usage_is_shown_beside_its_limits_as_far_as_it_is_known() -> None:
    ended = Verdict(Code.OK, Step.VALIDATE, None, "fine")
    assert usage_line(result_of(ended)) == (
        "1 min 20 s of 3 h 0 min · memory 1.0 GiB of 8.0 GiB · 7 of 1024 processes and threads · "
        "wrote 0 B of 4.0 GiB · printed 10 B"
    )
    assert usage_line(result_of(ended, usage=Usage(wall_s=1))) == "1.0 s of 3 h 0 min · printed 0 B"
