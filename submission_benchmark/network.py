"""Turn photographs into embeddings with a network: `model.onnx`, with `model.json` beside it.

The json says how the network wants its photographs, with the names that timm and torchvision use:

    {"input_size": [440, 440], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

Height before width; mean and std are those of red, green and blue from 0 to 1. Photographs are squeezed to that size.
Each thread takes a batch from files to embeddings: no processor waits for another, as it does within a layer.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from photographs import ahead, read_photograph, with_progress

BATCH = 8  # larger ones are no faster on processors, and each thread needs the memory of one
KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Network:
    """Compares photographs by the cosine of their embeddings, each of which is computed once."""

    def __init__(self, folder: Path, threads: int) -> None:
        settings = json.loads((folder / "model.json").read_text())
        self.height, self.width = settings["input_size"]
        mean, std = (np.float32(settings[name])[:, None, None] for name in ("mean", "std"))
        self.scale, self.shift = 1 / (255 * std), -mean / std
        self.threads = threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # each of our threads runs a batch of its own
        self.session = onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=onnxruntime.get_available_providers()
        )
        self.input = self.session.get_inputs()[0]
        fixed = self.input.shape[0]
        self.fixed = fixed if isinstance(fixed, int) else None
        self.embeddings: np.ndarray

    def look_at(self, paths: Sequence[Path]) -> None:
        """Embed every photograph."""
        size = self.fixed or BATCH
        batches = [paths[start : start + size] for start in range(0, len(paths), size)]
        made = (one for batch in ahead(self._embed, batches, self.threads) for one in batch)
        embeddings = np.stack(list(with_progress(made, len(paths), "embedded")))
        self.embeddings = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-9)

    def _embed(self, paths: Sequence[Path]) -> np.ndarray:
        """Embeddings of some photographs; 0 for those that can't be read."""
        shape = (self.fixed or len(paths), 3, self.height, self.width)
        batch, readable = np.zeros(shape, np.float32), np.zeros((len(paths), 1), bool)
        for place, path in enumerate(paths):
            photograph = read_photograph(path, (self.width, self.height))
            if photograph is not None:
                batch[place] = photograph.transpose(2, 0, 1)
                readable[place] = True
        batch *= self.scale
        batch += self.shift
        given = batch.astype(KINDS[self.input.type], copy=False)
        output = self.session.run(None, {self.input.name: given})[0]
        embeddings = output.reshape(len(batch), -1)[: len(paths)].astype(np.float32)
        return np.where(readable, np.nan_to_num(embeddings, posinf=0, neginf=0), 0)

    def against(self, database: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Prepare to compare with a database.

        Args:
            database: the numbers of its photographs, in the order in which they were looked at.

        Returns:
            A function from the numbers of queries to similarities from 0 to 1: queries x database.
        """
        known = self.embeddings[database].T
        return lambda queries: np.clip((self.embeddings[queries] @ known + 1) / 2, 0, 1)
