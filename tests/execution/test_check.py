"""The check before a run: what is certain to fail isn't started, and nothing in a zip can make it the run's end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from whaledo.environment.profiles import read_lock
from whaledo.errors import Fault, Severity
from whaledo.execution import check, runner
from whaledo.execution.check import Checker, known_profile
from whaledo.execution.contract import Network
from whaledo.execution.engines.base import Order, Packages
from whaledo.execution.engines.bubblewrap import Bubblewrap, BubblewrapSandbox
from whaledo.execution.records import Check, RunRequest, Step
from whaledo.execution.runner import Listener
from whaledo.resources import HOME_VARIABLE

if TYPE_CHECKING:
    from tests.conftest import Rooms

pytestmark = pytest.mark.usefixtures("nothing_left")

REAL_START = Bubblewrap.start
FAILS = "import timm\nopen('gone.pth')\nHOME = '/home/me/whales'\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs of which anything was started."""
    seen: list[str] = []

    def start(engine: Bubblewrap, order: Order) -> BubblewrapSandbox:
        seen.append(order.run_id)
        return REAL_START(engine, order)

    monkeypatch.setattr(Bubblewrap, "start", start)
    return seen


def core() -> Packages:
    """What a run with the profile `core` has."""
    return Packages("core", read_lock("core").sha256)


def checked(request: RunRequest, packages: Packages | None = None) -> Check | None:
    """What the check says."""
    with Checker() as checker:
        checker.ask(request, packages or core())
        return checker.answer()


def test_what_is_certain_to_fail_is_told_at_once_and_never_started(rooms: Rooms, started: list[str]) -> None:
    told: list[Sequence[str]] = []
    request = rooms.request(FAILS, smoke=1)
    result = rooms.run(request, Listener(told=told.append))
    ended = result.verdict
    assert (ended.code, ended.step, ended.fault) == ("missing_import", Step.CHECK, Fault.SUBMISSION)
    assert "main.py:1: `timm` is not in `core`" in ended.message
    assert "and 1 more error" in ended.message
    assert [line.partition(" ")[0] for line in ended.details] == ["main.py:2:", "main.py:1:"]
    assert "--no-check" in ended.hint
    assert (started, told, result.smoke, list(result.steps)) == ([], [], None, ["check"])
    document = json.loads(Path(request.output, "run.json").read_text())
    assert document["submission"]["sha256"]
    assert {kind["code"] for kind in document["check"]["problems"]} == {
        "missing_import",
        "missing_file",
        "own_path",
    }
    assert not Path(request.output, "log.txt").exists()


def test_what_isnt_about_an_import_would_be_a_crash(rooms: Rooms) -> None:
    ended = rooms.run(rooms.request("def broken(:\n")).verdict
    assert (ended.code, ended.step, ended.details) == ("crashed", Step.CHECK, ())
    assert "main.py:1: is no valid Python 3.11" in ended.message


def test_earlier_results_are_kept_where_nothing_is_started(rooms: Rooms, valid_csv_code: str) -> None:
    good = rooms.request(valid_csv_code)
    rooms.run(good)
    bad = replace(rooms.request(FAILS), output=good.output)
    rooms.run(bad)
    assert sorted(path.name for path in Path(good.output).iterdir()) == [
        ".whaledo.lock",
        "previous",
        "run.json",
    ]
    assert (Path(good.output) / "previous" / "submission.csv").exists()


def test_who_knows_better_runs_it_all_the_same(rooms: Rooms, started: list[str]) -> None:
    result = rooms.run(rooms.request(FAILS, check=False))
    assert (result.verdict.code, result.verdict.step) == ("missing_import", Step.RUN)
    assert (len(started), result.check, result.warnings) == (1, None, ())
    assert "check" not in result.steps


def test_what_is_not_certain_is_told_recorded_and_run(
    rooms: Rooms, valid_csv_code: str, started: list[str]
) -> None:
    told: list[str] = []
    code = f"try:\n    import timm\nexcept ImportError:\n    pass\nHOME = '/home/me'\n{valid_csv_code}"

    def tell(lines: Sequence[str]) -> None:
        assert started == []
        told.extend(lines)

    result = rooms.run(rooms.request(code, smoke=2), Listener(told=tell))
    assert result.verdict.code == "ok"
    assert [line.partition(" ")[0] for line in told] == ["main.py:2:", "main.py:5:"]
    assert result.warnings == tuple(told)
    assert result.check is not None
    assert (result.check.profile, result.check.modules) == ("core", 1)
    assert result.smoke is not None
    assert result.smoke.first.warnings == ()


def test_with_a_network_a_download_is_no_error(rooms: Rooms) -> None:
    code = "import urllib.request\nurllib.request.urlopen('https://example.org')\n"
    offline, online = (
        checked(rooms.request(code, network=network)) for network in (Network.NONE, Network.HOST)
    )
    assert offline is not None
    assert online is not None
    assert [kind["code"] for kind in offline.problems] == ["download"]
    assert online.problems == ()


