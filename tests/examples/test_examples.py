"""The example submissions, run as a run starts them: by another process, in a folder of data and submission."""

from __future__ import annotations

import csv
import re
import runpy
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import PIL.Image
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
QUICKSTART = REPOSITORY / "submission_quickstart" / "main.py"
TEMPLATE = REPOSITORY / "submission_src" / "main.py"

IMAGES = ["001", "1", "NA", "nan", "a,b", *(f"train{number:04}" for number in range(25))]
"""Ids that are easily misread, and enough others for more than 20 answers. The larger the index, the brighter."""

SCENARIOS = {
    "alone": (["1"], ["1"]),
    "large": (["train0003", "a,b"], [*IMAGES[:4], *IMAGES[5:]]),
    "small": (["001", "NA"], ["1", "nan", "001", "NA"]),
}
"""Scenario to the images that are asked about and the images of its database."""

Answers = dict[str, list[tuple[str, float]]]


def write(path: Path, columns: str, rows: Iterable[Iterable[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns.split(","), *rows])


@pytest.fixture(params=["a", "b"], ids=lambda layout: f"layout-{layout}")
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a run on a small challenge."""
    data = tmp_path / "data"
    rows = ([name, f"images/{number}.png", "4", "3"] for number, name in enumerate(IMAGES))
    write(data / "metadata.csv", "image_id,path,height,width", rows)
    (data / "images").mkdir()
    for number in range(len(IMAGES)):
        PIL.Image.new("L", (3, 4), 8 * number).save(data / "images" / f"{number}.png")
    (data / "databases").mkdir()
    for name, (queries, database) in SCENARIOS.items():
        asked = ([f"{name}-{image_id}", image_id] for image_id in queries)
        write(data / "queries" / f"{name}.csv", "query_id,query_image_id", asked)
        if request.param == "a":
            (data / "databases" / f"{name}.txt").write_text("\n".join(database) + "\n")
        else:
            write(data / "databases" / f"{name}.csv", "database_image_id", ([one] for one in database))
    if request.param == "b":
        listing = ([name, f"queries/{name}.csv", f"databases/{name}.csv"] for name in SCENARIOS)
        write(data / "query_scenarios.csv", "scenario_id,queries_path,database_path", listing)
    (tmp_path / "submission").mkdir()
    return tmp_path


def run(main: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    # A warning in an example would worry whoever runs it: here it is an error.
    command = [sys.executable, "-W", "error", str(main)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def run_here(main: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a main.py in this process, which spares importing pandas again."""
    monkeypatch.chdir(folder)
    runpy.run_path(str(main), run_name="__main__")


def with_model(predict: str, folder: Path) -> Path:
    """The template with a model in it."""
    start = 'if __name__ == "__main__":'
    source = TEMPLATE.read_text()
    assert source.count(start) == 1
    (folder / "main.py").write_text(source.replace(start, f"{predict}\n\n{start}"))
    return folder / "main.py"


def read_answers(folder: Path) -> Answers:
    """Query id to the images answered and their scores, in the order of the file."""
    with (folder / "submission" / "submission.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == ["query_id", "database_image_id", "score"]
        answers: Answers = {}
        for row in reader:
            answers.setdefault(row["query_id"], []).append((row["database_image_id"], float(row["score"])))
    return answers


def check_valid(answers: Answers) -> None:
    """Every query that can be answered is, with as many images of its own database as are allowed."""
    wanted = {f"{name}-{one}" for name, (queries, _) in SCENARIOS.items() for one in queries} - {"alone-1"}
    assert set(answers) == wanted
    for query_id, ranking in answers.items():
        name, _, image_id = query_id.partition("-")
        others = set(SCENARIOS[name][1]) - {image_id}
        images = [image for image, _ in ranking]
        assert len(set(images)) == len(images) == min(20, len(others))
        assert set(images) <= others
        scores = [score for _, score in ranking]
        assert scores == sorted(scores, reverse=True)
        assert 0 <= scores[-1] <= scores[0] <= 1


BRIGHTNESS = """
def predict(queries, database):
    from PIL import Image
    assert list(queries.columns) == list(database.columns) == ["image_id", "path", "height", "width"]
    assert queries.height.tolist() == ["4"] * len(queries)
    shades = [np.array([Image.open(path).getpixel((0, 0)) for path in images.path]) for images in (queries, database)]
    return 1 - abs(shades[0][:, None] - shades[1][None, :]) / 255
"""


class TestQuickstart:
    """Random rankings."""

    def test_it_writes_a_valid_submission_and_says_so_in_a_line_a_scenario(self, folder: Path) -> None:
        done = run(QUICKSTART, folder)
        assert (done.returncode, done.stderr) == (0, "")
        check_valid(read_answers(folder))
        assert done.stdout.splitlines() == [
            "alone: 1 queries, each with a random ranking of 1 images",
            "large: 2 queries, each with a random ranking of 29 images",
            "small: 2 queries, each with a random ranking of 4 images",
            "46 rows written to submission/submission.csv",
        ]

    def test_it_writes_the_same_every_time(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        written = []
        for _ in range(2):
            run_here(QUICKSTART, folder, monkeypatch)
            written.append((folder / "submission" / "submission.csv").read_bytes())
        assert written[0] == written[1]

    def test_it_runs_on_the_real_belugas(
        self, beluga: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "data").symlink_to(beluga)
        (tmp_path / "submission").mkdir()
        run_here(QUICKSTART, tmp_path, monkeypatch)
        assert [len(ranking) for ranking in read_answers(tmp_path).values()] == [20] * 10


class TestTemplate:
    """The start of an own submission."""

    def test_it_says_where_to_write_what(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(
            NotImplementedError, match=r"^submission_src/main\.py, predict\(\): write your model"
        ):
            run_here(TEMPLATE, folder, monkeypatch)
        assert not (folder / "submission" / "submission.csv").exists()

    def test_a_model_is_all_that_it_lacks(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run_here(with_model(BRIGHTNESS, folder), folder, monkeypatch)
        assert [line.rpartition(" in ")[0] for line in capsys.readouterr().out.splitlines()[:-1]] == [
            "alone: 1 queries against 1 images",
            "large: 2 queries against 29 images",
            "small: 2 queries against 4 images",
        ]
        answers = read_answers(folder)
        check_valid(answers)
        # In order of brightness, away from the query's own: 001 is 0, 1 is 8, NA is 16, nan is 24.
        assert answers["small-001"] == [("1", 1 - 8 / 255), ("NA", 1 - 16 / 255), ("nan", 1 - 24 / 255)]
        assert {image for image, _ in answers["small-NA"][:2]} == {"1", "nan"}

    @pytest.mark.parametrize(
        ("returned", "told"),
        [
            ("np.zeros((len(database), len(queries) + 1))", "an array of shape (1, 2); it must be (1, 1)"),
            ("np.full((len(queries), len(database)), 1.5)", "something else than numbers from 0 to 1"),
            ("np.full((len(queries), len(database)), np.nan)", "something else than numbers from 0 to 1"),
        ],
    )
    def test_a_model_that_returns_something_else_is_told(
        self, folder: Path, returned: str, told: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        main = with_model(f"def predict(queries, database):\n    return {returned}\n", folder)
        with pytest.raises(ValueError, match=re.escape(f"predict() returned {told}")):
            run_here(main, folder, monkeypatch)


@pytest.mark.parametrize("main", [QUICKSTART, TEMPLATE], ids=["quickstart", "template"])
def test_an_example_stands_alone(main: Path) -> None:
    assert "whaledo" not in main.read_text()
    assert [path.name for path in main.parent.iterdir() if not path.name.startswith("__")] == ["main.py"]
