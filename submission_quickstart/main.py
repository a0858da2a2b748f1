"""Rank database images at random: the shortest submission that is valid.

A run starts in the folder of this file. It reads `data/` and writes `submission/submission.csv`: for each query of
each scenario up to 20 images of that scenario's database, each with a score from 0 to 1, the best match highest.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path("data")
SUBMISSION = Path("submission/submission.csv")
ROWS_PER_QUERY = 20


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


def main() -> None:
    random = np.random.default_rng(seed=0)
    rows = []
    for name, queries, database in read_scenarios(DATA):
        for query in queries.itertuples():
            # A photograph is no match for itself.
            candidates = database[database != query.query_image_id]
            ranked = random.permutation(candidates)[:ROWS_PER_QUERY]
            scores = np.sort(random.random(len(ranked)))[::-1]
            rows += [
                (query.query_id, image_id, score) for image_id, score in zip(ranked, scores, strict=True)
            ]
        print(
            f"{name}: {len(queries)} queries, each with a random ranking of {len(database)} images",
            flush=True,
        )

    pd.DataFrame(rows, columns=["query_id", "database_image_id", "score"]).to_csv(SUBMISSION, index=False)
    print(f"{len(rows)} rows written to {SUBMISSION}")


if __name__ == "__main__":
    main()
