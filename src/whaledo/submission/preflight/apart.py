"""A check in a process of its own, for whoever must not parse code that nobody trusts.

`python -m whaledo.submission.preflight.apart` reads the fields of a `PreflightRequest` as JSON on stdin and prints
one document: what was found, or `{"refused": true}` for a zip that unpacking will refuse as well, and explain. It
imports no more than it needs, because every run waits for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from whaledo.errors import BadSubmission
from whaledo.submission.preflight.check import PreflightRequest, check_submission

REFUSED = {"refused": True}


def answer(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the process prints."""
    try:
        found = check_submission(PreflightRequest(**document))
    except BadSubmission:
        return REFUSED
    return REFUSED if any(problem.code == "no_main" for problem in found.problems) else found.to_json()


def main() -> None:
    """Answer what is asked on stdin."""
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))) + "\n")


if __name__ == "__main__":
    main()
