"""Your submission: write a model into `predict`, and the rest of this file makes a valid submission of it.

A run starts in the folder of this file, without a network. It reads `data/`, and whatever lies beside this file, such
as the weights of a model. It writes `submission/submission.csv`: for each query of each scenario up to 20 images of
that scenario's database, each with a score from 0 to 1, the best match highest.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path("data")
SUBMISSION = Path("submission/submission.csv")
ROWS_PER_QUERY = 20


def predict(queries: pd.DataFrame, database: pd.DataFrame) -> np.ndarray:
    """Say how alike two animals are: a number from 0 to 1 for each query and each database image.

    Called once a scenario. With a network that turns a photograph into an embedding of length 1, it is two lines:

        cosine = embed(queries.path) @ embed(database.path).T
        return np.clip((cosine + 1) / 2, 0, 1)

    Let `embed` keep what it has made: the same photographs come back in other scenarios.

    Args:
        queries: the images that are asked about, one a row, with what metadata.csv says of each as text:
            `image_id`, `path` (opens as it is), `height`, `width`, `viewpoint` and `date`.
        database: the images to rank, likewise.

    Returns:
        Array of shape (queries, database images).
    """
    raise NotImplementedError(
        "submission_src/main.py, predict(): write your model here. It is given the images of the queries and of the "
        "database, and returns how alike they are: an array of numbers from 0 to 1, with a row for each query and a "
        "column for each database image."
    )


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table of ids as text: `001` isn't 1, and `NA` is a name."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def read_scenarios(data: Path) -> Iterator[tuple[str, pd.DataFrame, np.ndarray]]:
    """Yield each scenario's name, its queries, and the image ids of its database."""
    listing = data / "query_scenarios.csv"
    if listing.exists():
        for scenario in read_csv(listing).itertuples():
            database = read_csv(data / scenario.database_path)["database_image_id"]
            yield scenario.scenario_id, read_csv(data / scenario.queries_path), database.to_numpy()
    else:
        for path in sorted((data / "queries").glob("*.csv")):
            text = (data / "databases" / f"{path.stem}.txt").read_text(encoding="utf-8-sig")
            yield path.stem, read_csv(path), np.array([line for line in text.splitlines() if line])


def rank(similarity: np.ndarray, queries: pd.DataFrame, database: np.ndarray) -> list[tuple[str, str, float]]:
    """List each query's best matches; a photograph is no match for itself."""
    needed = (len(queries), len(database))
    if similarity.shape != needed:
        raise ValueError(f"predict() returned an array of shape {similarity.shape}; it must be {needed}")
    if not ((similarity >= 0) & (similarity <= 1)).all():
        raise ValueError("predict() returned something else than numbers from 0 to 1")

    rows = []
    for query, scores in zip(queries.itertuples(), similarity, strict=True):
        best_first = np.argsort(-scores, kind="stable")
        others = best_first[database[best_first] != query.query_image_id]
        rows += [(query.query_id, database[place], scores[place]) for place in others[:ROWS_PER_QUERY]]
    return rows


def main() -> None:
    images = read_csv(DATA / "metadata.csv").set_index("image_id")
    images["path"] = [str(DATA / path) for path in images.path]
    rows = []
    for name, queries, database in read_scenarios(DATA):
        started = time.perf_counter()
        query_images = images.loc[queries.query_image_id].reset_index()
        similarity = predict(query_images, images.loc[database].reset_index())
        rows += rank(similarity, queries, database)
        seconds = time.perf_counter() - started
        print(f"{name}: {len(queries)} queries against {len(database)} images in {seconds:.1f} s", flush=True)

    pd.DataFrame(rows, columns=["query_id", "database_image_id", "score"]).to_csv(SUBMISSION, index=False)
    print(f"{len(rows)} rows written to {SUBMISSION}")


if __name__ == "__main__":
    main()
