"""`whaledo check`: what would go wrong with a submission, told before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.cli.answer import Answer, JsonOption, answering

if TYPE_CHECKING:
    from whaledo.submission.preflight.check import PreflightResult


def check(
    submission: Annotated[
        Path, typer.Argument(help="The zip, or the folder that is to be packed.", metavar="ZIP")
    ] = Path("submission/submission.zip"),
    profile: Annotated[
        str, typer.Option(help="core, cpu or gpu; auto: the smallest that has what is imported.")
    ] = "auto",
    json: JsonOption = False,
) -> None:
    """Find what would fail in a run, without running anything: imports, downloads, files, paths."""
    from whaledo.environment.names import import_names
    from whaledo.environment.profiles import profiles, read_lock
    from whaledo.errors import Fault
    from whaledo.submission.preflight.check import AUTO, PreflightRequest, check_submission

    with answering(json) as answer:
        if profile != AUTO:
            read_lock(profile)  # refuses a profile that isn't there
        names = {name: import_names(name) for name in profiles()}
        result = check_submission(PreflightRequest(str(submission), names, profile))
        answer.document(result.to_json())
        _say(answer, result)
        if not result.ok:
            answer.exit_status = Fault.SUBMISSION.exit_status


def _say(answer: Answer, result: PreflightResult) -> None:
    from whaledo.challenge.problems import counted
    from whaledo.units import show_size

    answer.problems(result.problems)
    found = [counted(result.problems.errors, "error") if result.problems.errors else "no errors"]
    if result.problems.warnings:
        found.append(counted(result.problems.warnings, "warning"))
    files, modules = counted(result.files, "file"), counted(len(result.modules), "module")
    size = show_size(result.total_bytes)
    mark, colour = ("✓", "green") if result.ok else ("✗", "red")
    what = f"{files}, {size}; read {modules}"
    answer.say(
        f"{mark} {result.submission} with `{result.profile}`: {', '.join(found)} ({what})", style=colour
    )
