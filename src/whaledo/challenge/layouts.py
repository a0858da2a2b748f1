"""Find the scenarios of a data folder, in either layout.

Both layouts say the same thing: each scenario has a file of queries and a file of database images. Layout A says
it by the files' names, layout B in query_scenarios.csv. What stands in the files is for scenarios.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from whaledo.challenge.model import Layout
from whaledo.challenge.paths import check_path, parts, unfit_name
from whaledo.challenge.problems import listed, nearest, problem, shown
from whaledo.challenge.tables import Table, read_table
from whaledo.errors import Problems

SCENARIOS_FILE = "query_scenarios.csv"
QUERIES = "queries"
DATABASES = "databases"
SCENARIO_COLUMNS = ("scenario_id", "queries_path", "database_path")


@dataclass(frozen=True, slots=True)
class ScenarioFiles:
    """Where a scenario's two files lie.

    Attributes:
        scenario_id: its name.
        queries_path: relative to the data folder; None: it isn't there.
        database_path: likewise.
        named_by: the file that gives the scenario its name.
        line: the line of that file, where it has the name inside.
    """

    scenario_id: str
    queries_path: str | None
    database_path: str | None
    named_by: Path
    line: int | None = None


def find_scenarios(folder: Path, problems: Problems) -> tuple[Layout, list[ScenarioFiles]]:
    """The layout of a data folder, and where the files of its scenarios lie."""
    if (folder / SCENARIOS_FILE).exists():
        layout, found = Layout.B, list(_listed_scenarios(folder, problems))
    else:
        layout, found = Layout.A, list(_paired_scenarios(folder, problems))
    _check_names(found, problems)
    if found:
        _say_unused(folder, layout, found, problems)
    return layout, found


def say_extra_columns(table: Table, wanted: Sequence[str], problems: Problems) -> None:
    """Add a warning where a file has columns besides the wanted ones: submissions won't see them."""
    extra = [name for name in table.columns if name not in wanted]
    if extra:
        said = f"submissions see only {', '.join(wanted)} of this file, not {listed(extra)}"
        hint = "the unnamed one is the index of a pandas table: write with index=False" if "" in extra else ""
        problems.add(problem("extra_column", said, hint=hint, file=table.path))


def _files(folder: Path) -> list[Path]:
    """The files of a folder by name; without the hidden ones, which systems leave (`._scenario01.csv`)."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())


def _paired_scenarios(folder: Path, problems: Problems) -> Iterator[ScenarioFiles]:
    """Layout A: a scenario for each queries/*.csv, with the database of the same name."""
    queries = {path.stem: path for path in _files(folder / QUERIES) if path.suffix == ".csv"}
    databases = {path.stem: path for path in _files(folder / DATABASES) if path.suffix == ".txt"}
    alone = [name for name in databases if name not in queries]
    if not queries:
        said = f"there is no scenario: neither {QUERIES}/*.csv nor {SCENARIOS_FILE}"
        hint = f"each scenario needs {QUERIES}/NAME.csv and {DATABASES}/NAME.txt"
        problems.add(problem("no_scenarios", said, hint=hint, file=folder))
    for name in queries:
        if name not in databases:
            wanted = f"{DATABASES}/{name}.txt"
            hint = f"add {wanted}, one image id a line"
            if (meant := nearest(name, alone)) is not None:
                hint = f"rename {DATABASES}/{meant}.txt to {wanted}"
            elif (folder / DATABASES / f"{name}.csv").exists():
                hint = f"make {wanted} of {DATABASES}/{name}.csv, without its header, or add {SCENARIOS_FILE}"
            said = f"scenario {shown(name)} has queries but no database: {wanted} isn't there"
            problems.add(problem("missing_database", said, hint=hint, file=queries[name]))
        database = f"{DATABASES}/{name}.txt" if name in databases else None
        yield ScenarioFiles(name, f"{QUERIES}/{name}.csv", database, queries[name])
    for name in alone:
        said = f"no queries ask this database: {QUERIES}/{name}.csv isn't there"
        hint = "add it, or remove the database"
        problems.add(problem("database_without_queries", said, hint=hint, file=databases[name]))


def _listed_scenarios(folder: Path, problems: Problems) -> Iterator[ScenarioFiles]:
    """Layout B: a scenario for each row of query_scenarios.csv."""
    path = folder / SCENARIOS_FILE
    table = read_table(path, problems, required=SCENARIO_COLUMNS)
    if table is None:
        return
    say_extra_columns(table, SCENARIO_COLUMNS, problems)
    if not table.rows:
        said = "the file names no scenario"
        problems.add(problem("no_scenarios", said, hint="add a row for each", file=path))
    for line, (scenario_id, *relatives) in table.select(*SCENARIO_COLUMNS):
        usable = [
            relative if relative and _check_listed(folder, name, relative, path, line, problems) else None
            for name, relative in zip(SCENARIO_COLUMNS[1:], relatives, strict=True)
        ]
        yield ScenarioFiles(scenario_id, usable[0], usable[1], path, line)


def _check_listed(
    folder: Path, column: str, relative: str, path: Path, line: int, problems: Problems
) -> bool:
    if not check_path(relative, column, path, line, problems):
        return False
    wanted = folder / relative
    if wanted.exists():
        return True
    there = [other.name for other in _files(wanted.parent)]
    hint = f"{wanted.parent} holds {listed(there)}" if there else f"{wanted.parent} holds no files"
    said = f"{column} names {shown(relative)}, which isn't there"
    problems.add(problem("missing_file", said, hint=hint, file=path, line=line))
    return False


def _check_names(found: Sequence[ScenarioFiles], problems: Problems) -> None:
    taken: dict[str, str] = {}
    for files in found:
        name = files.scenario_id
        if not name:
            continue
        if (reason := unfit_name(name)) is not None:
            said = f"the scenario's name {shown(name)} can't be used: {reason}"
            hint = "use letters, digits, '-', '_' and '.'"
            problems.add(problem("unfit_scenario_id", said, hint=hint, file=files.named_by, line=files.line))
        # Some file systems don't tell capitals from small letters.
        folded = name.casefold()
        if folded in taken:
            said = f"there is a scenario {shown(taken[folded])} already"
            hint = "give this one another name"
            problems.add(problem("repeated_scenario", said, hint=hint, file=files.named_by, line=files.line))
        taken.setdefault(folded, name)


def _say_unused(folder: Path, layout: Layout, found: Sequence[ScenarioFiles], problems: Problems) -> None:
    paths = [path for files in found for path in (files.queries_path, files.database_path) if path]
    used = {tuple(parts(path)) for path in paths}
    said = "no scenario uses this file, and submissions don't see it"
    for name, ending in ((QUERIES, ".csv"), (DATABASES, ".txt")):
        for path in _files(folder / name):
            # A database of layout A that has no queries is told of by that name.
            if (name, path.name) in used or (layout is Layout.A and path.suffix == ending):
                continue
            hint = f"files in {name}/ end with {ending}"
            if layout is Layout.B:
                hint = f"name it in {SCENARIOS_FILE}"
            problems.add(problem("unused_file", said, hint=hint, file=path))