def test_identities_that_are_shown_are_not_missed(rooms: Rooms) -> None:
    code = "import pandas\nprint(pandas.read_csv('data/metadata.csv')['whale_id'])\n"
    hidden, shown = (checked(rooms.request(code, show_identities=each)) for each in (False, True))
    assert hidden is not None
    assert shown is not None
    assert [kind["code"] for kind in hidden.problems] == ["hidden_data"]
    assert shown.problems == ()


def test_nothing_is_claimed_of_packages_that_nobody_knows(rooms: Rooms) -> None:
    request = rooms.request("import timm\nimport whales_of_ours\n")
    elsewhere = [
        checked(replace(request, image="ana/whales:2")),
        checked(request, Packages("whales", "f00")),
        checked(request, Packages("core", "f00")),
    ]
    assert elsewhere == [Check(None, modules=1)] * 3
    at_home = checked(request)
    assert at_home is not None
    assert at_home.total(Severity.ERROR) == 2


def test_a_profile_is_known_by_its_lock() -> None:
    request = RunRequest("s.zip", "data", "out")
    assert known_profile(request, core()) == "core"
    assert known_profile(request, Packages("core", "another build")) is None


@pytest.mark.parametrize("files", [{"other.py": ""}, {"main.py": "", "data/x": ""}])
def test_a_zip_that_unpacking_refuses_is_left_to_unpacking(rooms: Rooms, files: dict[str, str]) -> None:
    request = rooms.request(files)
    assert checked(request) is None
    result = rooms.run(request)
    assert (result.verdict.step, result.check) == (Step.UNPACK, None)


@pytest.mark.parametrize(
    "code",
    [f"x = {'-' * 100_000}1\n", "x = 1\n" * 60_000, "x = '" + "y" * 2_000_000 + "'\n"],
    ids=["minuses", "lines", "one_line"],
)
def test_code_that_is_hard_to_read_is_run_all_the_same(rooms: Rooms, code: str) -> None:
    result = rooms.run(rooms.request({"main.py": "import deep", "deep.py": code}))
    assert result.verdict.step is not Step.CHECK
    assert result.verdict.fault is not Fault.MACHINE
    assert any("deep.py" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        ("import os; os.abort()", f"signal {signal.SIGABRT.value}"),
        ("import os; os._exit(3)", "status 3"),
        ("raise MemoryError", "status 1"),
        ("import time; time.sleep(60)", f"signal {signal.SIGKILL.value}"),
        ("while True: pass", f"signal {signal.SIGKILL.value}"),
        ("x = ' ' * (4 << 30)", "status 1"),
    ],
)
def test_a_reader_that_falls_is_a_warning_and_no_more(
    rooms: Rooms, valid_csv_code: str, monkeypatch: pytest.MonkeyPatch, instead: str, says: str
) -> None:
    monkeypatch.setattr(check, "_READER", instead)
    monkeypatch.setattr(check, "PATIENCE_S", 0.5)
    result = rooms.run(rooms.request(valid_csv_code))
    assert result.verdict.code == "ok"
    (warning,) = result.warnings
    assert "couldn't be checked before the run" in warning
    assert says in warning


def test_a_check_can_be_stopped_by_hand(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, started: list[str]
) -> None:
    monkeypatch.setattr(check, "_READER", "import time; time.sleep(60)")
    result = rooms.run(rooms.request(""), Listener(cancelled=lambda: True))
    assert (result.verdict.code, result.verdict.step, result.verdict.fault) == ("cancelled", Step.CHECK, None)
    assert started == []


STARTS_ONE = """\
import time
from whaledo.execution import check, runner
check._READER = check._READER.replace("apart.main()", "import time; time.sleep(60)")
checker = check.Checker()
print(checker._process.pid, flush=True)
time.sleep(60)
"""


def test_a_reader_ends_with_a_whaledo_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS_ONE], stdout=subprocess.PIPE, text=True) as ours:
        assert ours.stdout is not None
        reader = psutil.Process(int(ours.stdout.readline()))
        time.sleep(0.2)
        assert reader.is_running()
        ours.kill()
    deadline = time.monotonic() + 1
    while reader.is_running() and reader.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_nothing_is_left_of_a_checker_that_is_never_asked() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with Checker() as checker:
        reader = psutil.Process(checker._process.pid)
    assert not reader.is_running()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_checker_that_came_up_early_is_used(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    request = rooms.request("import timm")
    with Checker() as early:
        monkeypatch.setattr(runner, "Checker", None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(HOME_VARIABLE, str(rooms.home))
            assert runner.run(request, checker=early).verdict.step is Step.CHECK
