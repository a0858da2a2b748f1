"""How fast embeddings become rankings: submission_benchmark's matrix products, against a pandas loop over queries.

Random embeddings of the competition's size: 4,419 queries, 4,900 database images, 512 numbers each. Both give each
query's best 20 rows without its own image. The loop does what one tends to write: for each query a table of the
database without the query, its cosines as a Series, sorted. It is measured on some queries, spread over all, and
their time is taken for all. Runs in the environment `core`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SUBMISSION = Path(__file__).resolve().parents[1] / "submission_benchmark"
QUERIES, DATABASE, NUMBERS, ROWS = 4_419, 4_900, 512, 20

Rows = list[tuple[Any, Any, Any]]


def loop(embeddings: pd.DataFrame, queries: pd.DataFrame, database: Any) -> Rows:
    """Rank query by query, with pandas and scikit-learn."""
    cosine_similarity = import_module("sklearn.metrics.pairwise").cosine_similarity
    known = embeddings.loc[database]
    rows: Rows = []
    for query in queries.itertuples():
        others = known.drop(query.query_image_id, errors="ignore")
        cosines = cosine_similarity(embeddings.loc[[query.query_image_id]], others)[0]
        best = pd.Series(cosines, index=others.index).sort_values(ascending=False).head(ROWS)
        rows += [(query.query_id, image_id, score) for image_id, score in best.items()]
    return rows


def matrix_products(embeddings: pd.DataFrame, queries: pd.DataFrame, database: Any) -> Rows:
    """Rank as submission_benchmark does once its network has embedded every photograph."""
    main, network = import_module("main"), import_module("network")
    seen = object.__new__(network.Network)  # without a file to load
    seen.embeddings = embeddings.to_numpy()
    numbers = pd.Series(range(len(embeddings)), index=embeddings.index)
    rows: Rows = main.rank(main.Scenario("all", queries, database), numbers, seen)
    return rows


def seconds(rank: Callable[[], Rows], rounds: int) -> float:
    """The median of some rounds."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        rank()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def inside(rounds: int, sample: int) -> None:
    """Measure with the modules of submission_benchmark, by the Python of `core`."""
    sys.path.insert(0, str(SUBMISSION))
    vectors = np.random.default_rng(0).normal(size=(DATABASE, NUMBERS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"train{number:04}" for number in range(DATABASE)]
    embeddings = pd.DataFrame(vectors, index=ids)
    database = np.array(ids, object)
    queries = pd.DataFrame({"query_id": ids[:QUERIES], "query_image_id": ids[:QUERIES]})
    some = queries[:: QUERIES // sample]

    agree = [row[:2] for row in matrix_products(embeddings, some, database)] == [
        row[:2] for row in loop(embeddings, some, database)
    ]
    ours = seconds(lambda: matrix_products(embeddings, queries, database), rounds)
    theirs = seconds(lambda: loop(embeddings, some, database), 1) * len(queries) / len(some)
    print(
        f"\n{QUERIES} queries against {DATABASE} images of {NUMBERS} numbers: {ours:.2f} s by matrix products, "
        f"{theirs:.0f} s by a loop (from {len(some)} queries): {theirs / ours:.0f} times; "
        f"the same rankings: {'yes' if agree else 'no'}"
    )
    print(f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=200, help="queries that the loop is measured on")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        inside(given.rounds, given.sample)
        return
    from whaledo.environment.build import find_environment

    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    options = ["--rounds", str(given.rounds), "--sample", str(given.sample), "--inside"]
    sys.exit(subprocess.run([environment.folder / "bin" / "python", __file__, *options]).returncode)


if __name__ == "__main__":
    main()
