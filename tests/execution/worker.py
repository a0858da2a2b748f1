"""Runs submissions for the tests as whoever starts this: a request a line on stdin, a result a line on stdout."""

from __future__ import annotations

import json
import sys

from whaledo.execution.records import RunRequest
from whaledo.execution.runner import run

for line in sys.stdin:
    print(json.dumps(run(RunRequest.from_json(json.loads(line))).to_json()), flush=True)
