"""What a path and a scenario's name inside a data folder may look like.

Paths are relative, with forward slashes, and stay inside: they are followed on another machine, behind walls
where nothing but the data folder exists.
"""

from __future__ import annotations

import re
from pathlib import Path

from whaledo.challenge.problems import problem, shown
from whaledo.errors import Problems

LONGEST_PATH_BYTES = 2_000
"""Linux allows 4,095 bytes; the rest is left to wherever the data folder lies."""

LONGEST_NAME_BYTES = 255
"""What file systems allow for one name along a path."""

LONGEST_SCENARIO_BYTES = 200
"""A scenario's name leaves room for endings such as `.csv`."""


def parts(path: str) -> list[str]:
    """The names along a relative path."""
    return [part for part in path.split("/") if part not in ("", ".")]


def fault_of_path(path: str) -> tuple[str, str, str] | None:
    """Why a path doesn't stay inside the data folder: kind of problem, reason and fix; None where it does."""
    if path.startswith("/") or path[1:2] == ":":
        return "path_outside", "is absolute", "write it from the data folder on, such as images/a.jpg"
    if "\\" in path:
        return "backslash_path", "has backslashes", "write it with forward slashes, such as images/a.jpg"
    if ".." in path.split("/"):
        return "path_outside", "leaves the data folder", "put the file into the data folder"
    longest_name = max(len(name.encode()) for name in path.split("/"))
    if longest_name > LONGEST_NAME_BYTES or len(path.encode()) > LONGEST_PATH_BYTES:
        return "long_path", "is too long", "shorten the name of the file"
    return None


def check_path(path: str, what: str, file: Path, line: int, problems: Problems) -> bool:
    """Whether `path`, found at `file:line` as `what`, stays inside the data folder; adds the problem if not."""
    fault = fault_of_path(path)
    if fault is not None:
        code, reason, hint = fault
        said = f"{what} {reason}: {shown(path)}"
        problems.add(problem(code, said, hint=hint, file=file, line=line))
    return fault is None


def unfit_name(name: str) -> str | None:
    """Why a scenario's name can't be the name of a file everywhere; None where it can."""
    if bad := re.search(r'[/\\:*?"<>|]', name):
        return f"{bad[0]!r} can't be part of a file's name"
    if not name.isprintable():
        return "it holds an invisible character"
    if name.startswith("."):
        return "a file whose name begins with '.' is hidden"
    if len(name.encode()) > LONGEST_SCENARIO_BYTES:
        return f"it is longer than {LONGEST_SCENARIO_BYTES} bytes"
    return None
