"""Write the tables of a data folder in either layout: the counterpart of what `layouts` and `tables` read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from whaledo.challenge.layouts import SCENARIO_COLUMNS, SCENARIOS_FILE
from whaledo.challenge.model import Layout, Scenario
from whaledo.challenge.paths import parts
from whaledo.challenge.scenarios import DATABASE_COLUMNS, QUERY_COLUMNS


def write_table(folder: Path, relative: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file below a folder, with the folders on the way there."""
    with place(folder, relative).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_scenarios(folder: Path, scenarios: Sequence[Scenario], layout: Layout) -> None:
    """Write the queries and databases of all scenarios where they say, and layout B's list of them."""
    for each in scenarios:
        queries = ((query.query_id, query.image_id) for query in each.queries)
        write_table(folder, each.queries_path, QUERY_COLUMNS, queries)
        if layout is Layout.A:  # one id a line as it is: no quotes around a comma
            lines = "".join(f"{image_id}\n" for image_id in each.database)
            place(folder, each.database_path).write_text(lines, encoding="utf-8")
        else:
            images = ((image_id,) for image_id in each.database)
            write_table(folder, each.database_path, DATABASE_COLUMNS, images)
    if layout is Layout.B:
        paths = ((each.scenario_id, each.queries_path, each.database_path) for each in scenarios)
        write_table(folder, SCENARIOS_FILE, SCENARIO_COLUMNS, paths)


def place(folder: Path, relative: str) -> Path:
    """The path of a file below a folder, with the folders on the way there."""
    path = folder.joinpath(*parts(relative))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
