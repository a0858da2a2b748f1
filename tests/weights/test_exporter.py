"""The exporter with real torch: networks of our own, and model zoos that look like timm and torchvision."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from whaledo.errors import UsageError
from whaledo.weights.export import export
from whaledo.weights.weights import WeightsRequest, put_weights

NETWORKS = """
import torch
from torch import nn

def body():
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten())

class Zoo(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = body()
        self.classifier = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4))
    def forward(self, x):
        return self.classifier(self.body(x))

class Tuple(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)), x

class One(nn.Module):
    def forward(self, x):
        return torch.stack([x[i].mean((1, 2)) for i in range(len(x))])
"""

TIMM = """
import networks
def create_model(name, pretrained, num_classes):
    assert (name, pretrained, num_classes) == ("hf-hub:someone/net", True, 0)
    return networks.body()
"""
TIMM_DATA = """
def resolve_model_data_config(network):
    return {"input_size": (3, 40, 32), "mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6), "crop_pct": 0.9}
"""
TORCHVISION = """
from types import SimpleNamespace
import networks
def get_model_weights(name):
    if name != "net":
        raise ValueError(f"Unknown model {name}")
    wants = SimpleNamespace(crop_size=[36], mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    return SimpleNamespace(DEFAULT=SimpleNamespace(transforms=lambda: wants))
def get_model(name, weights):
    return networks.Zoo()
models = SimpleNamespace(get_model_weights=get_model_weights, get_model=get_model)
"""

LOOK = """
import json, sys, numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
given = [numpy.zeros((n, 3, *map(int, sys.argv[2:])), "f") for n in (1, 5)]
shapes = [session.run(None, {"images": some})[0].shape for some in given]
print(json.dumps([list(shape) for shape in shapes]))
"""


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of networks, with packages that have the names and functions of the model zoos."""
    files = {
        "networks.py": NETWORKS,
        "timm/__init__.py": TIMM,
        "timm/data.py": TIMM_DATA,
        "torchvision/__init__.py": TORCHVISION,
    }
    folder = tmp_path / "zoo"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def zoos_installed(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(zoo))


def order(model: str, size: tuple[int, int] | None = None, colours: float | None = None) -> dict[str, Any]:
    three = None if colours is None else [colours] * 3
    return {"model": model, "input_size": size, "mean": three, "std": three}


def shapes_of(python: Path, model: Path, *size: int) -> Any:
    """What comes out of an exported network for one photograph and for five."""
    said = subprocess.run(
        [python, "-c", LOOK, model, *map(str, size)], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(said.stdout)


def test_a_network_of_ones_own_becomes_a_submissions_model(
    torch_python: Path, zoo: Path, submission: Path
) -> None:
    request = WeightsRequest(
        "networks:body", str(submission), size=(40, 32), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )
    result = put_weights(request, python=torch_python)
    assert result.embedding_size == 8
    assert sorted(path.name for path in submission.iterdir()) == ["main.py", "model.json", "model.onnx"], (
        "all weights in one file"
    )
    assert shapes_of(torch_python, submission / "model.onnx", 40, 32) == [[1, 8], [5, 8]]


@pytest.mark.usefixtures("zoos_installed")
def test_timm_is_asked_for_a_network_without_a_head_and_for_its_settings(
    torch_python: Path, tmp_path: Path
) -> None:
    answer = export(torch_python, order("timm:hf-hub:someone/net"), tmp_path, lambda _: None)
    assert answer == {
        "input_size": [40, 32],
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "embedding_size": 8,
    }


@pytest.mark.usefixtures("zoos_installed")
def test_torchvisions_network_loses_the_layer_that_classifies(torch_python: Path, tmp_path: Path) -> None:
    answer = export(torch_python, order("torchvision:net", size=(20, 24)), tmp_path, lambda _: None)
    assert answer["embedding_size"] == 6, "what goes into the last linear layer"
    assert answer["input_size"] == [20, 24], "what a person says goes before what the network says"
    assert answer["mean"] == [0.485, 0.456, 0.406]


@pytest.mark.parametrize(
    ("model", "size", "said"),
    [
        ("networks:Tuple", (32, 32), "one tensor with a row a photograph"),
        ("networks:body", None, "doesn't say its input_size"),
        ("networks:nothing", (32, 32), "can't be called"),
        ("no_such_module:net", (32, 32), "can't be called"),
        ("networks:Zoo", (1, 1), "can't take photographs of 1 x 1"),
        ("torchvision:other", (32, 32), "Unknown model other"),
    ],
)
@pytest.mark.usefixtures("zoos_installed")
def test_what_is_no_embedding_is_refused_with_the_reason(
    torch_python: Path, tmp_path: Path, model: str, size: tuple[int, int] | None, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        export(torch_python, order(model, size, 0.5), tmp_path, lambda _: None)


def test_a_network_for_one_number_of_photographs_says_so(
    torch_python: Path, zoo: Path, tmp_path: Path
) -> None:
    lines: list[str] = []
    answer = export(torch_python, order("networks:One", (16, 16), 0.5), tmp_path, lines.append)
    assert answer["embedding_size"] == 3
    assert any("takes 3 photographs at a time" in line for line in lines)
