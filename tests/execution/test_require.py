"""`require`: nothing of a submission begins on a host whose walls aren't as whole as was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.errors import Fault, MachineError
from whaledo.execution.cgroups import control_group
from whaledo.execution.contract import Limits, Network
from whaledo.execution.engines import bubblewrap
from whaledo.execution.engines.base import Order
from whaledo.execution.engines.bubblewrap import Bubblewrap, BubblewrapSandbox
from whaledo.execution.records import Guarantee, Held, Level, RunRequest, Step
from whaledo.execution.required import check_started, weaker

if TYPE_CHECKING:
    from tests.conftest import Rooms

pytestmark = pytest.mark.usefixtures("nothing_left")

REAL_START = Bubblewrap.start


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every `main.py` that is started."""
    seen: list[bytes] = []

    def start(engine: Bubblewrap, order: Order) -> BubblewrapSandbox:
        seen.append((order.workspace.code / "main.py").read_bytes())
        return REAL_START(engine, order)

    monkeypatch.setattr(Bubblewrap, "start", start)
    return seen


@pytest.fixture
def without_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that gives no control groups."""
    monkeypatch.setattr(bubblewrap, "control_group", lambda *_: "no control groups here")


@pytest.mark.usefixtures("without_group")
def test_nothing_of_the_submission_is_started_and_each_weak_wall_is_named(
    rooms: Rooms, started: list[bytes]
) -> None:
    request = rooms.request("print('never')", require=Level.ENFORCED, network=Network.HOST, smoke=1)
    with pytest.raises(MachineError, match=r"nothing was started: \d guarantees are not enforced") as caught:
        rooms.run(request)
    assert started == [b""]
    assert not Path(request.output).exists()
    said = {problem.code: problem for problem in caught.value.problems}
    # A root that lacks CAP_SYS_RESOURCE can't limit the processes of the first one.
    assert set(said) - {"process_count"} == {"network", "memory"}
    assert "best effort" in said["memory"].message
    assert "no control groups here" in said["memory"].message
    assert said["network"].hint == "leave --network host out"
    assert "whaledo doctor" in caught.value.hint


@pytest.mark.usefixtures("without_group")
def test_less_can_be_required(rooms: Rooms, valid_csv_code: str) -> None:
    request = rooms.request(valid_csv_code, require=Level.BEST_EFFORT)
    assert rooms.run(request).verdict.code == "ok"
    with pytest.raises(MachineError, match="1 guarantee is not even best effort"):
        rooms.run(rooms.request(valid_csv_code, require=Level.BEST_EFFORT, network=Network.HOST))


def test_a_host_with_whole_walls_runs_on(rooms: Rooms, valid_csv_code: str, started: list[bytes]) -> None:
    request = rooms.request(valid_csv_code)
    held = rooms.run(request).engine["guarantees"]
    if weak := [name for name, each in held.items() if each["level"] != "enforced"]:
        pytest.skip(f"this host doesn't enforce {', '.join(weak)}")
    started.clear()
    required = RunRequest.from_json({**request.to_json(), "require": "enforced"})
    assert rooms.run(required).verdict.code == "ok"
    assert started == [b"", valid_csv_code.encode()]


def test_a_wall_that_falls_after_the_look_ends_the_run_as_our_fault(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, started: list[bytes]
) -> None:
    def gone_by_now(run_id: str, limits: Limits, pid: int) -> object:
        return control_group(run_id, limits, pid) if run_id.endswith("-probe") else "gone by now"

    probe = rooms.run(rooms.request("")).engine["guarantees"]
    if any(each["level"] != "enforced" for each in probe.values()):
        pytest.skip("this host doesn't enforce everything")
    monkeypatch.setattr(bubblewrap, "control_group", gone_by_now)
    request = rooms.request("import time\ntime.sleep(60)", require=Level.ENFORCED)
    result = rooms.run(request)
    assert (result.verdict.code, result.verdict.step) == ("platform_error", Step.START)
    assert result.verdict.fault is Fault.MACHINE
    assert "had begun and was killed at once" in result.verdict.message
    assert "memory: best effort" in result.verdict.message
    assert result.engine["guarantees"]["memory"]["level"] == "best_effort"
    assert not Path(request.output, "submission.csv").exists()


def guarantees(level: Level) -> Mapping[Guarantee, Held]:
    """Every guarantee enforced, but for one."""
    held = dict.fromkeys(Guarantee, Held(Level.ENFORCED, "a wall"))
    return {**held, Guarantee.DISK: Held(level, "looked at now and then")}


@pytest.mark.parametrize(
    ("level", "needed", "reaches"),
    [
        (Level.ENFORCED, Level.ENFORCED, True),
        (Level.BEST_EFFORT, Level.ENFORCED, False),
        (Level.NOT_ENFORCED, Level.ENFORCED, False),
        (Level.BEST_EFFORT, Level.BEST_EFFORT, True),
        (Level.NOT_ENFORCED, Level.BEST_EFFORT, False),
        (Level.NOT_ENFORCED, Level.NOT_ENFORCED, True),
    ],
)
def test_a_level_reaches_itself_and_what_is_below(level: Level, needed: Level, *, reaches: bool) -> None:
    assert level.reaches(needed) is reaches
    assert list(weaker(guarantees(level), needed)) == ([] if reaches else [Guarantee.DISK])
    if reaches:
        check_started(guarantees(level), needed)
    else:
        with pytest.raises(MachineError, match=r"disk: .* \(looked at now and then\)"):
            check_started(guarantees(level), needed)
