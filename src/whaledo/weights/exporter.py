"""Run by an environment that has torch, never by whaledo's own Python: a network becomes an ONNX file.

It imports nothing of whaledo, which those environments lack, and torch only by name, which whaledo's lacks. It is
given one JSON order as its argument, prints how it goes on, and leaves a JSON answer: what the network wants its
photographs to be, or why it was refused. Anything unexpected is a traceback and an exit status other than 0.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

NEEDED = ("torch", "onnx", "onnxscript", "onnxruntime")
HEADS = ("fc", "classifier", "heads", "head")
"""What torchvision calls the part of a network that classifies."""

Preset = dict[str, list[float]]


class Refused(Exception):
    """The network can't be had or exported; the message is for people."""


def load(model: str) -> tuple[Any, Preset]:
    """Load `timm:NAME`, `torchvision:NAME` or `MODULE:FUNCTION`, and what it wants its photographs to be."""
    zoo, _, name = model.partition(":")
    if zoo == "timm":
        return _from_timm(name)
    if zoo == "torchvision":
        return _from_torchvision(name)
    sys.path.insert(0, str(Path.cwd()))  # where a person's own module lies
    try:
        return getattr(importlib.import_module(zoo), name)(), {}
    except (ModuleNotFoundError, AttributeError) as error:
        raise Refused(f"{model} can't be called: {error}") from error


def _from_timm(name: str) -> tuple[Any, Preset]:
    timm = _imported("timm")
    network = timm.create_model(name, pretrained=True, num_classes=0)
    wants = importlib.import_module("timm.data").resolve_model_data_config(network)
    return network, {"input_size": list(wants["input_size"][1:]), "mean": wants["mean"], "std": wants["std"]}


def _from_torchvision(name: str) -> tuple[Any, Preset]:
    models = _imported("torchvision").models
    try:
        weights = models.get_model_weights(name).DEFAULT
    except ValueError as error:
        raise Refused(str(error)) from error
    network, wants = models.get_model(name, weights=weights), weights.transforms()
    side = wants.crop_size[0]
    return without_head(network), {"input_size": [side, side], "mean": wants.mean, "std": wants.std}


def without_head(network: Any) -> Any:
    """Put nothing in the place of the layer that classifies, the last linear one of the network's head."""
    nn = importlib.import_module("torch").nn
    for head in (name for name in HEADS if hasattr(network, name)):
        linear = [
            name for name, part in getattr(network, head).named_modules() if isinstance(part, nn.Linear)
        ]
        if linear:
            parent, _, last = ".".join((head, linear[-1])).rstrip(".").rpartition(".")
            setattr(network.get_submodule(parent), last, nn.Identity())
            return network
    raise Refused(f"no layer that classifies was found (looked in {', '.join(HEADS)})")


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Refused(f"this environment can't import {name}: {error}") from error


def export(network: Any, size: list[int], target: Path) -> int:
    """Write the network as ONNX, see that it computes the same there, and return the length of an embedding.

    Raises:
        Refused: it makes no embedding of photographs, or computes something else as ONNX.
    """
    torch = importlib.import_module("torch")
    network = network.eval().float()
    torch.manual_seed(0)
    example = torch.rand(3, 3, *size)
    with torch.no_grad():
        try:
            expected = network(example)
        except Exception as error:  # whatever a network says of photographs of the wrong size
            raise Refused(f"it can't take photographs of {size[0]} x {size[1]} pixels: {error}") from error
    if not isinstance(expected, torch.Tensor) or expected.shape[0] != len(example):
        raise Refused("it doesn't return one tensor with a row a photograph")
    how = {"input_names": ["images"], "output_names": ["embeddings"], "dynamo": True, "external_data": False}
    any_number = ({0: torch.export.Dim("photographs")},)
    torch.onnx.export(network, (example,), target, dynamic_shapes=any_number, verbose=False, **how)
    _compare(network, target, example)
    return int(expected[0].numel())


def _compare(network: Any, target: Path, example: Any) -> None:
    """See that ONNX computes the same, also for another number of photographs unless that is fixed."""
    torch = importlib.import_module("torch")
    session = importlib.import_module("onnxruntime").InferenceSession(target)
    fixed = isinstance(session.get_inputs()[0].shape[0], int)
    photographs = example if fixed else torch.rand(5, *example.shape[1:])
    with torch.no_grad():
        expected = network(photographs)
    got = torch.from_numpy(session.run(None, {"images": photographs.numpy()})[0])
    off, scale = float((got - expected).abs().max()), float(expected.abs().max())
    if not off <= 0.01 * scale:  # also true of what isn't a number
        raise Refused(
            f"as ONNX it computes something else: {off:.3g} off, where the largest number is {scale:.3g}"
        )
    print(f"as ONNX it computes the same: at most {off:.1g} off, where the largest number is {scale:.1g}")
    if fixed:
        print(f"it takes {len(example)} photographs at a time, no other number")


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Carry out an order: `model`, `target`, and `input_size`, `mean`, `std` where they are given."""
    try:
        for name in NEEDED:
            _imported(name)
        network, preset = load(order["model"])
        wants = {**preset, **{name: order[name] for name in ("input_size", "mean", "std") if order[name]}}
        if missing := [name for name in ("input_size", "mean", "std") if name not in wants]:
            raise Refused(f"{order['model']} doesn't say its {', '.join(missing)}")
        length = export(network, [int(side) for side in wants["input_size"]], Path(order["target"]))
    except Refused as refused:
        return {"refused": str(refused)}
    return {**{name: list(value) for name, value in wants.items()}, "embedding_size": length}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    Path(given["answer"]).write_text(json.dumps(answer(given)), "utf-8")
