"""The packages that somebody names for `env diff`: a profile, a file, a folder, `here`, or an image.

One rule, in this order: the word `here`; the name of a profile; what exists on disk; and what is written like an
image (with `:`, `/` or `@`). A file that isn't there is never taken for an image.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from whaledo.environment.installed import normalised, packages_in
from whaledo.environment.profiles import profiles, read_lock
from whaledo.errors import BadData, Problem, Problems, UsageError

HERE = "here"
"""The name for the environment that is active in the terminal."""

_ACTIVE = ("VIRTUAL_ENV", "CONDA_PREFIX")
_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*===?\s*([^\s;\\]+)")
_LOCATED = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*@\s*(\S+)")
_WHEEL = re.compile(r"[\w.]+-([\w.!+%]+)-[^/]*\.whl")
_LIKE_A_FILE = re.compile(r"[./~]|.*\.(lock|txt|in|toml|json)$", re.DOTALL)
_LIKE_AN_IMAGE = re.compile(r"[\w.-]+([:/@][\w.-]+)+")
UNKNOWN = "unknown"
"""The version of a package that was installed from a place whose name doesn't say it."""


def packages_named(named: str) -> Mapping[str, str]:
    """Name and version of each package in what is named.

    Raises:
        UsageError: there is no such thing.
        BadData: the file or folder has no packages, or lines that can't be read.
        MachineError: the image can't be asked.
    """
    if named == HERE:
        return _in_folder(_active_environment())
    if named in profiles():
        return read_lock(named).versions()
    path = Path(named).expanduser()
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        return frozen(path.read_bytes().decode("utf-8", errors="replace"), named)
    if _LIKE_AN_IMAGE.fullmatch(named) and not _LIKE_A_FILE.match(named):
        from whaledo.environment.image import packages_of_image

        return packages_of_image(named)
    raise UsageError(
        f"there is no profile, file, folder or image `{named}`",
        hint=f"name a profile ({', '.join(profiles())}), a lock, what `pip freeze` printed, the folder of a virtual "
        f"environment, `{HERE}` for the active one, or an image with its tag",
    )


def _active_environment() -> Path:
    for variable in _ACTIVE:
        if folder := os.environ.get(variable):
            return Path(folder)
    raise UsageError(
        f"`{HERE}` is the active environment, and none is active in this terminal",
        hint="activate it (`source ENVIRONMENT/bin/activate`, `conda activate NAME`), or name its folder",
    )


def _in_folder(folder: Path) -> Mapping[str, str]:
    places = [*folder.glob("lib/python3*/site-packages"), *folder.glob("Lib/site-packages")]
    if folder.name in ("site-packages", "dist-packages"):
        places = [folder]
    found = {package.name: package.version for place in places for package in packages_in(place)}
    if not found:
        raise BadData(
            f"{folder} is no environment: there are no packages in it",
            hint="name the folder of a virtual environment, the one with `bin` and `lib` in it",
        )
    return found


def frozen(text: str, file: str) -> Mapping[str, str]:
    """Read a lock, or what `pip freeze` printed.

    Packages installed from a file or an address count with the version in its name, `unknown` where it has none;
    an editable install without a name is left out.

    Raises:
        BadData: lines that name no version, or no packages at all; every such line is listed.
    """
    found: dict[str, str] = {}
    problems = Problems()
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if not content or content.startswith("-"):
            continue
        if match := _PINNED.match(content):
            found[normalised(match[1])] = match[2]
        elif match := _LOCATED.match(content):
            wheel = _WHEEL.search(match[2])
            found[normalised(match[1])] = wheel[1].replace("%2B", "+") if wheel else UNKNOWN
        else:
            problems.add(Problem("no_version", f"`{content[:80]}` names no version", file=file, line=number))
    if problems or not found:
        raise BadData(
            f"{file} is neither a lock nor the output of `pip freeze`",
            hint="a line of either says NAME==VERSION; sources (`.in`) don't, compile them first",
            problems=problems,
        )
    return found
