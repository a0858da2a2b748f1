"""`whaledo data demo`: draw a synthetic challenge to try things with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from whaledo.challenge.model import Layout
from whaledo.cli.answer import JsonOption, answering
from whaledo.cli.progress import progress_bar


def demo(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    seed: Annotated[
        int, typer.Option(min=0, help="Another seed, other belugas; the same seed, the same bytes.")
    ] = 0,
    layout: Annotated[
        Layout, typer.Option(help="a: queries/*.csv beside databases/*.txt; b: named by query_scenarios.csv.")
    ] = Layout.A,
    json: JsonOption = False,
) -> None:
    """Draw synthetic belugas: a small challenge to try things with, without any data."""
    with answering(json) as answer:
        from whaledo.challenge.demo.write import write_demo

        with progress_bar("Drawing belugas") as on_progress:
            summary = write_demo(folder, seed=seed, layout=layout, on_progress=on_progress)
        answer.document({"folder": str(folder), "seed": seed, "layout": layout.value, **asdict(summary)})
        answer.say(
            f"{folder}: {summary.images} photographs of {summary.whales} synthetic belugas, "
            f"{summary.queries} queries in {summary.scenarios} scenarios (layout {layout.value.upper()}, seed {seed})"
        )
