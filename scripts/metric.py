#!/usr/bin/env python
"""Score a submission.csv and print `{"mean_average_precision": ...}`, as the competition's own script does.

`whaledo score` says more; this one is for people and programs that know the old name. It wants the environment
that `make setup` builds: `.venv/bin/python scripts/metric.py SUBMISSION LABELS`.
"""

from __future__ import annotations

import argparse
import json
import sys

try:
    from whaledo.errors import WhaledoError
    from whaledo.scoring.score import ScoreRequest, score, sentences
except ImportError as error:
    sys.exit(f"{error}: run `make setup`, then `.venv/bin/python scripts/metric.py SUBMISSION LABELS`")


def main() -> int:
    """Score the two files named on the command line; the exit status."""
    parser = argparse.ArgumentParser(description="Score a submission.csv: mean average precision at 20.")
    parser.add_argument("submission", metavar="SUBMISSION", help="the submission.csv")
    parser.add_argument(
        "labels",
        metavar="LABELS",
        help="a labels file (query_id,database_image_id), or the metadata.csv of a data folder",
    )
    arguments = parser.parse_args()
    try:
        result = score(ScoreRequest(arguments.submission, arguments.labels))
    except WhaledoError as error:
        lines = [error.message, *sentences(error.problems), *filter(None, [error.hint])]
        print(*lines, sep="\n", file=sys.stderr)
        return error.fault.exit_status
    for warning in result.warnings:
        print(warning, file=sys.stderr)
    print(json.dumps({"mean_average_precision": result.mean_average_precision}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
