"""The runtime that every submission meets: paths, user, variables and limits, on one page.

Engines build exactly this, each with its own means, and the conformance tests are written from it. What a
submission may rely on stands here; everything else about a run is an engine's business and may change.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from whaledo.errors import UsageError

HOME = "/code_execution"
"""Working directory and home: the extracted code, writable, private, gone after the run."""

DATA = f"{HOME}/data"
"""The public view of the challenge, read-only."""

SUBMISSION = f"{HOME}/submission"
"""Where `main.py` leaves `submission.csv`."""

RESERVED_NAMES = ("data", "submission")
"""Top-level names that a zip can't hold, because the run puts its own folders there."""

MAIN = "main.py"
OUTPUT_CSV = "submission.csv"
LOG = "log.txt"
RECORD = "run.json"

PYTHON_FOLDER = "/opt/venv"
"""The profile's environment: `/opt/venv/bin/python` starts `main.py`."""

USER = "runner"
USER_ID = 1000
"""The ordinary user that a submission believes to be, whoever it is on the host."""

HOSTNAME = "whaledo"

ENVIRONMENT = {
    "PATH": f"{PYTHON_FOLDER}/bin:/usr/local/bin:/usr/bin:/bin",
    "HOME": HOME,
    "PWD": HOME,
    "USER": USER,
    "LOGNAME": USER,
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 - the private /tmp inside the walls, not the host's
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""All variables that a submission sees. Nothing of the host's environment is added."""

OPEN_FILES = 4096
"""Open files for each process."""

WRITABLE_ENTRIES = 250_000
"""Files and folders that a run may make, all writable places together."""

CSV_BYTES = 64 * 1024**2
"""A larger submission.csv isn't fetched: 4,419 queries of 20 rows are 5 MB, and checking takes memory of ours."""

LOG_FLOOD = 500
"""A run that prints this many times its log limit is ended: it isn't logging, it is flooding."""

LEAST = {"memory_bytes": 32 * 1024**2, "processes": 8, "cpus": 0.01}
"""Limits below which the walls themselves don't start."""


class Network(StrEnum):
    """What a run can reach: nothing but its own loopback, or whatever the host can."""

    NONE = "none"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. The defaults are those of the beluga challenge's official runtime.

    Attributes:
        wall_s: seconds from the start of `main.py` until everything is killed.
        memory_bytes: memory of all processes together, with shared memory and everything written.
        cpus: how many processors' worth of time; None for all of the host.
        processes: processes and threads at one time.
        disk_bytes: everything written to the code folder, the submission folder and /tmp together.
        log_bytes: what is kept of the output; more is counted and dropped from the middle.
        shm_bytes: the size of /dev/shm.
    """

    wall_s: float = 3 * 3600
    memory_bytes: int = 8 * 1024**3
    cpus: float | None = None
    processes: int = 1024
    disk_bytes: int = 4 * 1024**3
    log_bytes: int = 20 * 1024**2
    shm_bytes: int = 8 * 1024**3

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = LEAST.get(name)
            if value is not None and not (0 < value < math.inf and value >= (least or 0)):
                hint = f"it can't be less than {least:,}" if least else "every limit is a number above 0"
                raise UsageError(f"the limit {name} is {value}", hint=hint)

    def to_json(self) -> dict[str, Any]:
        """The limits by name, in the units of their names."""
        return asdict(self)
