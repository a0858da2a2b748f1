"""Hold a fetched csv to the rules, in a process of its own.

The csv was written by code that nobody trusts, and reading it quickly takes libraries that are large. In a
separate process, with a limit on its memory and time, neither its size nor a fault in a parser can touch the
supervisor.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whaledo.errors import MachineError

MEMORY_BYTES = 8 * 1024**3
PATIENCE_S = 300.0
TICK_S = 0.1

_CHECKER = (
    "import ctypes, gc, os, runpy, sys; gc.disable(); ctypes.CDLL(None).prctl(1, 9); "  # PR_SET_PDEATHSIG, SIGKILL
    "runpy.run_module('whaledo.scoring.validate', run_name='__main__'); sys.stdout.flush(); os._exit(0)"
)
"""The checker, which ends with us even where we are killed.

It makes little garbage and ends soon, so it never looks for any. It leaves without the interpreter's own end: a
thread of pyarrow that lets go of a Python object just then aborts the process, with its answer already given (seen
once in a hundred times on a busy machine).
"""


@dataclass(frozen=True, slots=True)
class Validated:
    """What the checker says of a csv.

    Attributes:
        rows: rankings in it.
        queries: queries of the challenge.
        unanswered: queries without a row.
        errors: how many rules are broken.
        details: the problems, a line each; of each kind the first few.
        warnings: what is allowed but deserves a look.
    """

    rows: int
    queries: int
    unanswered: int
    errors: int
    details: tuple[str, ...]
    warnings: tuple[str, ...]


def validate_csv(csv: Path, data: Path, cancelled: Callable[[], bool] = lambda: False) -> Validated | None:
    """Check a csv against a challenge; None if it was cancelled on the way.

    Raises:
        MachineError: the checker itself failed, or the data can't be used any more.
    """
    request: str | None = json.dumps({"csv": str(csv), "data": str(data)})
    checker = subprocess.Popen(
        # Without -P, a `csv.py` or `random.py` in the folder that whaledo was started in would be imported.
        [sys.executable, "-P", "-c", _CHECKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us to act on
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # starting threads that nothing needs takes 0.06 s
    )
    resource.prlimit(checker.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answer, said = "", ""
    deadline = time.monotonic() + PATIENCE_S
    while checker.returncode is None:
        try:
            answer, said = checker.communicate(request, timeout=TICK_S)
        except subprocess.TimeoutExpired:
            request = None  # sent by now
            if not (stopped := cancelled()) and time.monotonic() < deadline:
                continue
            checker.kill()
            checker.communicate()
            if stopped:
                return None
            raise MachineError(f"{csv} could not be checked within {PATIENCE_S:.0f} s") from None
    if checker.returncode != 0:
        raise MachineError(f"{csv} could not be checked: {said.strip()[-500:]}")
    document: dict[str, Any] = json.loads(answer)
    if (why := document.get("unusable_data")) is not None:
        raise MachineError(
            f"{data} has changed since the run began and can't be used any more: {'; '.join(why)}",
            hint="leave the data as they are while a run goes on, and run it once more",
        )
    return _read(document)


def _read(document: dict[str, Any]) -> Validated:
    details, warnings, errors = [], [], 0
    for kind in document["problems"]:
        lines = [_line(problem) for problem in kind["shown"]]
        if (more := kind["total"] - len(lines)) > 0:
            lines.append(f"… and {more:,} more like these")
        if kind["severity"] == "error":
            errors += kind["total"]
            details += lines
        else:
            warnings += lines
    return Validated(
        document["rows"], document["queries"], document["unanswered"], errors, tuple(details), tuple(warnings)
    )


def _line(problem: dict[str, Any]) -> str:
    place = f"line {problem['line']}: " if problem["line"] is not None else ""
    return f"{place}{problem['message']}" + (f" ({problem['hint']})" if problem["hint"] else "")
