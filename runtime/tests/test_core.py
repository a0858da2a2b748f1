"""What submissions count on in every profile: a test for each package of environment.in.

Each does something that a photo-identification submission really does with it. `whaledo env test` runs them.
"""

from __future__ import annotations

import io
import unittest


def squaring_network() -> bytes:
    """An ONNX model that multiplies two numbers with themselves, written out in the format's protobuf fields."""

    def field(number: int, content: bytes | int) -> bytes:
        if isinstance(content, int):
            return bytes([number << 3, content])
        return bytes([number << 3 | 2, len(content)]) + content

    two_floats = field(1, field(1, 1) + field(2, field(1, field(1, 2))))
    x, y = (field(1, name) + field(2, two_floats) for name in (b"x", b"y"))
    multiply = field(1, b"x") + field(1, b"x") + field(2, b"y") + field(4, b"Mul")
    graph = field(1, multiply) + field(2, b"square") + field(11, x) + field(12, y)
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


class CorePackages(unittest.TestCase):
    def setUp(self) -> None:
        import numpy as np

        self.photo = np.random.default_rng(0).integers(0, 256, (64, 128, 3), dtype=np.uint8)

    def test_pillow_reads_what_it_writes(self) -> None:
        from PIL import Image

        stream = io.BytesIO()
        Image.fromarray(self.photo).save(stream, "JPEG")
        assert Image.open(stream).resize((32, 16)).size == (32, 16)

    def test_opencv_has_the_descriptors_that_version_5_lost(self) -> None:
        import cv2

        grey = cv2.cvtColor(self.photo, cv2.COLOR_RGB2GRAY)
        assert cv2.HOGDescriptor((128, 64), (16, 16), (8, 8), (8, 8), 9).compute(grey).size == 3780
        _, descriptors = cv2.SIFT_create().detectAndCompute(grey, None)
        assert descriptors.shape[1] == 128

    def test_opencv_reads_a_jpeg(self) -> None:
        import cv2

        written, data = cv2.imencode(".jpg", self.photo)
        assert written
        assert cv2.imdecode(data, cv2.IMREAD_COLOR).shape == self.photo.shape

    def test_scikit_image_describes_texture(self) -> None:
        from skimage.feature import local_binary_pattern

        assert local_binary_pattern(self.photo[..., 0], 8, 1).shape == (64, 128)

    def test_faiss_finds_the_nearest(self) -> None:
        import faiss
        import numpy as np

        vectors = np.eye(8, dtype=np.float32)
        index = faiss.IndexFlatIP(8)
        index.add(vectors)
        assert index.search(vectors, 1)[1].ravel().tolist() == list(range(8))

    def test_onnxruntime_runs_a_network(self) -> None:
        import numpy as np
        import onnxruntime

        session = onnxruntime.InferenceSession(squaring_network(), providers=["CPUExecutionProvider"])
        assert session.run(None, {"x": np.array([3.0, 4.0], np.float32)})[0].tolist() == [9.0, 16.0]

    def test_pandas_keeps_ids_as_text(self) -> None:
        import pandas as pd

        table = pd.read_csv(
            io.StringIO("query_id,query_image_id\nq1,001\nq2,NA\n"), dtype=str, keep_default_na=False
        )
        assert table["query_image_id"].tolist() == ["001", "NA"]

    def test_scikit_learn_scores_a_ranking(self) -> None:
        from sklearn.metrics import average_precision_score

        assert average_precision_score([1, 0, 1], [0.9, 0.8, 0.7]) > 0.8

    def test_scipy_measures_distances(self) -> None:
        from scipy.spatial.distance import cdist

        assert cdist([[0.0, 0.0]], [[3.0, 4.0]])[0, 0] == 5.0

    def test_progress_and_logging_go_to_the_log(self) -> None:
        from loguru import logger
        from tqdm import tqdm

        stream = io.StringIO()
        logger.add(stream)
        logger.info("ranked {} queries", sum(1 for _ in tqdm(range(3), file=stream)))
        assert "ranked 3 queries" in stream.getvalue()
        assert "3/3" in stream.getvalue()
