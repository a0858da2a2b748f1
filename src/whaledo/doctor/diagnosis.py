"""Examine this host: the one function behind `whaledo doctor`."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from whaledo.doctor.advice import mend, mend_unusable, notes
from whaledo.doctor.examination import examine, room
from whaledo.doctor.facts import Facts, collect_facts
from whaledo.doctor.records import Diagnosis, EngineReport
from whaledo.environment.accelerator import needed_cuda
from whaledo.environment.profiles import read_lock
from whaledo.errors import UsageError
from whaledo.execution.engines import ENGINES


def diagnose(
    engine: str = "auto", on_trial: Callable[[str, str], None] = lambda _engine, _trial: None
) -> Diagnosis:
    """Attack every guarantee of every engine on this host.

    Args:
        engine: the only one to examine; `auto`: all of them, and the one that `auto` takes is judged.
        on_trial: called with the engine and the trial before each run.

    Raises:
        UsageError: there is no engine of that name.
        MachineError: there is no place for the trials.
    """
    if engine not in ("auto", *ENGINES):
        known = ", ".join(("auto", *ENGINES))
        raise UsageError(f"there is no engine `{engine}`", hint=f"the engines are: {known}")
    started, facts = datetime.now(UTC), collect_facts()
    with room() as place:
        reports = tuple(
            _advised(examine(name, place, partial(mend, facts), on_trial), facts)
            for name in (ENGINES if engine == "auto" else (engine,))
        )
    return Diagnosis(
        kernel=f"{facts.system} {facts.kernel} {platform.machine()}",
        started=started.isoformat(timespec="seconds"),
        judged=next((each.engine for each in reports if not each.absent), reports[0].engine),
        engines=reports,
        notes=tuple(notes(facts, needed_cuda(read_lock("gpu")))),
    )


def _advised(report: EngineReport, facts: Facts) -> EngineReport:
    """An engine that can't be used, with the line that suits this host."""
    if not report.unusable:
        return report
    return replace(report, mend=mend_unusable(facts, report.engine, report.unusable, report.mend))
