"""Every attack with every engine: each promise holds, and nothing of the attack is left.

The cases are folders: tests/hostile/<group>/<case>/. What they promise is listed in docs/isolation.md.
"""

from __future__ import annotations

import json
import runpy
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from tests.execution.conftest import EVERYWHERE
from tests.hostile.cases import ENGINES, PROMISES, Case, level_on, read_cases

from whaledo.execution.records import Guarantee, Level

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import Ran
    from tests.hostile.conftest import Attacker

ROOT = Path(__file__).resolve().parents[2]
CASES = read_cases()
LOOKING = [name for name, case in CASES.items() if case.looks]
RUNNING = [name for name, case in CASES.items() if not case.looks]
OURS = {".whaledo.lock", "log.txt", "run.json"}
CSV_MAY_STAY = {"ok", "invalid_output"}
PATIENCE_S = 30


@pytest.fixture
def nothing_left(rooms: Rooms, targets: Mapping[str, Any]) -> Iterator[None]:
    """After the test no folder, lock or process of a run is left, and no process holds the neighbour's secret."""
    yield
    for home in (rooms.home, rooms.folder / "ordinary"):
        assert list((home / "runs").glob("*")) == []
    assert [pid for pid in psutil.pids() if rooms.folder.name in mounts_of(pid)] == []


def mounts_of(pid: int) -> str:
    """What a process sees of the host's file systems; nothing if it is dead or not ours to look at."""
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ""


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("name", RUNNING)
def test_it_ends_as_promised(name: str, attacker: Attacker) -> None:
    case = CASES[name]
    began = time.monotonic()
    ran = attacker.run(case)
    assert time.monotonic() - began < case.limits.get("wall_s", 30) + PATIENCE_S
    weaker = case.expect_less and ran.held(case.guarantee) == Level.BEST_EFFORT
    right = (case.expect_less,) if weaker else case.expect
    assert ran.code in right, (ran.verdict, ran.log[-2000:])
    assert case.says in f"{ran.verdict['message']} {ran.verdict['hint']}", ran.verdict
    held_walls(ran, attacker.key)
    unharmed(ran, attacker.targets)
    if case.finds:
        compare(case, ran.findings)
    for figure, most in case.uses.items():
        if not ran.record["engine"] or ran.held(case.guarantee) == "enforced":
            assert ran.record["usage"][figure] <= most, figure
    if case.guarantee == "honest":
        assert ran.record["warnings"] == []
        assert ran.record["usage"]["log_dropped_bytes"] == 0


@pytest.mark.parametrize("name", LOOKING)
def test_it_finds_nothing(name: str, looked: Mapping[str, Any], attacker: Attacker) -> None:
    printed = looked[name]
    assert attacker.targets["secret"] not in printed
    assert attacker.targets["neighbour"]["secret"] not in printed
    compare(CASES[name], json.loads(printed.splitlines()[-1]) if printed else {})


def compare(case: Case, found: Mapping[str, Any]) -> None:
    """Hold what a case printed against what it may find."""
    wrong = {
        key: found.get(key)
        for key, right in case.finds.items()
        if found.get(key) not in (right if isinstance(right, list) else [right]) and found.get(key) != right
    }
    assert not wrong, f"{case.title} Found: {found}"
    assert found.keys() >= case.finds.keys()


def held_walls(ran: Ran, key: str) -> None:
    """Every guarantee stood at the level that the page promises."""
    if ran.record["engine"]:
        held = {guarantee: ran.held(guarantee) for guarantee in Guarantee}
        promised = {guarantee: {level_on(key, guarantee), "enforced"} for guarantee in Guarantee}
        assert {name: level for name, level in held.items() if level not in promised[name]} == {}


def unharmed(ran: Ran, targets: Mapping[str, Any]) -> None:
    """The output folder holds what we put there and nothing else, and nothing secret."""
    assert ran.verdict["fault"] in (None, "submission")
    names = {path.name for path in ran.output.iterdir()}
    assert names - OURS <= ({"submission.csv"} if ran.code in CSV_MAY_STAY else set())
    for path in ran.output.iterdir():
        assert path.is_file()
        assert not path.is_symlink()
        assert path.stat().st_mode & 0o7133 == 0
        assert targets["secret"].encode() not in path.read_bytes()


def test_there_are_a_hundred_attacks_and_some_for_each_promise() -> None:
    attacks = [case for case in CASES.values() if case.guarantee != "honest"]
    assert len(attacks) >= 100
    assert {case.guarantee for case in CASES.values()} == PROMISES.keys()


def test_every_case_has_its_own_promise_and_something_that_attacks() -> None:
    assert len({case.title for case in CASES.values()}) == len(CASES)
    for case in CASES.values():
        assert {"main.py", "make_zip.py"} & case.files().keys(), case.name


def test_the_page_has_a_column_for_each_engine() -> None:
    assert tuple(ENGINES) == EVERYWHERE


def test_the_page_is_made_of_the_cases() -> None:
    script = runpy.run_path(str(ROOT / "scripts/make_isolation_table.py"))
    assert script["DOCS"].read_text("utf-8") == script["document"](), "run scripts/make_isolation_table.py"
