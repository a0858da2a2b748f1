"""`whaledo data ...`: look at a challenge's data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whaledo.challenge.problems import counted
from whaledo.cli.answer import Answer, JsonOption, answering
from whaledo.cli.progress import progress_bar
from whaledo.errors import Fault

if TYPE_CHECKING:
    from whaledo.challenge.check import CheckResult


def check(
    folder: Annotated[Path, typer.Argument(help="The data folder.")] = Path("data"),
    decode: Annotated[
        bool,
        typer.Option("--decode/--no-decode", help="Decode every image, or only look whether it is there."),
    ] = True,
    json: JsonOption = False,
) -> None:
    """Check a challenge's data folder, and list everything that is wrong with it."""
    with answering(json) as answer:
        from whaledo.challenge.check import check_challenge

        with progress_bar("Decoding images") as on_progress:
            result = check_challenge(folder, decode=decode, on_progress=on_progress)
        answer.document(result.to_json())
        _say(answer, folder, result)
        if not result.ok:
            answer.exit_status = Fault.DATA.exit_status


def _say(answer: Answer, folder: Path, result: CheckResult) -> None:
    if result.layout is not None:
        images, scenarios = counted(result.images, "image"), counted(len(result.scenarios), "scenario")
        queries = counted(result.queries, "query", "queries")
        answer.say(f"{folder}: layout {result.layout.value.upper()}, {images}, {scenarios}, {queries}")
        for line in _scenario_lines(result):
            answer.say(f"  {line}")
        answer.say(_about_identities(result))
    answer.problems(result.problems)
    warnings = counted(result.problems.warnings, "warning")
    if not result.ok:
        errors = counted(result.problems.errors, "error")
        answer.say(f"✗ {folder} can't be used: {errors}, {warnings}", style="red")
    elif result.problems:
        answer.say(f"✓ {folder} can be used: no errors, {warnings}", style="green")
    else:
        answer.say(f"✓ {folder} can be used: no errors", style="green")


def _scenario_lines(result: CheckResult) -> Iterator[str]:
    width = max(len(name) for name in ("scenario", *(one.scenario_id for one in result.scenarios)))
    labelled = result.identities is not None
    yield f"{'scenario':{width}}  queries  database" + ("  queries with a match" if labelled else "")
    for scenario in result.scenarios:
        line = f"{scenario.scenario_id:{width}}  {scenario.queries:7,}  {scenario.database:8,}"
        yield line + (f"  {scenario.labelled_queries:20,}" if labelled else "")


def _about_identities(result: CheckResult) -> str:
    if result.identities is None:
        return "Identities: no, metadata.csv has no column for them"
    animals = counted(result.identities, "animal")
    return f"Identities: yes, {animals} in column {result.identity_column}, which submissions don't see"
