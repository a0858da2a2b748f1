"""A tiny challenge in either layout, for tests to spoil."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from whaledo.challenge.model import Layout

METADATA = """\
image_id,path,height,width,viewpoint,date,timestamp,whale_id,encounter_id
a1,images/a1.jpg,12,8,top,2017-08-07,2017-08-07 20:40:59,ada,e1
a2,images/a2.jpg,12,8,top,2018-08-10,2018-08-10 22:27:11,ada,e2
b1,images/b1.jpg,12,8,left,2018-08-10,2018-08-10 22:27:12,bo,e2
b2,images/b2.jpg,12,8,top,2019-08-29,2019-08-29 13:50:31,bo,e3
001,images/001.jpg,12,8,top,2019-08-29,2019-08-29 13:50:32,,e3
NA,images/NA.jpg,12,8,top,2019-08-29,2019-08-29 13:50:33,,e3
"""
QUERIES = {
    "one": "query_id,query_image_id\none-a1,a1\none-001,001\n",
    "two": "query_id,query_image_id\ntwo-b1,b1\ntwo-a2,a2\n",
}
DATABASES = {"one": ["a1", "a2", "b2", "NA"], "two": ["b2", "a1", "001"]}


def write_challenge(folder: Path, layout: Layout) -> Path:
    """Write the tiny challenge to `folder`, which this makes."""
    for name in ("images", "queries", "databases"):
        (folder / name).mkdir(parents=True)
    (folder / "metadata.csv").write_text(METADATA)
    for number, line in enumerate(METADATA.splitlines()[1:]):
        PIL.Image.new("RGB", (8, 12), (30 * number, 90, 120)).save(folder / line.split(",")[1])
    for name, text in QUERIES.items():
        (folder / "queries" / f"{name}.csv").write_text(text)
    if layout is Layout.A:
        for name, ids in DATABASES.items():
            (folder / "databases" / f"{name}.txt").write_text("\n".join(ids) + "\n")
        return folder
    rows = ["scenario_id,queries_path,database_path"]
    for name, ids in DATABASES.items():
        (folder / "databases" / f"{name}.csv").write_text("\n".join(["database_image_id", *ids]) + "\n")
        rows.append(f"{name},queries/{name}.csv,databases/{name}.csv")
    (folder / "query_scenarios.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(params=list(Layout), ids=lambda layout: f"layout-{layout.value}")
def data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The tiny challenge; each test runs with both layouts."""
    return write_challenge(tmp_path / "data", request.param)


@pytest.fixture
def data_a(tmp_path: Path) -> Path:
    """The tiny challenge in layout A."""
    return write_challenge(tmp_path / "data", Layout.A)


@pytest.fixture
def data_b(tmp_path: Path) -> Path:
    """The tiny challenge in layout B."""
    return write_challenge(tmp_path / "data", Layout.B)
