"""What a challenge is, once read: settings, images, and scenarios of queries against a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from whaledo.challenge.rules import IDENTITY_COLUMNS, PUBLIC_COLUMNS, ROWS_PER_QUERY


class Layout(StrEnum):
    """The two ways in which data folders of this family are laid out."""

    A = "a"
    """queries/<scenario>.csv beside databases/<scenario>.txt, one image id a line."""
    B = "b"
    """query_scenarios.csv naming a queries file and a databases file (a CSV) for each scenario."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What challenge.toml says; each default is the beluga challenge's."""

    name: str = "challenge"
    rows_per_query: int = ROWS_PER_QUERY
    identity_columns: tuple[str, ...] = IDENTITY_COLUMNS
    public_columns: tuple[str, ...] = PUBLIC_COLUMNS


@dataclass(frozen=True, slots=True)
class Image:
    """One photograph: a row of metadata.csv.

    Attributes:
        image_id: its id, as text.
        path: where it lies, relative to the data folder, with forward slashes.
        fields: the whole row, column to text.
        line: the 1-based line of metadata.csv where the row starts; 0: it wasn't read from a file.
    """

    image_id: str
    path: str
    fields: Mapping[str, str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """One question: which database images show the animal of this image?"""

    query_id: str
    image_id: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Queries against one database of image ids."""

    scenario_id: str
    queries: tuple[Query, ...]
    database: tuple[str, ...]
    queries_path: str
    database_path: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A data folder, read.

    Attributes:
        folder: the data folder.
        layout: which of the two layouts it has.
        settings: what challenge.toml says, or the defaults.
        columns: the columns of metadata.csv in file order.
        images: image id to photograph, in file order.
        scenarios: in the order of query_scenarios.csv, or by name.
    """

    folder: Path
    layout: Layout
    settings: Settings
    columns: tuple[str, ...]
    images: Mapping[str, Image]
    scenarios: tuple[Scenario, ...]

    @property
    def identity_column(self) -> str | None:
        """The column of metadata.csv that names the animals, if there is one."""
        return next((name for name in self.settings.identity_columns if name in self.columns), None)
