"""`whaledo report`: a run and its rankings as one page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from whaledo.cli.answer import JsonOption, answering


def report(
    output: Annotated[
        Path, typer.Option(help="The folder of a run: submission.csv, run.json and log.txt.")
    ] = Path("submission"),
    data: Annotated[Path, typer.Option(help="The data folder.")] = Path("data"),
    labels: Annotated[
        Path | None,
        typer.Option(help="The right answers, where the data folder doesn't have them.", show_default=False),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    json: JsonOption = False,
) -> None:
    """Write report.html: the score, where it comes from, and every query beside its ranked candidates."""
    from whaledo.cli.progress import progress_bar
    from whaledo.cli.score_screen import say_page
    from whaledo.report.write import ReportRequest, write_report

    with answering(json) as answer:
        request = ReportRequest(str(output), str(data), None if labels is None else str(labels))
        with progress_bar("Making thumbnails") as on_progress:
            result = write_report(request, on_progress)
        for warning in result.warnings:
            answer.warn(f"! {warning}")
        say_page(result.path, result.size_bytes, result.images, result.missing_images, answer)
        answer.document(result.to_json())
        if open_:
            typer.launch(result.path)
