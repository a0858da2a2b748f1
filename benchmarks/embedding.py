"""How fast photographs become embeddings: as submission_benchmark does it, against one photograph at a time.

The network is convolutions with random weights, written here as an ONNX file, so that nothing has to be downloaded:
its answers mean nothing, its cost is that of a small network. The loop decodes, resizes and runs each photograph
by itself, as much example code does. Both run in the environment `core`, in turns; the best of three counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]
SIZE = (192, 96)
CHANNELS = (16, 32, 64, 128)


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it: seven bits a byte, the lowest first."""
    low, high = number & 127, number >> 7
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field of a protobuf message: a whole number, or anything that has a length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def node(kind: str, inputs: Iterable[str], output: str, **whole_numbers: list[int]) -> bytes:
    """An ONNX operation (NodeProto), with attributes that are lists of whole numbers."""
    content = b"".join(field(1, one) for one in inputs) + field(2, output) + field(4, kind)
    for name, values in whole_numbers.items():
        attribute = field(1, name) + b"".join(field(8, value) for value in values) + field(20, 7)
        content += field(5, attribute)
    return field(1, content)


def weights(name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bytes:
    """Constant numbers (TensorProto) of 32 bits."""
    shape = b"".join(field(1, size) for size in values.shape)
    return field(5, shape + field(2, 1) + field(8, name) + field(9, values.astype("<f4").tobytes()))


def value(name: str, shape: Iterable[int | str]) -> bytes:
    """The type of an input or output (ValueInfoProto): numbers of 32 bits; a size with a name is any size."""
    sizes = b"".join(field(1, field(2 if isinstance(one, str) else 1, one)) for one in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))


def network(channels: Iterable[int], *, batch: int | None, size: tuple[int, int]) -> bytes:
    """An ONNX file: a convolution with stride 2 for each number of channels, then the mean over all places.

    Without any channels the embedding is the mean colour. `batch` is how many photographs it takes at once, None
    for any number; `size` is their height and width.
    """
    draws = np.random.default_rng(0)
    content, last, before = b"", "photographs", 3
    for number, after in enumerate(channels):
        kernel = draws.normal(0, (2 / before / 9) ** 0.5, (after, before, 3, 3)).astype(np.float32)
        content += weights(f"kernel{number}", kernel)
        folded = f"folded{number}"
        content += node("Conv", [last, f"kernel{number}"], folded, strides=[2, 2], pads=[1, 1, 1, 1])
        content += node("Relu", [folded], f"layer{number}")
        last, before = f"layer{number}", after
    content += node("GlobalAveragePool", [last], "embeddings") + field(2, "network")
    content += field(11, value("photographs", [batch or "batch", 3, *size]))
    content += field(12, value("embeddings", [batch or "batch", before, 1, 1]))
    return field(1, 8) + field(7, content) + field(8, field(1, "") + field(2, 17))


def one_at_a_time(folder: Path, paths: list[Path]) -> None:
    """Decode, resize and run each photograph by itself."""
    session = import_module("onnxruntime").InferenceSession(
        folder / "model.onnx", providers=["CPUExecutionProvider"]
    )
    made = []
    for path in paths:
        photograph = Image.open(path).convert("RGB").resize(SIZE[::-1], Image.Resampling.BILINEAR)
        values = (np.asarray(photograph, np.float32) / 255 - 0.5) / 0.25
        made.append(session.run(None, {"photographs": values.transpose(2, 0, 1)[None]})[0].ravel())
    assert np.stack(made).shape == (len(paths), CHANNELS[-1])


def batch_by_batch(folder: Path, paths: list[Path]) -> None:
    """Take batches from files to embeddings, each in a thread."""
    seen = import_module("network").Network(folder, import_module("photographs").usable_cpus())
    seen.look_at(paths)
    assert seen.embeddings.shape == (len(paths), CHANNELS[-1])


def by_hand_one_at_a_time(_: Path, paths: list[Path]) -> None:
    """Describe each photograph by itself."""
    handmade = import_module("handmade")
    for path in paths:
        handmade.describe(path)


def by_hand_ahead(_: Path, paths: list[Path]) -> None:
    """Describe photographs in threads."""
    threads = import_module("photographs").usable_cpus()
    import_module("handmade").HandMade(threads, np.full(len(paths), "")).look_at(paths)


def inside(images: Path, rounds: int) -> None:
    """Measure with the modules of submission_benchmark, by the Python of `core`."""
    sys.path.insert(0, str(REPOSITORY / "submission_benchmark"))
    import_module("cv2").setNumThreads(1)
    paths = sorted(images.glob("*.jpg"))
    pairs: list[tuple[str, Callable[[Path, list[Path]], None], Callable[[Path, list[Path]], None]]] = [
        ("network", one_at_a_time, batch_by_batch),
        ("hand-made", by_hand_one_at_a_time, by_hand_ahead),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "model.onnx").write_bytes(network(CHANNELS, batch=None, size=SIZE))
        settings = {"input_size": SIZE, "mean": [0.5] * 3, "std": [0.25] * 3}
        (folder / "model.json").write_text(json.dumps(settings))
        for name, *ways in pairs:
            rounds_of_both = [[timed(way, folder, paths) for way in ways] for _ in range(rounds)]
            seconds = [min(taken) for taken in zip(*rounds_of_both, strict=True)]
            loop, ours = (len(paths) / one for one in seconds)
            print(
                f"{name}: {loop:.0f} photographs a second one at a time, {ours:.0f} in threads: "
                f"{ours / loop:.1f} times"
            )
    print(
        f"{len(paths)} photographs, {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}"
    )


def timed(way: Callable[[Path, list[Path]], None], folder: Path, paths: list[Path]) -> float:
    started = time.perf_counter()
    way(folder, paths)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--images", type=Path, help="a folder of JPEG files; without it, drawn ones")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given.images, given.rounds)
        return
    from whaledo.challenge.demo.write import write_demo
    from whaledo.environment.build import find_environment

    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    with tempfile.TemporaryDirectory() as scratch:
        if given.images is None:
            write_demo(Path(scratch) / "demo")
            given.images = Path(scratch) / "demo" / "images"
        python = environment.folder / "bin" / "python"
        options = ["--images", str(given.images), "--rounds", str(given.rounds), "--inside"]
        sys.exit(subprocess.run([python, __file__, *options]).returncode)


if __name__ == "__main__":
    main()
