"""What a run proves: from what was seen of it to whether a claim holds. All runs here are made up."""

from __future__ import annotations

from typing import Any

import pytest

from whaledo.doctor.records import Attempt, Diagnosis, EngineReport, Examined, Finding, Outcome
from whaledo.doctor.trials import (
    KILL,
    LIMITS,
    MIB,
    PRINTED_BYTES,
    TRIALS,
    Seen,
    judge_crowd,
    judge_disk,
    judge_end,
    judge_files,
    judge_look,
    judge_memory,
    without_control,
)
from whaledo.errors import Fault
from whaledo.execution.records import Code, Guarantee, Held, Level, RunResult, Step, Usage, Verdict

W, B, N = Outcome.WITHSTOOD, Outcome.BROKE, Outcome.SAYS_NOTHING


def seen(
    trial: str = "look",
    code: Code = Code.NO_OUTPUT,
    level: Level = Level.ENFORCED,
    usage: Usage | None = None,
    said: dict[str, Any] | None = None,
    **more: Any,
) -> Seen:
    result = RunResult(
        run_id="r",
        whaledo="0",
        started="",
        verdict=Verdict(code, Step.RUN, Fault.SUBMISSION, "so it ended"),
        engine={"guarantees": {each.value: {"level": level, "by": ""} for each in Guarantee}},
        submission={},
        environment={},
        data={},
        limits=next(each.limits for each in TRIALS if each.name == trial),
        usage=usage or Usage(),
        steps={},
    )
    return Seen(result, said, **more)


def outcomes(attempts: list[Attempt]) -> dict[str, Outcome]:
    return {attempt.guarantee.value: attempt.outcome for attempt in attempts}


def test_every_guarantee_is_tried() -> None:
    assert {name for trial in TRIALS for name in trial.guarantees} == {*Guarantee}


BEST = Level.BEST_EFFORT


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        (seen("memory", Code.OUT_OF_MEMORY), W),
        (seen("memory", said={"held_bytes": 48 * MIB}), W),
        (seen("memory", said={"held_bytes": 144 * MIB}), B),
        (seen("memory", Code.OUT_OF_MEMORY, usage=Usage(peak_memory_bytes=100 * MIB)), B),
        (seen("memory", Code.CRASHED), N),
        (seen("memory", Code.OUT_OF_MEMORY, BEST, Usage(peak_memory_bytes=100 * MIB)), W),
        (seen("memory", level=BEST, said={"held_bytes": 144 * MIB}), B),
        (seen("memory", Code.CRASHED, BEST), N),
    ],
)
def test_memory_that_is_enforced_is_never_passed_and_else_passing_is_noticed(
    what: Seen, outcome: Outcome
) -> None:
    assert [each.outcome for each in judge_memory(what)] == [outcome]


def crowd(at_once: int, cpu_s: float, level: Level = Level.ENFORCED, processors: int = 2) -> Seen:
    return seen(
        "crowd", level=level, said={"at_once": at_once, "cpu_s": cpu_s, "wall_s": 1.0}, processors=processors
    )


@pytest.mark.parametrize(
    ("what", "count", "cpus"),
    [
        (crowd(16, 1.0), W, W),
        (crowd(17, 1.0), B, W),
        (crowd(16, 1.9), W, B),
        (crowd(16, 0.1), W, N),
        (crowd(16, 1.9, level=BEST), W, N),
        (crowd(16, 1.0, processors=1), W, N),
        (seen("crowd", Code.CRASHED), N, N),
    ],
)
def test_processes_are_counted_and_their_time_is_added_up(what: Seen, count: Outcome, cpus: Outcome) -> None:
    assert outcomes([*judge_crowd(what)]) == {"process_count": count, "cpus": cpus}


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        (seen("disk", said={"written_bytes": LIMITS.disk_bytes}), W),
        (seen("disk", said={"written_bytes": LIMITS.disk_bytes + 1}), B),
        (seen("disk", Code.DISK_FULL, said={"written_bytes": LIMITS.disk_bytes + 1}), B),
        (seen("disk", Code.DISK_FULL, BEST), W),
        (seen("disk", Code.DISK_FULL, BEST, said={"written_bytes": 72 * MIB}), W),
        (seen("disk", level=BEST, said={"written_bytes": 72 * MIB}), B),
        (seen("disk", Code.CRASHED), N),
    ],
)
def test_disk_that_is_enforced_is_never_passed_and_else_passing_is_noticed(
    what: Seen, outcome: Outcome
) -> None:
    assert [each.outcome for each in judge_disk(what)] == [outcome]


def test_files_without_end_are_counted() -> None:
    for made, gave_up, outcome in (
        (251_000, False, B),
        (250_000, False, W),
        (99_000, True, N),
        (251_000, True, B),
    ):
        said = {"made": made, "gave_up": gave_up}
        assert [each.outcome for each in judge_files(seen("files", said=said))] == [outcome]


