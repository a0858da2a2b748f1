"""The doctor at work: real runs, behind walls as they are and behind walls with a hole in them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from whaledo.challenge.load import load_challenge
from whaledo.doctor import examination
from whaledo.doctor.examination import (
    Room,
    examine,
    last_document,
    processes_named,
    room,
    weaker,
    write_challenge,
)
from whaledo.doctor.records import EngineReport, Finding, Outcome
from whaledo.doctor.trials import TRIALS, WALLS
from whaledo.execution.cgroups import ControlGroup, control_group
from whaledo.execution.contract import Limits
from whaledo.execution.engines import BUBBLEWRAP, bubblewrap, bubblewrap_plan
from whaledo.execution.records import Guarantee, Held, Level
from whaledo.resources import HOME_VARIABLE

if TYPE_CHECKING:
    from tests.conftest import Rooms

BY_NAME = {trial.name: trial for trial in TRIALS}
HOLDS = {Finding.ENFORCED, Finding.BEST_EFFORT}


@pytest.fixture(scope="module")
def trial_room(rooms: Rooms) -> Iterator[Room]:
    """A room for trials, in the state folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(rooms.home))
        with room() as made:
            yield made


def attacked(engine: str, made: Room, *trials: str) -> EngineReport:
    report = examine(
        engine, made, lambda engine, name, _: f"{engine} {name}", trials=[BY_NAME[name] for name in trials]
    )
    assert not report.unusable, report
    return report


def findings(report: EngineReport) -> dict[Guarantee, Finding]:
    return {each.guarantee: each.finding for each in report.guarantees}


def broken(report: EngineReport) -> set[str]:
    return {a.what for each in report.guarantees for a in each.came(Outcome.BROKE)}


def test_outside_of_the_walls_the_attacks_find_what_is_held_out(trial_room: Room) -> None:
    failed = {what for what, broke in trial_room.control.items() if not broke}
    assert failed <= {
        "find a way out over IPv4",
        "find a way out over IPv6",
        "find a disk among the devices",
        "signal a process of this host",
    }


def test_bubblewrap_withstands_everything(trial_room: Room) -> None:
    report = attacked(BUBBLEWRAP, trial_room, *BY_NAME)
    assert broken(report) == set()
    found = findings(report)
    busy = found.pop(Guarantee.CPUS)  # on a busy machine it can't be told
    assert busy is not Finding.BROKEN
    assert set(found.values()) <= HOLDS
    assert set(found) == {*Guarantee} - {Guarantee.CPUS}


@pytest.mark.parametrize("name", ["docker", "podman"])
def test_containers_withstand_the_attacks_on_their_walls(
    name: str, trial_room: Room, need_engine: Callable[[str], str]
) -> None:
    report = attacked(need_engine(name), trial_room, "look", "end")
    assert broken(report) == set()
    assert set(findings(report).values()) <= HOLDS


def without(monkeypatch: pytest.MonkeyPatch, option: str, values: int = 0) -> None:
    """Have bubblewrap leave an option out, and go on claiming what it gave."""
    whole = bubblewrap_plan.arguments

    def arguments(*given: Any) -> list[str]:
        args = whole(*given)
        at = args.index(option)
        return args[:at] + args[at + 1 + values :]

    monkeypatch.setattr(bubblewrap, "arguments", arguments)


def test_walls_without_a_network_namespace_are_found_out(
    trial_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "--unshare-net")
    report = attacked(BUBBLEWRAP, trial_room, "look")
    assert findings(report)[Guarantee.NETWORK] is Finding.BROKEN
    assert {"reach a server on this host", "reach an abstract socket of this host"} <= broken(report)


def test_walls_without_a_filter_are_found_out(trial_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "--seccomp", 1)
    report = attacked(BUBBLEWRAP, trial_room, "look")
    assert findings(report)[Guarantee.SYSTEM_CALLS] is Finding.BROKEN
    assert "run without a filter" in broken(report)


