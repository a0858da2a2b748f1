"""The submission that `whaledo env test` runs: the tests beside it, walled in, offline, by the profile's Python.

Its csv is only there so that the run can end well: it names one image for each query.
"""

import csv
import sys
import unittest
from pathlib import Path

DATA = Path("data")


def main() -> None:
    tests = unittest.defaultTestLoader.discover(".", "test_*.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2).run(tests)
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(f"{len(result.failures) + len(result.errors)} of {result.testsRun} tests failed")
    with Path("submission/submission.csv").open("w", newline="") as file:
        answers = csv.writer(file)
        answers.writerow(["query_id", "database_image_id", "score"])
        for queries in sorted((DATA / "queries").glob("*.csv")):
            database = (DATA / "databases" / f"{queries.stem}.txt").read_text().split()
            with queries.open(newline="") as rows:
                for query in csv.DictReader(rows):
                    other = next(image for image in database if image != query["query_image_id"])
                    answers.writerow([query["query_id"], other, 0.5])


if __name__ == "__main__":
    main()
