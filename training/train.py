"""Train a small embedding on a challenge's `training/` folder, and export it as `model.onnx` with `model.json`.

Both go into a submission folder whose main.py reads them, as submission_benchmark/ does. It needs torch, numpy and
pillow, and onnx with onnxscript to export: no torchvision, so that it works wherever torch does. A fifth of the
animals is held back, because an embedding is worth what it does for animals that it never saw. Start here, and
replace what you can do better: the network, what `vary` does, the loss.

    python training/train.py challenge/training my_submission
"""

import argparse
import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional

MEAN, STD = 0.5, 0.25  # of every colour: the network learns the rest
ANIMALS_AT_ONCE, PHOTOGRAPHS_EACH = 10, 4


class Block(nn.Module):
    """Two convolutions beside a shortcut; the first halves the picture."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(before, after, 1, stride=2, bias=False)
        self.way = nn.Sequential(
            *(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()),
            *(nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Halve height and width."""
        return functional.relu(self.shortcut(x) + self.way(x))


class Embedding(nn.Module):
    """Photographs, n x 3 x height x width, to embeddings of length 1, n x 128."""

    def __init__(self, width: int = 16, length: int = 128) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(*(Block(width << step, width << step + 1) for step in range(3)))
        # Four parts along and two across, not one mean: where a mark is tells animals apart as much as that it is.
        self.parts = nn.Sequential(nn.AdaptiveAvgPool2d((4, 2)), nn.Flatten(), nn.Dropout(0.2))
        self.last = nn.Sequential(nn.Linear(8 * (width << 3), length, bias=False), nn.BatchNorm1d(length))

    def forward(self, x: Tensor) -> Tensor:
        """Embed."""
        return functional.normalize(self.last(self.parts(self.blocks(functional.relu(self.first(x))))))


def read_training(folder: Path, size: tuple[int, int]) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Read the photographs (n x 3 x height x width, uint8, squeezed), their animals and their encounters."""
    with (folder / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = np.empty((len(rows), *size, 3), np.uint8)
    for picture, row in zip(pictures, rows, strict=True):
        with Image.open(folder / row["path"]) as photograph:
            photograph.draft("RGB", (2 * size[1], 2 * size[0]))
            picture[:] = ImageOps.exif_transpose(photograph).convert("RGB").resize((size[1], size[0]))
    identities, encounters = (np.array([row[name] for row in rows]) for name in ("identity", "encounter_id"))
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), identities, encounters


def scaled(pictures: Tensor) -> Tensor:
    """Turn bytes into what the network is fed: benchmark and json do the same."""
    return (pictures.float() / 255 - MEAN) / STD


def vary(x: Tensor) -> Tensor:
    """Turn, shift, zoom, light and tint each picture a little: what must not matter."""
    n = len(x)
    angle, zoom = torch.empty(n).uniform_(-0.12, 0.12), torch.empty(n).uniform_(0.8, 1.1)
    shift = torch.empty(n, 2).uniform_(-0.1, 0.1)
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    affine = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=1).view(n, 2, 3)
    grid = functional.affine_grid(affine, list(x.shape), align_corners=False)
    x = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    contrast = torch.empty(n, 1, 1, 1).uniform_(0.7, 1.3)
    tint = torch.empty(n, 3, 1, 1).uniform_(-0.2, 0.2)
    light = torch.empty(n, 1, 1, 1).uniform_(-0.4, 0.4)
    return x * contrast + tint + light + 0.1 * torch.randn_like(x)


def batches(animals: Tensor, count: int) -> list[Tensor]:
    """Draw `count` batches of a few animals with a few photographs each: the loss compares within a batch."""
    places = [torch.nonzero(animals == animal).flatten() for animal in animals.unique()]
    drawn = []
    for _ in range(count):
        some = torch.randperm(len(places))[:ANIMALS_AT_ONCE]
        drawn.append(torch.cat([places[a][torch.randint(len(places[a]), (PHOTOGRAPHS_EACH,))] for a in some]))
    return drawn


def loss_of(embeddings: Tensor, animals: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss: each photograph should be nearest to those of the same animal."""
    itself = torch.eye(len(animals), dtype=torch.bool)
    likeness = (embeddings @ embeddings.T / temperature).masked_fill(itself, -1e9)
    same = (animals[:, None] == animals) & ~itself
    return -(likeness.log_softmax(dim=1) * same).sum(1).div(same.sum(1).clamp(min=1)).mean()