def ended(wall_s: float = 1.0, log_bytes: int = PRINTED_BYTES, **more: Any) -> Seen:
    usage = Usage(wall_s=wall_s, log_bytes=log_bytes)
    return seen("end", **{"code": Code.TIMEOUT, "usage": usage, **more})


@pytest.mark.parametrize(
    ("what", "broken"),
    [
        (ended(alive=False, uid=1000), set()),
        (ended(wall_s=9.0, alive=False, uid=1000), {"wall_time"}),
        (ended(log_bytes=PRINTED_BYTES, alive=False, uid=1000) , set()),
        (ended(alive=True, uid=1000), {"processes"}),
        (ended(alive=False, uid=0), {"privileges"}),
    ],
)  # fmt: skip
def test_a_run_ends_in_time_with_all_its_processes(what: Seen, broken: set[str]) -> None:
    found = outcomes([*judge_end(what)])
    assert {name for name, outcome in found.items() if outcome is B} == broken


def test_a_log_past_its_limit_is_broken() -> None:
    assert outcomes([*judge_end(ended(alive=False, uid=1))])["log"] is W
    too_much = seen("end", Code.TIMEOUT, usage=Usage(1.0, log_bytes=PRINTED_BYTES), log_bytes=200_000)
    assert outcomes([*judge_end(too_much)])["log"] is B


def test_processes_that_were_never_in_sight_prove_nothing() -> None:
    found = outcomes([*judge_end(ended())])
    assert found["processes"] is found["privileges"] is N


def test_a_look_that_came_to_nothing_proves_nothing() -> None:
    assert {each.outcome for each in judge_look(seen(code=Code.CRASHED))} == {N}


def test_a_dead_process_of_the_host_breaks_the_claim_whatever_the_probe_says() -> None:
    told = {"guarantee": "processes", "what": KILL, "broke": False, "saw": ""}
    (attempt,) = judge_look(seen(said={"attacks": [told]}, killed=True))
    assert attempt.outcome is B


def test_an_attack_that_fails_without_walls_too_says_nothing() -> None:
    attempts = [Attempt(Guarantee.NETWORK, what, W) for what in ("IPv4", "IPv6", "names")]
    came = without_control(attempts, {"IPv4": True, "IPv6": False})
    assert [each.outcome for each in came] == [W, N, W]


def examined(level: Level, *came: Outcome) -> Examined:
    return Examined(
        Guarantee.MEMORY,
        Held(level, ""),
        tuple(Attempt(Guarantee.MEMORY, "x", outcome) for outcome in came),
    )


@pytest.mark.parametrize(
    ("what", "finding"),
    [
        (examined(Level.ENFORCED, W, N), Finding.ENFORCED),
        (examined(Level.ENFORCED, N), Finding.UNTRIED),
        (examined(Level.ENFORCED, W, B), Finding.BROKEN),
        (examined(BEST, W), Finding.BEST_EFFORT),
        (examined(BEST, B), Finding.BROKEN),
        (examined(Level.NOT_ENFORCED, B), Finding.NOT_ENFORCED),
        (examined(Level.NOT_ENFORCED, W), Finding.NOT_ENFORCED),
    ],
)
def test_a_finding_needs_a_claim_and_its_proof(what: Examined, finding: Finding) -> None:
    assert what.finding is finding


def diagnosis(*reports: EngineReport) -> Diagnosis:
    return Diagnosis("Linux", "", reports[0].engine, reports)


@pytest.mark.parametrize(
    ("first", "second", "normal", "strict"),
    [
        (examined(Level.ENFORCED, W), examined(BEST, W), 0, 0),
        (examined(BEST, W), examined(Level.ENFORCED, W), 0, 1),
        (examined(Level.NOT_ENFORCED, B), examined(Level.ENFORCED, W), 0, 1),
        (examined(Level.ENFORCED, N), examined(Level.ENFORCED, W), 0, 1),
        (examined(Level.ENFORCED, W), examined(Level.ENFORCED, B), 1, 1),
    ],
)
def test_strict_is_about_the_judged_engine_and_a_broken_claim_about_all(
    first: Examined, second: Examined, normal: int, strict: int
) -> None:
    found = diagnosis(EngineReport("a", guarantees=(first,)), EngineReport("b", guarantees=(second,)))
    assert len(found.shortcomings(strict=False)) == normal
    assert len(found.shortcomings(strict=True)) == strict


def test_a_judged_engine_that_cannot_run_anything_fails() -> None:
    broken, fine = EngineReport("a", unusable="no"), EngineReport("b")
    assert diagnosis(broken, fine).shortcomings(strict=False) == ["a can't run submissions here"]
    assert diagnosis(fine, broken).shortcomings(strict=True) == []
