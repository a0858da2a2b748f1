"""The training starter: what it needs, what it leaves, and that the benchmark submission can use it."""

from __future__ import annotations

import ast
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from whaledo.environment.build import find_environment
from whaledo.errors import MachineError
from whaledo.weights.export import find_python

REPOSITORY = Path(__file__).resolve().parents[2]
TRAIN = REPOSITORY / "training" / "train.py"

EMBED = """
import sys, json, numpy
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from network import Network
network = Network(Path(sys.argv[2]), 1)
paths = [Path(path) for path in sys.argv[3:]]
network.look_at(paths)
everything = numpy.arange(len(paths))
print("\\n" + json.dumps(network.against(everything)(everything).tolist()))
"""


def write_training(folder: Path) -> list[Path]:
    """Six animals of two shades and three stripes, six photographs of each."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(36):
        animal = number % 6
        pixels = rng.normal(60 + 90 * (animal % 2), 20, (48, 24, 3))
        pixels[8 + 12 * (animal // 2) :][:6] += 70
        name = f"images/train{number:04}.jpg"
        PIL.Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        rows.append(
            [
                f"train{number:04}",
                name,
                48,
                24,
                "top",
                "2019-01-01",
                f"animal{animal}",
                f"e{number // 12}{animal}",
            ]
        )
    with (folder / "metadata.csv").open("w", newline="") as file:
        header = ["image_id", "path", "height", "width", "viewpoint", "date", "identity", "encounter_id"]
        csv.writer(file).writerows([header, *rows])
    return sorted((folder / "images").iterdir())


@pytest.fixture(scope="session")
def torch_python() -> Path:
    """A Python that can train and export: `WHALEDO_TORCH_PYTHON`, or that of a built environment."""
    given = os.environ.get("WHALEDO_TORCH_PYTHON")
    try:
        python = Path(given) if given else find_python()
    except MachineError as error:
        pytest.skip(f"no torch here: {error.message} (or set WHALEDO_TORCH_PYTHON)")
    code = "import torch, onnx, onnxscript, PIL"
    tried = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    if tried.returncode:
        pytest.skip(f"{python} can't train and export: {tried.stderr.strip().splitlines()[-1]}")
    return python


def train(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    small = ("--steps", "40", "--size", "32", "16", "--hold-back", "0.34")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, TRAIN, *arguments, *small]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=environment)


def test_it_needs_nothing_that_is_not_everywhere_where_torch_is() -> None:
    tree = ast.parse(TRAIN.read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    others = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert others == {"numpy", "PIL", "torch"}


def test_it_stays_short_enough_to_read() -> None:
    assert len(TRAIN.read_text("utf-8").splitlines()) <= 200


def test_what_it_trains_finds_animals_that_it_never_saw_in_the_benchmark(
    torch_python: Path, tmp_path: Path
) -> None:
    core = find_environment("core")
    if core is None:
        pytest.skip("needs the environment `core`: `make setup` builds it")
    paths = write_training(tmp_path / "training")
    trained = train(torch_python, tmp_path / "training", tmp_path / "mine")
    assert trained.returncode == 0, trained.stderr
    assert "24 photographs of 4 animals to learn from, 12 held back" in trained.stdout
    assert json.loads((tmp_path / "mine/model.json").read_text())["input_size"] == [32, 16]

    benchmark = REPOSITORY / "submission_benchmark"
    command: list[str | Path] = [core.folder / "bin/python", "-B", "-c", EMBED]
    command += [benchmark, tmp_path / "mine", *paths]
    said = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout
    likeness = np.array(json.loads(said.splitlines()[-1]))
    animals = np.arange(36) % 6
    names = np.random.default_rng(0).permutation(np.array([f"animal{number}" for number in range(6)]))
    unseen = np.isin(animals, [int(name[-1]) for name in names[:2]])
    likeness, animals = likeness[np.ix_(unseen, unseen)], animals[unseen]
    np.fill_diagonal(likeness, -1)
    assert (animals[likeness.argmax(axis=1)] == animals).mean() > 0.9


def test_a_model_that_is_there_is_replaced_only_by_force(torch_python: Path, tmp_path: Path) -> None:
    write_training(tmp_path / "training")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/model.onnx").write_text("mine")
    refused = train(torch_python, tmp_path / "training", tmp_path / "mine")
    assert refused.returncode == 1
    assert "holds model.onnx already" in refused.stderr
    assert (tmp_path / "mine/model.onnx").read_text() == "mine"
