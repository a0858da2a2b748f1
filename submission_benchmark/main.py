"""Rank database images by how alike they are: with a network where there is one, else with hand-made descriptions.

A run starts in the folder of this file. It reads `data/` and writes `submission/submission.csv`: for each query of
each scenario up to 20 images of that scenario's database, each with a score from 0 to 1, the best match highest.
With `model.onnx` and `model.json` beside this file photographs are compared by that network (network.py), without
by their colours, texture and patterns (handmade.py). Every photograph is looked at once, whatever scenarios it is in.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from photographs import usable_cpus
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
DATA = Path("data")
SUBMISSION = Path("submission/submission.csv")
ROWS_PER_QUERY = 20
QUERIES_AT_ONCE = 128  # what is in memory for each is as long as the database


@dataclass(frozen=True)
class Scenario:
    """Queries (query_id, query_image_id), and the ids of the images to rank for each."""

    name: str
    queries: pd.DataFrame
    database: np.ndarray


class Model(Protocol):
    """What compares photographs; they are numbered in the order in which it looked at them."""

    def look_at(self, paths: Sequence[Path]) -> None:
        """Describe every photograph."""

    def against(self, database: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Prepare for a database; what is returned makes of queries similarities from 0 to 1: queries x database."""


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table of ids as text: `001` isn't 1, and `NA` is a name."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def read_scenarios(data: Path) -> Iterator[Scenario]:
    listing = data / "query_scenarios.csv"
    if listing.exists():
        for row in read_csv(listing).itertuples():
            database = read_csv(data / row.database_path)["database_image_id"]
            yield Scenario(row.scenario_id, read_csv(data / row.queries_path), database.to_numpy(object))
    else:
        for path in sorted((data / "queries").glob("*.csv")):
            text = (data / "databases" / f"{path.stem}.txt").read_text(encoding="utf-8-sig")
            database = np.array([line for line in text.splitlines() if line], object)
            yield Scenario(path.stem, read_csv(path), database)


def views_of(metadata: pd.DataFrame) -> pd.Series:
    """From which side each photograph was taken; empty where nobody says so."""
    return metadata.get("viewpoint", pd.Series("", metadata.index))


def best_images(similarities: np.ndarray, own: np.ndarray) -> Iterator[np.ndarray]:
    """List the columns of each row's best similarities, best first; a photograph is no match for itself."""
    similarities = np.where(own, -1, similarities)
    for row, left_out in zip(similarities, own.sum(axis=1), strict=True):
        wanted = min(ROWS_PER_QUERY, len(row) - left_out)
        few = np.argpartition(-row, wanted)[:wanted] if wanted < len(row) else np.arange(wanted)
        yield few[np.lexsort((few, -row[few]))]


def rank(scenario: Scenario, numbers: pd.Series, model: Model) -> list[tuple[str, str, float]]:
    """Answer a scenario's queries: (query, database image, score)."""
    database = numbers[scenario.database].to_numpy()
    compare = model.against(database)
    rows = []
    for start in range(0, len(scenario.queries), QUERIES_AT_ONCE):
        some = scenario.queries[start : start + QUERIES_AT_ONCE]
        queries = numbers[some.query_image_id].to_numpy()
        similarities = compare(queries)
        best = best_images(similarities, queries[:, None] == database)
        for query_id, scores, columns in zip(some.query_id, similarities, best, strict=True):
            rows += [(query_id, scenario.database[column], scores[column]) for column in columns]
        print(f"{scenario.name}: {start + len(some)} of {len(scenario.queries)} queries", flush=True)
    return rows


def choose_model(folder: Path, threads: int, views: np.ndarray) -> Model:
    """The network beside this file, or the descriptions that need none."""
    if (folder / "model.onnx").exists():
        from network import Network

        print(f"comparing by the network model.onnx, on {threads} processors", flush=True)
        return Network(folder, threads)
    from handmade import HandMade

    print(f"no model.onnx: comparing by colours, texture and patterns, on {threads} processors", flush=True)
    return HandMade(threads, views)


def main() -> None:
    started = time.perf_counter()
    threads = usable_cpus()
    metadata = read_csv(DATA / "metadata.csv").set_index("image_id")
    scenarios = [one for one in read_scenarios(DATA) if len(one.queries) and len(one.database)]
    asked = [one.queries.query_image_id for one in scenarios] + [pd.Series(one.database) for one in scenarios]
    images = pd.unique(pd.concat(asked)) if asked else []
    numbers = pd.Series(range(len(images)), index=images)

    model = choose_model(HERE, threads, views_of(metadata)[images].to_numpy(object))
    rows = []
    with threadpool_limits(threads):  # libraries take all processors otherwise
        if scenarios:
            model.look_at([DATA / path for path in metadata.path[images]])
        for scenario in scenarios:
            rows += rank(scenario, numbers, model)
    pd.DataFrame(rows, columns=["query_id", "database_image_id", "score"]).to_csv(SUBMISSION, index=False)
    print(f"{len(rows)} rows written to {SUBMISSION} in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
