"""`whaledo doctor`: what this host's walls are worth, shown by attacking them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering

if TYPE_CHECKING:
    from whaledo.doctor.records import Diagnosis, EngineReport, Examined

WIDTH = 100
"""Columns of the screen that everything fits on but the lines to be copied, which are never broken."""


def doctor(
    engine: Annotated[
        str, typer.Option("--engine", help="Examine only this one: bubblewrap, docker or podman.")
    ] = "auto",
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail unless the engine that `auto` takes enforces everything.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Attack every wall of every engine here; say what holds, what doesn't, and how to mend it."""
    with answering(json) as answer:
        from whaledo.doctor.diagnosis import diagnose
        from whaledo.errors import Fault

        diagnosis = diagnose(engine, lambda name, trial: _say_progress(answer, name, trial))
        shortcomings = diagnosis.shortcomings(strict=strict)
        say_diagnosis(diagnosis, answer)
        for text in shortcomings:
            answer.say(f"✗ {text}", style="red")
        if shortcomings:
            answer.exit_status = Fault.MACHINE.exit_status
        answer.document(diagnosis.to_json(shortcomings))


def _say_progress(answer: Answer, name: str, trial: str) -> None:
    """One line an engine, so that nobody waits without knowing for what."""
    if trial == "look":
        answer.say(f"Attacking {name} …", style="bright_black")


def say_diagnosis(diagnosis: Diagnosis, answer: Answer) -> None:
    """Say what was found as a table an engine, and what is worth knowing of the host."""
    answer.say(f"{diagnosis.kernel}, {diagnosis.started}")
    for report in diagnosis.engines:
        answer.say()
        _say_engine(report, answer, judged=report.engine == diagnosis.judged)
    if diagnosis.notes:
        answer.say()
        answer.say("This host", style="cyan")
    for note in diagnosis.notes:
        _say_wrapped(answer, f"  {'!' if note.mend else '·'} ", note.text, "yellow" if note.mend else None)
        _say_mend(answer, note.mend, indent=4)


def _say_engine(report: EngineReport, answer: Answer, *, judged: bool) -> None:
    chosen = "; --strict judges it" if judged else ""
    if report.unusable:
        _say_wrapped(answer, f"{report.engine}  ", f"can't be used: {report.unusable}", "yellow")
        _say_mend(answer, report.mend, indent=len(report.engine) + 2)
        return
    about = f"{report.engine} {report.version}, profile {report.profile}, {report.wall_s:.1f} s{chosen}"
    answer.say(about, style="cyan")
    answer.say(_row("", "guarantee", "found", "withstood") + "by what means", style="bright_black")
    for examined in report.guarantees:
        _say_guarantee(examined, answer)


def _say_guarantee(examined: Examined, answer: Answer) -> None:
    from whaledo.doctor.records import Finding, Outcome

    mark, style = {
        Finding.ENFORCED: ("✓", None),
        Finding.BEST_EFFORT: ("~", "yellow"),
        Finding.UNTRIED: ("?", "yellow"),
        Finding.NOT_ENFORCED: ("-", "yellow"),
        Finding.BROKEN: ("✗", "red"),
    }[examined.finding]
    word = examined.finding.value.replace("_", " ")
    withstood = f"{len(examined.came(Outcome.WITHSTOOD))} of {len(examined.attempts)}"
    _say_wrapped(answer, _row(mark, examined.guarantee.value, word, withstood), examined.held.by, style)
    for outcome, say in ((Outcome.BROKE, "broken by"), (Outcome.SAYS_NOTHING, "tells nothing")):
        for attempt in examined.came(outcome):
            _say_wrapped(answer, f"      {say}: ", f"{attempt.what}: {attempt.saw}", style)
    _say_mend(answer, examined.mend, indent=6)


def _row(mark: str, guarantee: str, found: str, withstood: str) -> str:
    return f"  {mark:<2}{guarantee:<15}{found:<14}{withstood:<11}"


def _say_mend(answer: Answer, mend: str, *, indent: int) -> None:
    if mend:
        answer.say(f"{' ' * indent}→ {mend}")


def _say_wrapped(answer: Answer, start: str, text: str, style: str | None) -> None:
    wrapped = textwrap.wrap(text, WIDTH - len(start)) or [""]
    for number, line in enumerate(wrapped):
        answer.say((start if number == 0 else " " * len(start)) + line, style=style)
