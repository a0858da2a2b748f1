"""A second species, drawn: striped flanks with a pattern an animal, photographed in two years from two sides."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from whaledo.challenge.build.build import build_challenge
from whaledo.challenge.build.records import BuildRequest, BuildResult

COLUMNS = ("", "image_id", "identity", "path", "date", "orientation", "bbox", "species")

Row = dict[str, str]


def flank(animal: int, shot: int) -> PIL.Image.Image:
    """A photograph of a striped flank at (10, 5), 96 pixels wide and 64 high, on savanna."""
    pattern, chance = np.random.default_rng(animal), np.random.default_rng((animal, shot))
    x, y = np.meshgrid(np.linspace(0, 1, 96), np.linspace(0, 1, 64))
    x = x * chance.uniform(0.85, 1.1) + y * chance.uniform(-0.2, 0.2) + chance.uniform(-0.1, 0.1)
    waves = sum(
        pattern.uniform(0.4, 1)
        * np.sin(pattern.uniform(8, 30) * x + pattern.uniform(-9, 9) * y + pattern.uniform(0, 6))
        for _ in range(4)
    )
    stripes = (
        np.where(np.asarray(waves) > 0, 40, 210) + chance.normal(0, 12, x.shape) + chance.uniform(-25, 25)
    )
    scene = chance.integers(90, 150, (80, 120, 3)).astype(float)
    scene[5:69, 10:106] = stripes[:, :, None]
    return PIL.Image.fromarray(scene.clip(0, 255).astype(np.uint8))


def zebra_rows(animals: int = 20, encounters: int = 3) -> list[Row]:
    """Rows for zebras named 001, 002, ... with a photograph from either side in each encounter."""
    rows: list[Row] = []
    for animal in range(1, animals + 1):
        for met in range(encounters):
            for view in ("left", "right"):
                shot = len(rows)
                rows.append(
                    {
                        "image_id": str(1000 + shot),
                        "identity": f"{animal:03d}",
                        "path": f"photos/z{animal:03d}_{shot}.png",
                        "date": f"{2020 + met % 2}-06-{1 + met:02d}",
                        "orientation": view,
                        "bbox": "[10.0, 5.0, 96.0, 64.0]",
                        "species": "zebra",
                    }
                )
    return rows


@dataclass(frozen=True)
class Zebras:
    """Drawn zebras: a folder with the photographs of rows, which a test changes and writes as a table."""

    folder: Path
    rows: list[Row]

    def table(self, rows: Sequence[Row] | None = None, columns: Sequence[str] = COLUMNS) -> Path:
        """Write rows as an export of wildlife-datasets has them, with an unnamed index."""
        path = self.folder / "zebras.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows({"": str(n), **row} for n, row in enumerate(self.rows if rows is None else rows))
        return path

    def request(self, output: Path, rows: Sequence[Row] | None = None, **changes: Any) -> BuildRequest:
        """A request to build a challenge of rows, with a seed."""
        given: dict[str, Any] = {"table": str(self.table(rows)), "output": str(output), "seed": 5, **changes}
        return BuildRequest(**given)

    def build(self, output: Path, rows: Sequence[Row] | None = None, **changes: Any) -> BuildResult:
        """Build a challenge of rows."""
        return build_challenge(self.request(output, rows, **changes))


@pytest.fixture(scope="session")
def drawn_zebras(tmp_path_factory: pytest.TempPathFactory) -> Zebras:
    """20 zebras, drawn once; for other fixtures to link to."""
    herd = Zebras(tmp_path_factory.mktemp("zebras"), zebra_rows())
    (herd.folder / "photos").mkdir()
    for shot, row in enumerate(herd.rows):
        flank(int(row["identity"]), shot).save(herd.folder / row["path"])
    return herd


@pytest.fixture
def zebras(drawn_zebras: Zebras, tmp_path: Path) -> Zebras:
    """The 20 zebras in a folder that the test may spoil."""
    herd = Zebras(tmp_path / "zebras", [dict(row) for row in drawn_zebras.rows])
    shutil.copytree(drawn_zebras.folder / "photos", herd.folder / "photos")
    return herd


@pytest.fixture(scope="session")
def built(drawn_zebras: Zebras, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BuildResult]:
    """A challenge of the zebras in layout A, and what was said of it; not to be changed."""
    output = tmp_path_factory.mktemp("built") / "challenge"
    return output, drawn_zebras.build(output)
