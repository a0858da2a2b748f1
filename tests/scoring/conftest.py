"""Files to score, a small challenge to score them against, and the plain way to score them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from whaledo.challenge.columns import ids_of
from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Challenge
from whaledo.challenge.sheet import Lines, owned
from whaledo.challenge.truth import LABEL_COLUMNS, Labels
from whaledo.scoring.rankings import HEADER, Rankings

Rows: TypeAlias = Iterable[tuple[str, str, float]]

CHALLENGE = {
    "metadata.csv": """\
image_id,path,height,width,viewpoint,date,whale_id,encounter_id
a1,images/a1.jpg,1,1,top,2017-08-07,ada,e1
a2,images/a2.jpg,1,1,top,2017-08-07,ada,e1
a3,images/a3.jpg,1,1,left,2017-09-01,ada,e2
a4,images/a4.jpg,1,1,top,2019-08-01,ada,e3
b1,images/b1.jpg,1,1,top,2018-08-10,bo,e4
b2,images/b2.jpg,1,1,left,2019-08-29,bo,e5
c1,images/c1.jpg,1,1,top,,,
z1,images/z1.jpg,1,1,top,2019-08-30,zoe,e6
""",
    "queries/one.csv": "query_id,query_image_id\none-a1,a1\none-z1,z1\n",
    "databases/one.txt": "a1\na2\na3\na4\nb1\nc1\n",
    "queries/two.csv": "query_id,query_image_id\ntwo-b1,b1\ntwo-a2,a2\n",
    "databases/two.txt": "b2\na4\nc1\n",
}
"""Two scenarios; the query one-z1 has no right answer, and three of the others' animals are two."""


def write_challenge(folder: Path) -> Path:
    """Write the small challenge, images left out: scoring doesn't look at them."""
    for name, text in CHALLENGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the small challenge."""
    return write_challenge(tmp_path / "data")


@pytest.fixture
def challenge(folder: Path) -> Challenge:
    """The small challenge."""
    return load_challenge(folder)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file: text, bytes, or a submission's rows below the right header."""

    def write(content: str | bytes | Rows, name: str = "submission.csv") -> Path:
        path = tmp_path / name
        if not isinstance(content, str | bytes):
            content = "\n".join([HEADER, *(",".join(map(str, row)) for row in content), ""])
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def rankings() -> Callable[[Rows], Rankings]:
    """Make rankings without a file, row by row."""
    return make_rankings


def make_rankings(rows: Rows) -> Rankings:
    """Rankings that were never in a file."""
    rows = list(rows)
    queries, images = ids_of([row[0] for row in rows]), ids_of([row[1] for row in rows])
    scores = np.array([row[2] for row in rows], np.float64)
    text = owned(b"query_id,database_image_id,score\n" * (len(rows) + 1))
    return Rankings.of(
        Path("submission.csv"), queries, images, scores, Lines(text, 33, 2), np.arange(len(rows))
    )


@pytest.fixture
def labels() -> Callable[[Iterable[tuple[str, str]]], Labels]:
    """Make labels without a file."""

    def labels(pairs: Iterable[tuple[str, str]]) -> Labels:
        pairs = list(pairs)
        queries, images = ids_of([pair[0] for pair in pairs]), ids_of([pair[1] for pair in pairs])
        return Labels("labels.csv", LABEL_COLUMNS, queries, images)

    return labels


@pytest.fixture(scope="session")
def plain_ap() -> Callable[[list[tuple[float, bool]], int, int], float]:
    """Average precision of one query by scikit-learn, scaled by the rules."""
    from sklearn.metrics import average_precision_score  # type: ignore[import-untyped]  # it has no types

    def plain_ap(rows: list[tuple[float, bool]], relevant: int, limit: int) -> float:
        hits = sum(is_hit for _, is_hit in rows)
        if not hits:
            return 0.0
        value: Any = average_precision_score([is_hit for _, is_hit in rows], [score for score, _ in rows])
        return float(value * hits / min(relevant, limit))

    return plain_ap
