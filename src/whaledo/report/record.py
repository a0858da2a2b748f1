"""What a report says of the run itself, from `run.json` and `log.txt` in the output folder.

A report can be made of a submission.csv that came from anywhere, so neither file has to be there; a `run.json`
that can't be read is said and left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from whaledo.execution.contract import LOG, RECORD
from whaledo.report.before import FOLDERS, Before, read_before
from whaledo.report.text import log_tail, visible
from whaledo.units import show_duration, show_size

TAIL_BYTES = 32 * 1024
"""How much of the log is read, from its end."""

OK = "ok"
"""The verdict of a run in which all went well."""

HINTS = MappingProxyType(
    {
        OK: "",
        "crashed": "the last lines of the log say where: mend that, pack the submission anew and run it again",
        "cancelled": "run it again",
    }
)
"""What to do, by verdict, where the verdict itself doesn't say."""

HINT = "mend that, pack the submission anew and run it again"
"""What to do about any other verdict."""

MOST_DETAILS = 40
"""So many further lines of a verdict are shown."""


@dataclass(frozen=True, slots=True)
class LimitUsed:
    """How much of one limit a run used.

    Attributes:
        name: what is limited, in words.
        used: how much was used, with its unit.
        limit: the limit, with its unit.
        share: used / limit.
    """

    name: str
    used: str
    limit: str
    share: float


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run, as far as a report shows it.

    Attributes:
        code: the verdict.
        message: what happened.
        hint: what to do.
        details: further lines.
        started: when, as `run.json` has it.
        engine: name and version.
        profile: the environment's.
        weak: the guarantees that weren't enforced: name, level and reason of each.
        limits: what was used of them.
        warnings: what deserves a look, without what the check found.
        before: the check and the smoke run.
        document: all of `run.json`.
    """

    code: str
    message: str
    hint: str
    details: tuple[str, ...]
    started: str
    engine: str
    profile: str
    weak: tuple[str, ...]
    limits: tuple[LimitUsed, ...]
    warnings: tuple[str, ...]
    before: Before
    document: Mapping[str, Any]

    @property
    def is_ok(self) -> bool:
        """Whether all went well."""
        return self.code == OK


def read_record(output: Path) -> tuple[RunSummary | None, str]:
    """Read `run.json`; None where it isn't there, or can't be read: then with the reason."""
    path = output / RECORD
    if not path.is_file():
        return None, ""
    try:
        # Python writes and reads NaN, which isn't JSON: a page with it in would be broken.
        return _summary(json.loads(path.read_bytes(), parse_constant=_none, parse_float=_finite)), ""
    except OSError as error:
        return None, f"{RECORD} can't be read: {error.strerror}"
    except (ValueError, RecursionError):
        return None, f"{RECORD} isn't JSON, so nothing is said of the run: run the submission again"
    except (KeyError, TypeError, AttributeError, OverflowError):
        return None, f"{RECORD} isn't the record of a run, so nothing is said of it: run the submission again"


def read_log_tail(output: Path, run: RunSummary | None = None) -> list[str]:
    """The last lines of `log.txt`, of the smoke run's where that was the end; none where there is no log."""
    step = run.document["verdict"].get("step") if run is not None else None
    try:
        with (output / FOLDERS.get(str(step), "") / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            return log_tail(file.read())
    except OSError:
        return []


def _none(_: str) -> None:
    """What stands for NaN and Infinity."""


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _summary(record: Any) -> RunSummary:
    verdict, engine = record["verdict"], record["engine"]
    guarantees = (engine.get("guarantees") or {}).items()
    before = read_before(record)
    told = (visible(str(line)) for line in record.get("warnings") or ())
    return RunSummary(
        code=str(verdict["code"]),
        message=visible(str(verdict["message"])),
        hint=visible(str(verdict.get("hint") or HINTS.get(verdict["code"], HINT))),
        details=tuple(_lines(verdict.get("details") or ())),
        started=str(record.get("started", "")).replace("T", " ").removesuffix("+00:00"),
        engine=" ".join(str(engine[key]) for key in ("name", "version") if engine.get(key)),
        profile=str((record.get("environment") or {}).get("profile") or ""),
        weak=tuple(
            f"{name.replace('_', ' ')}: {held['level'].replace('_', ' ')} ({visible(str(held['by']))})"
            for name, held in guarantees
            if held["level"] != "enforced"
        ),
        limits=tuple(_limits_used(record["usage"], record["limits"])),
        warnings=tuple(_lines([line for line in told if line not in before.warnings])),
        before=before,
        document=record,
    )


def _lines(lines: Any) -> Iterator[str]:
    yield from (visible(str(line)) for line in lines[:MOST_DETAILS])
    if len(lines) > MOST_DETAILS:
        yield f"… and {len(lines) - MOST_DETAILS:,} more"


def _limits_used(usage: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[LimitUsed]:
    if usage["wall_s"] == 0:  # nothing was started
        return
    for name, used_key, limit_key, show in (
        ("time", "wall_s", "wall_s", show_duration),
        ("memory", "peak_memory_bytes", "memory_bytes", show_size),
        ("processes and threads", "max_processes", "processes", "{:,}".format),
        ("disk", "output_bytes", "disk_bytes", show_size),
        ("log", "log_bytes", "log_bytes", show_size),
    ):
        used, limit = usage.get(used_key), limits.get(limit_key)
        if used is not None and limit:
            yield LimitUsed(name, show(used), show(limit), used / limit)