def test_walls_that_show_the_hosts_files_are_found_out(
    trial_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, folder = bubblewrap_plan.arguments, str(trial_room.folder)
    monkeypatch.setattr(
        bubblewrap,
        "arguments",
        lambda *given: [*whole(*given), "--bind", folder, folder],
    )
    report = attacked(BUBBLEWRAP, trial_room, "look", "disk")
    assert findings(report)[Guarantee.FILES] is Finding.BROKEN
    assert {"read a file of this host", "talk to a socket of this host"} <= broken(report)
    assert findings(report)[Guarantee.DISK] is Finding.UNTRIED


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user may have no control group to loosen")
@pytest.mark.parametrize(
    ("trial", "guarantee", "loose"),
    [
        ("memory", Guarantee.MEMORY, {"memory_bytes": 512 * 1024**2}),
        ("crowd", Guarantee.PROCESS_COUNT, {"processes": 200}),
    ],
)
def test_a_control_group_that_holds_to_another_limit_is_found_out(
    trial: str,
    guarantee: Guarantee,
    loose: dict[str, int],
    trial_room: Room,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looser(name: str, limits: Limits, pid: int) -> ControlGroup | str:
        return control_group(name, replace(limits, **loose), pid)

    monkeypatch.setattr(bubblewrap, "control_group", looser)
    assert findings(attacked(BUBBLEWRAP, trial_room, trial))[guarantee] is Finding.BROKEN


def test_where_there_is_no_control_group_the_mending_is_asked_for(
    trial_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "control_group", lambda *_: "no control group: not here")
    report = attacked(BUBBLEWRAP, trial_room, "memory")
    (memory,) = report.guarantees
    assert memory.finding is Finding.BEST_EFFORT
    assert memory.mend == "bubblewrap memory"


def test_an_engine_that_is_not_there_says_what_to_do(
    trial_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    report = examine("podman", trial_room, lambda *_: "")
    assert report.absent
    assert "isn't installed" in report.unusable
    assert "apt install podman" in report.mend


def test_an_engine_whose_walls_fall_says_so(trial_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bubblewrap_plan.arguments
    monkeypatch.setattr(bubblewrap, "arguments", lambda *given: ["--no-such-option", *whole(*given)])
    report = examine(BUBBLEWRAP, trial_room, lambda *_: "", trials=[BY_NAME["look"]])
    assert not report.absent
    assert "Unknown option" in report.unusable
    assert "older than 0.8" in report.mend


def test_the_room_leaves_nothing_behind(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(rooms.home))
    monkeypatch.setattr(examination, "_control", lambda *_: {})
    with room() as made:
        there, process = made.folder, made.bait.process
        assert process.poll() is None
    assert not there.exists()
    assert process.poll() is not None


def test_the_challenge_is_one(tmp_path: Path) -> None:
    write_challenge(tmp_path / "data")
    assert len(load_challenge(tmp_path / "data").images) == 2


def test_the_last_document_of_a_log_is_found_among_other_lines() -> None:
    first, last = json.dumps({"a": 1}), json.dumps({"a": 2})
    assert last_document(f"[whaledo: x]\n{first}\n{last}\n{{broken\n".encode()) == {"a": 2}
    assert last_document(b"nothing\n") is None


def test_of_two_claims_the_weaker_counts() -> None:
    enforced, best = Held(Level.ENFORCED, "a"), Held(Level.BEST_EFFORT, "b")
    assert weaker(enforced, best) is weaker(best, enforced) is best


def test_processes_are_found_by_the_name_they_gave_themselves() -> None:
    own = Path("/proc/self/comm").read_text().strip()
    assert os.getuid() in processes_named(own)
    assert processes_named("wd-nobody") == []


def test_every_trial_has_its_guarantees_in_what_it_proves() -> None:
    assert BY_NAME["look"].guarantees == WALLS
