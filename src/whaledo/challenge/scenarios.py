"""Read the two files of a scenario: its queries and its database.

Every id is compared with those of metadata.csv, letter by letter, and every query id with those of all scenarios:
a submission answers by query id alone. A scenario comes back with what could be read of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from whaledo.challenge.layouts import DATABASES, SCENARIOS_FILE, ScenarioFiles, say_extra_columns
from whaledo.challenge.model import Layout, Query, Scenario
from whaledo.challenge.problems import problem, shown
from whaledo.challenge.tables import read_ids, read_table
from whaledo.errors import Problems

QUERY_COLUMNS = ("query_id", "query_image_id")
DATABASE_COLUMNS = ("database_image_id",)


class ImageIds:
    """The ids of metadata.csv, to look up those that scenarios name."""

    def __init__(self, ids: Collection[str]) -> None:
        self.ids = ids

    @cached_property
    def _by_folded(self) -> dict[str, str]:
        return {_folded(image_id): image_id for image_id in self.ids}

    def meant_by(self, image_id: str) -> str | None:
        """The known id that differs only in what programs change: zeros, capitals, quotes, folder, ending."""
        return self._by_folded.get(_folded(image_id))


@dataclass(slots=True)
class ScenarioReader:
    """Reads the files of one data folder's scenarios, one after the other.

    Attributes:
        folder: the data folder.
        layout: its layout.
        images: the ids of metadata.csv; None where it couldn't be read, so that every id may be right.
        problems: where to add what is wrong.
        query_places: where each query id was first met.
        databases: those read already, since scenarios may share one.
    """

    folder: Path
    layout: Layout
    images: ImageIds | None
    problems: Problems
    query_places: dict[str, str] = field(default_factory=dict)
    databases: dict[Path, tuple[str, ...]] = field(default_factory=dict)

    def read(self, files: ScenarioFiles) -> Scenario:
        """The scenario, with what could be read of it."""
        name, queries_path, database_path = files.scenario_id, files.queries_path, files.database_path
        queries = self._queries(name, self.folder / queries_path) if queries_path else ()
        database = self._database(name, self.folder / database_path) if database_path else ()
        return Scenario(name, queries, database, queries_path or "", database_path or "")

    def _queries(self, scenario_id: str, path: Path) -> tuple[Query, ...]:
        table = read_table(path, self.problems, required=QUERY_COLUMNS)
        if table is None:
            return ()
        say_extra_columns(table, QUERY_COLUMNS, self.problems)
        self._say_if_empty(table.rows, scenario_id, "no queries", path)
        queries = []
        for line, (query_id, image_id) in table.select(*QUERY_COLUMNS):
            if not query_id or not image_id:
                continue
            if query_id in self.query_places:
                said = f"query id {shown(query_id)} stands at {self.query_places[query_id]} already"
                hint = "give each query of the challenge an id of its own, such as scenario01-train0001"
                self.problems.add(problem("repeated_query_id", said, hint=hint, file=path, line=line))
            else:
                self.query_places[query_id] = f"{path}:{line}"
            self._check_known(image_id, path, line)
            queries.append(Query(query_id, image_id))
        return tuple(queries)

    def _database(self, scenario_id: str, path: Path) -> tuple[str, ...]:
        if path in self.databases:
            return self.databases[path]
        ids = self._database_ids(path)
        if ids is None:
            return ()
        self._say_if_empty(ids, scenario_id, "an empty database", path)
        names = tuple(dict.fromkeys(image_id for _, image_id in ids))
        if len(names) < len(ids) or not (self.images and all(map(self.images.ids.__contains__, names))):
            self._check_database(ids, path)
        self.databases[path] = names
        return names

    def _check_database(self, ids: Sequence[tuple[int, str]], path: Path) -> None:
        lines: dict[str, int] = {}
        for line, image_id in ids:
            first = lines.setdefault(image_id, line)
            if first != line:
                said = f"image {shown(image_id)} stands in line {first} already"
                self.problems.add(
                    problem("repeated_database_id", said, hint="remove this line", file=path, line=line)
                )
            self._check_known(image_id, path, line)

    def _database_ids(self, path: Path) -> list[tuple[int, str]] | None:
        if self.layout is Layout.A:
            return read_ids(path, self.problems)
        table = read_table(path, self.problems, required=DATABASE_COLUMNS)
        if table is None:
            return None
        say_extra_columns(table, DATABASE_COLUMNS, self.problems)
        return [(line, image_id) for line, (image_id,) in table.select(*DATABASE_COLUMNS) if image_id]

    def _say_if_empty(self, rows: Sequence[object], scenario_id: str, has: str, path: Path) -> None:
        if not rows:
            said = f"scenario {shown(scenario_id)} has {has}"
            hint = "fill the file, or remove the scenario"
            self.problems.add(problem("empty_scenario", said, hint=hint, file=path))

    def _check_known(self, image_id: str, path: Path, line: int) -> None:
        if self.images is None or image_id in self.images.ids:
            return
        hint = "add it there, or remove this line"
        if (meant := self.images.meant_by(image_id)) is not None:
            hint = f"write {shown(meant)}: ids are compared letter by letter"
        elif line == 1 and image_id in (*DATABASE_COLUMNS, "image_id"):
            hint = f"remove the line: files in {DATABASES}/ have no header unless {SCENARIOS_FILE} is there"
        said = f"metadata.csv doesn't know the image {shown(image_id)}"
        self.problems.add(problem("unknown_image_id", said, hint=hint, file=path, line=line))


def _folded(image_id: str) -> str:
    name = image_id.strip("\"' ").rpartition("/")[2].casefold()
    name = re.sub(r"\.(jpe?g|png|tiff?|bmp|webp)$", "", name)
    return re.sub(r"0*(\d+)", r"\1", name)
