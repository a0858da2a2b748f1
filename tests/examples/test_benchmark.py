"""The benchmark submission, run by the Python of `core` as a run starts it: in a folder of data and submission."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageOps
import pytest

from whaledo.environment.build import find_environment

REPOSITORY = Path(__file__).resolve().parents[2]
BENCHMARK = REPOSITORY / "submission_benchmark"

Answers = dict[str, list[tuple[str, float]]]
Run = Callable[[Path], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python that submissions run with: only it has OpenCV, faiss and onnxruntime."""
    environment = find_environment("core")
    if environment is None:
        pytest.skip("needs the environment `core`: `make setup` builds it")
    return environment.folder / "bin" / "python"


@pytest.fixture
def run(python: Path) -> Run:
    """Run the submission in a folder; a warning in an example would worry people, so here it is an error."""

    def start(folder: Path) -> subprocess.CompletedProcess[str]:
        for module in BENCHMARK.glob("*.py"):
            shutil.copy(module, folder)
        (folder / "submission").mkdir()
        return subprocess.run(
            [python, "-W", "error", "main.py"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return start


@pytest.fixture(scope="session")
def encoder() -> ModuleType:
    """The module that writes small networks: there is no `onnx` here, nor in `core`."""
    path = REPOSITORY / "benchmarks" / "embedding.py"
    spec = importlib.util.spec_from_file_location("benchmarks_embedding", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path: Path, columns: str, rows: Iterable[Iterable[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*([columns.split(",")] if columns else []), *rows])


Scenarios = dict[str, tuple[list[str], list[str]]]


def write_challenge(data: Path, images: dict[str, str], scenarios: Scenarios, layout: str = "a") -> None:
    """Tables around photographs: image ids to file names in images/, and scenarios of query and database ids."""
    write(data / "metadata.csv", "image_id,path", ([one, f"images/{name}"] for one, name in images.items()))
    (data / "databases").mkdir()
    for name, (queries, database) in scenarios.items():
        asked = ([f"{name}-{image_id}", image_id] for image_id in queries)
        write(data / "queries" / f"{name}.csv", "query_id,query_image_id", asked)
        if layout == "a":
            (data / "databases" / f"{name}.txt").write_text("".join(f"{one}\n" for one in database))
        else:
            write(data / "databases" / f"{name}.csv", "database_image_id", ([one] for one in database))
    if layout == "b":
        listing = ([name, f"queries/{name}.csv", f"databases/{name}.csv"] for name in scenarios)
        write(data / "query_scenarios.csv", "scenario_id,queries_path,database_path", listing)


def read_answers(folder: Path) -> Answers:
    """Query id to the images answered and their scores, in the order of the file."""
    with (folder / "submission" / "submission.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        assert reader.fieldnames == ["query_id", "database_image_id", "score"]
        answers: Answers = {}
        for row in reader:
            answers.setdefault(row["query_id"], []).append((row["database_image_id"], float(row["score"])))
    return answers


def check_valid(answers: Answers, scenarios: Scenarios) -> None:
    """Every query that can be answered is, with as many images of its own database as are allowed."""
    others = {
        f"{name}-{one}": set(database) - {one}
        for name, (queries, database) in scenarios.items()
        for one in queries
    }
    assert set(answers) == {query_id for query_id, images in others.items() if images}
    for query_id, ranking in answers.items():
        images = [image for image, _ in ranking]
        assert len(set(images)) == len(images) == min(20, len(others[query_id]))
        assert set(images) <= others[query_id]
        scores = [score for _, score in ranking]
        assert scores == sorted(scores, reverse=True)
        assert 0 <= scores[-1] <= scores[0] <= 1


def draw(number: int, shape: tuple[int, int] = (120, 60)) -> PIL.Image.Image:
    """An animal of its own colour and marks; the number is the animal."""
    draws = np.random.default_rng(number)
    tint = draws.integers(40, 200, 3)
    coarse = draws.normal(0, 40, (shape[0] // 6, shape[1] // 6, 1)) + tint
    pixels = np.kron(coarse, np.ones((6, 6, 1))).clip(0, 255).astype(np.uint8)
    return PIL.Image.fromarray(pixels)


def photograph(animal: int, time: int) -> PIL.Image.Image:
    """The same animal a little brighter, noisier and shifted."""
    pixels = np.asarray(draw(animal), float) + np.random.default_rng(1000 + time).normal(4, 6, (120, 60, 3))
    return PIL.Image.fromarray(np.roll(pixels, time % 3, axis=0).clip(0, 255).astype(np.uint8))


class TestRankings:
    """What it answers."""

    @pytest.mark.parametrize("layout", ["a", "b"])
    def test_an_animal_seen_again_comes_first(self, layout: str, tmp_path: Path, run: Run) -> None:
        ids = ["001", "1", "NA", "nan", "a,b", *(f"x{number}" for number in range(25))]
        ids = [one for one in ids if layout == "b" or "," not in one]
        images = {f"{one}{suffix}": f"{n}{suffix}.png" for n, one in enumerate(ids) for suffix in ("", "-2")}
        (tmp_path / "data" / "images").mkdir(parents=True)
        for number in range(len(ids)):
            for time, suffix in enumerate(("", "-2")):
                photograph(number, time).save(tmp_path / "data" / "images" / f"{number}{suffix}.png")
        again = [f"{one}-2" for one in ids]
        scenarios: Scenarios = {"large": (ids, again), "own": (ids[:3], [*ids[:3], *again[:3]])}
        write_challenge(tmp_path / "data", images, scenarios, layout)

        done = run(tmp_path)

        assert (done.returncode, done.stderr) == (0, "")
        answers = read_answers(tmp_path)
        check_valid(answers, scenarios)
        assert [answers[f"large-{one}"][0][0] for one in ids] == again
        assert [answers[f"own-{one}"][0][0] for one in ids[:3]] == again[:3]
        said = done.stdout.splitlines()
        assert f"described: {len(images)} of {len(images)}" in said
        assert f"large: {len(ids)} of {len(ids)} queries" in said
        assert len(said) < 20

    @pytest.mark.parametrize("side", ["left", "top", ""])
    def test_marks_count_only_from_the_same_side(self, side: str, tmp_path: Path, run: Run) -> None:
        folder = tmp_path / "data" / "images"
        folder.mkdir(parents=True)
        images = {f"other{number}": f"{number}.png" for number in range(10, 30)}
        for number in range(10, 30):
            draw(number).save(folder / f"{number}.png")
        draw(1).save(folder / "asked.png")
        shuffled = np.asarray(draw(1))[::6, ::6].copy()  # a pixel for each of its squares
        for part in (slice(0, 6), slice(7, 13), slice(14, 20)):
            shuffled[part] = (
                np.random.default_rng(0).permutation(shuffled[part].reshape(60, 3)).reshape(6, 10, 3)
            )
        PIL.Image.fromarray(shuffled).resize((60, 120), 0).save(folder / "its-colours.png")
        PIL.ImageOps.grayscale(draw(1)).save(folder / "its-marks.png")
        images |= {name: f"{name}.png" for name in ("asked", "its-colours", "its-marks")}
        write_challenge(tmp_path / "data", images, {"one": (["asked"], sorted({*images} - {"asked"}))})
        rows = ([one, f"images/{name}", "top" if one == "asked" else side] for one, name in images.items())
        write(tmp_path / "data" / "metadata.csv", "image_id,path,viewpoint", rows)

        done = run(tmp_path)

        assert (done.returncode, done.stderr) == (0, "")
        best = read_answers(tmp_path)["one-asked"][0][0]
        assert best == ("its-colours" if side == "left" else "its-marks")

    def test_it_answers_the_real_belugas(self, beluga: Path, tmp_path: Path, run: Run) -> None:
        (tmp_path / "data").symlink_to(beluga)
        assert run(tmp_path).returncode == 0
        assert [len(ranking) for ranking in read_answers(tmp_path).values()] == [20] * 10


def write_odd_photographs(folder: Path) -> dict[str, str]:
    """Every kind of photograph that a decoder may trip over: image id to file name."""
    folder.mkdir(parents=True)
    plain = draw(1)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "web-page.jpg").write_text("<!doctype html><title>404</title>")
    plain.save(folder / "whole.jpg")
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:700])
    plain.convert("CMYK").save(folder / "cmyk.jpg")
    grey = np.asarray(plain.convert("L"), np.uint16) * 257
    PIL.Image.fromarray(grey).save(folder / "sixteen-bits.png")
    plain.quantize(32).save(folder / "palette.png")
    clear = plain.quantize(16)
    clear.save(folder / "clear-palette.png", transparency=bytes(range(16)))
    plain.convert("LA").save(folder / "grey-alpha.png")
    plain.convert("1").save(folder / "one-bit.png")
    frames = [draw(number) for number in range(3)]
    frames[0].save(folder / "animated.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "animated.png", save_all=True, append_images=frames[1:])
    PIL.Image.new("RGB", (1, 1), "teal").save(folder / "pixel.png")
    PIL.Image.new("RGB", (3000, 1), "teal").save(folder / "line.png")
    PIL.Image.new("L", (10_000, 10_000), 90).save(folder / "huge.png", compress_level=1)
    PIL.Image.new("L", (10_000, 10_000), 90).save(folder / "huge.jpg")
    draw(1, (60, 120)).save(folder / "landscape.jpg")
    names = sorted(path.name for path in folder.iterdir())
    return {name: name for name in names} | {"missing.jpg": "missing.jpg"}


UNREADABLE = {"empty.jpg", "web-page.jpg", "cut.jpg", "missing.jpg"}


class TestBadInput:
    """It ends well, whatever it is given."""

    def test_odd_photographs_are_ranked_and_unreadable_ones_named(self, tmp_path: Path, run: Run) -> None:
        images = write_odd_photographs(tmp_path / "data" / "images")
        scenarios: Scenarios = {"odd": ([*images], [*images])}
        write_challenge(tmp_path / "data", images, scenarios)

        done = run(tmp_path)

        assert (done.returncode, done.stderr) == (0, "")
        check_valid(read_answers(tmp_path), scenarios)
        told = [line for line in done.stdout.splitlines() if "can't be read" in line]
        assert {Path(line.partition(" can't")[0]).name for line in told} == UNREADABLE

    def test_databases_that_are_empty_or_small_or_all_alike(self, tmp_path: Path, run: Run) -> None:
        folder = tmp_path / "data" / "images"
        folder.mkdir(parents=True)
        draw(7).save(folder / "one.png")
        (folder / "broken.png").write_bytes(b"")
        PIL.Image.new("RGB", (60, 120), "navy").save(folder / "plain.png")
        alike = {f"same{number:02}": "one.png" for number in range(30)}
        images = alike | {"broken": "broken.png", "plain": "plain.png"}
        scenarios: Scenarios = {
            "alike": (["same00", "broken"], [*alike]),
            "alone": (["same00"], ["same00"]),
            "broken": (["same00", "broken"], ["broken"]),
            "empty": (["same00"], []),
            "plain": (["same00", "plain"], ["plain", "same01"]),
            "small": (["same00", "plain", "broken"], ["same00", "plain", "broken"]),
            "unasked": ([], ["same00"]),
        }
        write_challenge(tmp_path / "data", images, scenarios)

        done = run(tmp_path)

        assert (done.returncode, done.stderr) == (0, "")
        check_valid(read_answers(tmp_path), scenarios)

    def test_nothing_that_can_be_read_is_said_in_a_sentence(self, tmp_path: Path, run: Run) -> None:
        (tmp_path / "data" / "images").mkdir(parents=True)
        write_challenge(tmp_path / "data", {"a": "a.jpg", "b": "b.jpg"}, {"one": (["a"], ["a", "b"])})
        done = run(tmp_path)
        assert done.returncode == 1
        assert done.stderr == "No photograph can be read: see the lines above.\n"


class TestNetwork:
    """With model.onnx beside main.py."""

    @pytest.mark.parametrize("orientation", [1, 3, 6, 8])
    def test_a_photograph_is_squeezed_as_its_camera_was_held(
        self, orientation: int, tmp_path: Path, python: Path
    ) -> None:
        corners = PIL.Image.fromarray(np.array([[255, 0], [0, 85]], np.uint8)).resize((640, 1280), 0)
        turns = {1: 0, 3: 180, 6: 90, 8: 270}
        exif = PIL.Image.Exif()
        exif[PIL.ExifTags.Base.Orientation] = orientation
        turned = corners.rotate(turns[orientation], expand=True)
        turned.save(tmp_path / "turned.jpg", exif=exif, quality=100)
        look = (
            "from photographs import *; "
            "print(read_photograph(Path('turned.jpg'), (30, 40))[::39, ::29, 0].tolist())"
        )
        environment = {"PYTHONPATH": str(BENCHMARK), "PYTHONDONTWRITEBYTECODE": "1"}
        seen = subprocess.run(
            [python, "-c", look], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert np.array(json.loads(seen.stdout)) == pytest.approx(np.array([[255, 0], [0, 85]]), abs=3)

    @pytest.mark.parametrize("batch", [None, 4], ids=["any-batch", "batch-of-4"])
    def test_a_network_ranks_by_the_cosine_of_its_embeddings(
        self, batch: int | None, tmp_path: Path, run: Run, encoder: ModuleType
    ) -> None:
        colours = {"red": (200, 0, 0), "rust": (180, 40, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}
        folder = tmp_path / "data" / "images"
        folder.mkdir(parents=True)
        for name, colour in colours.items():
            PIL.Image.new("RGB", (40, 90), colour).save(folder / f"{name}.png")
        (folder / "broken.png").write_bytes(b"")
        images = {name: f"{name}.png" for name in [*colours, "broken"]}
        scenarios: Scenarios = {"all": ([*images], [*images])}
        write_challenge(tmp_path / "data", images, scenarios)
        # The mean of each channel: an embedding that can be worked out by hand.
        (tmp_path / "model.onnx").write_bytes(encoder.network([], batch=batch, size=(16, 8)))
        settings = {"input_size": [16, 8], "mean": [0, 0, 0], "std": [1, 1, 1]}
        (tmp_path / "model.json").write_text(json.dumps(settings))

        done = run(tmp_path)

        assert (done.returncode, done.stderr) == (0, "")
        answers = read_answers(tmp_path)
        check_valid(answers, scenarios)
        scores = dict(answers["all-red"])
        cosine = 180 / np.hypot(180, 40)
        assert answers["all-red"][0][0] == "rust"
        assert scores["rust"] == pytest.approx((cosine + 1) / 2, abs=1e-5)
        assert [scores[name] for name in ("green", "blue", "broken")] == pytest.approx([0.5] * 3)
        assert "embedded: 5 of 5" in done.stdout


def test_the_benchmark_stands_alone() -> None:
    modules = sorted(path.name for path in BENCHMARK.iterdir() if not path.name.startswith("__"))
    assert "main.py" in modules
    assert [name for name in modules if "whaledo" in (BENCHMARK / name).read_text()] == []
    assert [name for name in modules if "beluga" in (BENCHMARK / name).read_text()] == []