@torch.no_grad()
def average_precision(network: nn.Module, x: Tensor, animals: np.ndarray, encounters: np.ndarray) -> float:
    """Mean average precision where each photograph asks for its animal in other encounters."""
    network.eval()
    embeddings = torch.cat([network(scaled(part)) for part in x.split(64)]).numpy()
    found = []
    for query, row in enumerate(embeddings @ embeddings.T):
        order = np.argsort(-row)
        order = order[encounters[order] != encounters[query]]
        hits = animals[order] == animals[query]
        if hits.any():
            found.append((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
    return float(np.mean(found)) if found else float("nan")


def train(folder: Path, *, size: tuple[int, int], steps: int, seed: int, hold_back: float) -> nn.Module:
    """Learn from the animals that aren't held back; print how it does on those that are."""
    torch.manual_seed(seed)
    pictures, identities, encounters = read_training(folder, size)
    names = np.random.default_rng(seed).permutation(np.unique(identities))
    unseen = np.isin(identities, names[: int(len(names) * hold_back)])
    numbers = torch.from_numpy(np.searchsorted(np.sort(names), identities))
    seen = torch.from_numpy(np.flatnonzero(~unseen))
    held = (pictures[torch.from_numpy(unseen)], identities[unseen], encounters[unseen])
    print(
        f"{len(seen)} photographs of {len(numbers[seen].unique())} animals to learn from, {unseen.sum()} held back"
    )

    network = Embedding().to(memory_format=torch.channels_last)  # twice as fast on a processor
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    started, losses = time.perf_counter(), []
    for step, batch in enumerate(batches(numbers[seen], steps), start=1):
        network.train()
        loss = loss_of(
            network(vary(scaled(pictures[seen[batch]])).contiguous(memory_format=torch.channels_last)),
            numbers[seen[batch]],
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % max(1, steps // 10) == 0:
            score = f", mAP of unseen animals {average_precision(network, *held):.3f}" if unseen.any() else ""
            seconds = time.perf_counter() - started
            print(f"step {step}: loss {np.mean(losses[-50:]):.3f}{score}, {seconds:.0f} s", flush=True)
    return network.eval()


def export(network: nn.Module, folder: Path, size: tuple[int, int]) -> None:
    """Write the network for any number of photographs, and what they must be."""
    example = torch.zeros(2, 3, *size)  # two: an example of one would fix the number at one
    how = {"input_names": ["images"], "output_names": ["embeddings"], "dynamo": True, "verbose": False}
    shapes = {"x": {0: torch.export.Dim("photographs")}}
    torch.onnx.export(
        network, (example,), folder / "model.onnx", dynamic_shapes=shapes, external_data=False, **how
    )
    settings = {"input_size": size, "mean": [MEAN] * 3, "std": [STD] * 3}
    (folder / "model.json").write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("training", type=Path, help="the challenge's training/ folder")
    parser.add_argument("submission", type=Path, help="the folder that gets model.onnx and model.json")
    parser.add_argument("--steps", type=int, default=400, help="how many batches to learn from")
    parser.add_argument("--size", type=int, nargs=2, default=[128, 64], metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--hold-back", type=float, default=0.2, help="share of the animals; 0 to learn from all"
    )
    parser.add_argument("--force", action="store_true", help="replace a model that is there")
    given = parser.parse_args()
    there = [name for name in ("model.onnx", "model.json") if (given.submission / name).exists()]
    if there and not given.force:
        sys.exit(
            f"{given.submission} holds {' and '.join(there)} already: name another folder, or add --force"
        )
    given.submission.mkdir(parents=True, exist_ok=True)
    settings = {"size": given.size, "steps": given.steps, "seed": given.seed, "hold_back": given.hold_back}
    export(train(given.training, **settings), given.submission, given.size)
    print(f"{given.submission}: model.onnx and model.json")


if __name__ == "__main__":
    main()
