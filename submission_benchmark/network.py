"""Turn photographs into embeddings with a network: `model.onnx`, with `model.json` beside it.

The json says how the network wants its photographs, with the names that timm and torchvision use:

    {"input_size": [440, 440], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

Height before width; mean and std are those of red, green and blue from 0 to 1. Photographs are squeezed to that size.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from photographs import ahead, read_photograph, with_progress

BATCH = 32
KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Network:
    """Compares photographs by the cosine of their embeddings, each of which is computed once."""

    def __init__(self, folder: Path, threads: int) -> None:
        settings = json.loads((folder / "model.json").read_text())
        self.height, self.width = settings["input_size"]
        self.mean, self.std = (np.float32(settings[name]) * 255 for name in ("mean", "std"))
        self.threads = threads
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # A network that waits for photographs leaves its processors to the threads that decode them.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            folder / "model.onnx", options, providers=onnxruntime.get_available_providers()
        )
        self.input = self.session.get_inputs()[0]
        fixed = self.input.shape[0]
        self.batch = fixed if isinstance(fixed, int) else BATCH
        self.embeddings: np.ndarray

    def look_at(self, paths: Sequence[Path]) -> None:
        """Embed every photograph."""
        inputs = with_progress(ahead(self._prepare, paths, self.threads), len(paths), "embedded")
        made, batch = [], np.zeros((self.batch, 3, self.height, self.width), KINDS[self.input.type])
        unreadable = []
        for number, one in enumerate(inputs):
            place = number % self.batch
            if one is None:
                unreadable.append(number)
            batch[place] = 0 if one is None else one
            if place == self.batch - 1 or number == len(paths) - 1:
                given = batch if isinstance(self.input.shape[0], int) else batch[: place + 1]
                output = self.session.run(None, {self.input.name: given})[0]
                made.append(output.reshape(len(given), -1)[: place + 1].astype(np.float32))
        embeddings = np.nan_to_num(np.concatenate(made), posinf=0, neginf=0)
        embeddings[unreadable] = 0
        self.embeddings = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-9)

    def _prepare(self, path: Path) -> np.ndarray | None:
        photograph = read_photograph(path, 2 * max(self.height, self.width))
        if photograph is None:
            return None
        larger = photograph.shape[0] * photograph.shape[1] > self.height * self.width
        way = cv2.INTER_AREA if larger else cv2.INTER_LINEAR
        small = cv2.resize(photograph, (self.width, self.height), interpolation=way)
        return ((small - self.mean) / self.std).transpose(2, 0, 1)

    def against(self, database: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Prepare to compare with a database.

        Args:
            database: the numbers of its photographs, in the order in which they were looked at.

        Returns:
            A function from the numbers of queries to similarities from 0 to 1: queries x database.
        """
        known = self.embeddings[database].T
        return lambda queries: np.clip((self.embeddings[queries] @ known + 1) / 2, 0, 1)
