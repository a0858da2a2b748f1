"""Hold a submission.csv to the rules of a challenge, without scoring it.

`python -m whaledo.scoring.validate` does it in a process of its own, for whoever must not parse a file that
nobody trusts: it reads `{"csv": path, "data": folder}` on stdin and prints one JSON document. It imports no more
than it needs, because every run waits for it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from whaledo.challenge.load import load_challenge
from whaledo.challenge.model import Challenge
from whaledo.errors import BadData, Problems
from whaledo.scoring.checks import check_answers
from whaledo.scoring.rankings import Rankings, read_rankings


def validate_rankings(path: Path, challenge: Challenge) -> Problems:
    """Everything that is wrong or odd with a submission.csv; empty where it is fine."""
    return _validate(path, challenge)[1]


def _validate(path: Path, challenge: Challenge) -> tuple[Rankings | None, Problems]:
    problems = Problems()
    rankings = read_rankings(path, problems)
    if rankings is not None:
        problems.extend(check_answers(rankings, challenge))
    return rankings, problems


def answer(request: dict[str, str]) -> dict[str, Any]:
    """What the process prints: `rows`, `queries`, `answered`, `unanswered` and `problems`; or `unusable_data`."""
    try:
        challenge = load_challenge(Path(request["data"]))
    except BadData as error:
        return {"unusable_data": [error.message, *map(str, error.problems)]}
    rankings, problems = _validate(Path(request["csv"]), challenge)
    queries = {query.query_id for scenario in challenge.scenarios for query in scenario.queries}
    answered = 0 if rankings is None else len(queries.intersection(rankings.queries.distinct()))
    return {
        "rows": 0 if rankings is None else len(rankings),
        "queries": len(queries),
        "answered": answered,
        "unanswered": len(queries) - answered,
        "problems": problems.to_json(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))) + "\n")
