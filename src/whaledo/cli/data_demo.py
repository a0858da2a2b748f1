"""`whaledo data demo`: draw a synthetic challenge to try things with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from whaledo.challenge.model import Layout
from whaledo.cli.answer import JsonOption, answering


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

        with _progress() as on_progress:
            summary = write_demo(folder, seed=seed, layout=layout, on_progress=on_progress)
        answer.document({"folder": str(folder), "seed": seed, "layout": layout.value, **asdict(summary)})
        answer.say(
            f"{folder}: {summary.images} photographs of {summary.whales} synthetic belugas, "
            f"{summary.queries} queries in {summary.scenarios} scenarios (layout {layout.value.upper()}, seed {seed})"
        )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Drawing belugas", visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
