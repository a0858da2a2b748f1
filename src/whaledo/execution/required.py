"""Refuse to run on a host whose walls aren't whole: what `--require` asks for.

Only a run that stands behind its walls can tell how far they hold: which control group it got, whether the kernel
filters its calls. So a `main.py` of ours that does nothing is started first, with the same engine and limits, and
nothing of the submission is unpacked, let alone executed, until that one stood as firmly as was asked for. The run
itself is looked at again when it has started, because a host can change in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from whaledo.errors import MachineError, Problem, Problems
from whaledo.execution.contract import Network
from whaledo.execution.engines.base import Engine
from whaledo.execution.records import Guarantee, Held, Level, RunRequest
from whaledo.execution.trial import start_nothing

HINT = "`whaledo doctor` says what mends each; another --engine may hold more; --require best_effort asks for less"


def require_guarantees(request: RunRequest, engine: Engine, needed: Level, runs: Path, run_id: str) -> None:
    """Start a `main.py` that does nothing as the run would be, and look at its walls.

    Args:
        request: the run that is to come.
        engine: what it will be started with.
        needed: the level that every guarantee has to reach.
        runs: where the folders of all runs are.
        run_id: that of the run to come.

    Raises:
        MachineError: a guarantee doesn't reach the level; each that doesn't is a problem.
    """
    weak = weaker(start_nothing(engine, request, runs, run_id), needed)
    if weak:
        raise MachineError(
            f"nothing was started: {_summary(weak, needed)}", hint=HINT, problems=_problems(weak, request)
        )


def check_started(guarantees: Mapping[Guarantee, Held], needed: Level) -> None:
    """Look at the walls of a run that has started.

    Raises:
        MachineError: a guarantee doesn't reach the level, though it did a moment ago.
    """
    if weak := weaker(guarantees, needed):
        told = "; ".join(f"{name}: {_level(held)} ({held.by})" for name, held in weak.items())
        raise MachineError(
            f"{_summary(weak, needed)}, though all did a moment ago: {told}. The submission had begun and was "
            f"killed at once; nothing that it did counts",
            hint=HINT,
        )


def weaker(guarantees: Mapping[Guarantee, Held], needed: Level) -> dict[Guarantee, Held]:
    """The guarantees that don't reach a level."""
    return {name: held for name, held in guarantees.items() if not held.level.reaches(needed)}


def _summary(weak: Mapping[Guarantee, Held], needed: Level) -> str:
    count = f"{len(weak)} guarantee{'s are' if len(weak) != 1 else ' is'}"
    if needed is Level.ENFORCED:
        return f"{count} not enforced on this host"
    return f"{count} not even {needed.value.replace('_', ' ')} on this host"


def _level(held: Held) -> str:
    return held.level.value.replace("_", " ")


def _problems(weak: Mapping[Guarantee, Held], request: RunRequest) -> Problems:
    asked = {
        Guarantee.NETWORK: "leave --network host out" if request.network is Network.HOST else "",
        Guarantee.CPUS: "leave --cpus out, if all processors may be used" if request.limits.cpus else "",
    }
    problems = Problems()
    for name, held in weak.items():
        problems.add(Problem(name.value, f"{name.value}: {_level(held)}: {held.by}", asked.get(name, "")))
    return problems
