"""What a report says of what came before a run: the check that read its code, and the smoke run.

Both are records in `run.json`, and a record is somebody's file: what is odd in it raises like any other part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from whaledo.report.text import visible
from whaledo.units import show_duration

FOLDERS = {"smoke": "smoke", "smoke_again": "smoke/again"}
"""Where the log of a run is that ended in its smoke run, by the step of its verdict."""


@dataclass(frozen=True, slots=True)
class Before:
    """What came before a run.

    Attributes:
        check: what reading the code came to, in a sentence; empty where it wasn't read.
        errors: what was certain to fail, a line each.
        warnings: what deserves a look, a line each.
        smoke: how the smoke run went, in a sentence; empty where there was none.
    """

    check: str = ""
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    smoke: str = ""


def read_before(record: Mapping[str, Any]) -> Before:
    """Read the two records.

    Raises:
        KeyError, TypeError, AttributeError: they aren't what a run writes.
    """
    check, smoke = record.get("check"), record.get("smoke")
    said = _smoke(smoke) if smoke else ""
    if not check:
        return Before(smoke=said)
    problems = check["problems"]
    errors, warnings = (tuple(_lines(problems, severity)) for severity in ("error", "warning"))
    return Before(_check(check, problems), errors, warnings, said)


def _check(check: Mapping[str, Any], problems: Any) -> str:
    if check["not_checked"]:
        return f"The code couldn't be read: {visible(str(check['not_checked']))}."
    modules = f"{check['modules']:,} module{'' if check['modules'] == 1 else 's'}"
    against = f" for {visible(str(check['profile']))}" if check["profile"] else ""
    counts = {
        severity: sum(kind["total"] for kind in problems if kind["severity"] == severity)
        for severity in ("error", "warning")
    }
    found = [f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items() if count]
    return f"{modules} read{against}: {', '.join(found) or 'nothing was found'}."


def _lines(problems: Any, severity: str) -> Iterator[str]:
    for kind in problems:
        if kind["severity"] != severity:
            continue
        for shown in kind["shown"]:
            place = ":".join(str(each) for each in (shown["file"], shown["line"]) if each is not None)
            hint = f" ({shown['hint']})" if shown["hint"] else ""
            yield visible(f"{place}: {shown['message']}{hint}" if place else f"{shown['message']}{hint}")
        if (more := kind["total"] - len(kind["shown"])) > 0:
            yield f"… and {more:,} more like these"


def _smoke(smoke: Mapping[str, Any]) -> str:
    first, second, comparison = smoke["first"], smoke["second"], smoke["comparison"]
    queries = f"{smoke['queries']:,} {'query' if smoke['queries'] == 1 else 'queries'}"
    took = show_duration(sum(first["steps"].values()))
    text = f"{_ended(first)} on {queries} and {smoke['images']:,} images in {took}"
    if comparison:
        text += f"; run twice: {comparison['agreement'].replace('_', ' ')}"
        if comparison["largest_difference"]:
            text += f", scores differ by up to {comparison['largest_difference']:.2g}"
    elif second:
        text += f"; the second time: {_ended(second)}"
    return f"{text}."


def _ended(trial: Mapping[str, Any]) -> str:
    return visible(str(trial["verdict"]["code"])).replace("_", " ")
