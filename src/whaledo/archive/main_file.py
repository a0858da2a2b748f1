"""Is there a `main.py` where the run starts it, and if not, what was probably meant?

The same question is asked of a folder before it is packed and of a zip before it is run.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from whaledo.archive.listing import Member, shown

MAIN = "main.py"
USUAL_NAMES = (
    "predict.py",
    "inference.py",
    "run.py",
    "submission.py",
    "solution.py",
    "app.py",
    "__main__.py",
)
"""What main.py is called elsewhere, likeliest first."""


@dataclass(frozen=True, slots=True)
class MainSearch:
    """What looking for main.py gave.

    Attributes:
        found: it is a file at the root.
        message: what is wrong; empty if found.
        hint: what to do about it; empty if found.
    """

    found: bool
    message: str = ""
    hint: str = ""


def find_main(members: Iterable[Member], folder: str = "FOLDER") -> MainSearch:
    """Look for main.py at the root.

    Args:
        members: what the zip holds, or will.
        folder: how the packed folder is named in the hint.
    """
    files = [member.name for member in members if not member.is_folder]
    if MAIN in files:
        return MainSearch(found=True)
    message, hint = _inside(files) or _nested(files, folder) or _renamed(files) or _absent(files)
    return MainSearch(False, message, hint)


def _inside(files: list[str]) -> tuple[str, str] | None:
    if not any(name.startswith(f"{MAIN}/") for name in files):
        return None
    return "main.py is a folder", "the run starts `python main.py`: main.py has to be a file"


def _nested(files: list[str], folder: str) -> tuple[str, str] | None:
    nested = sorted((name for name in files if name.endswith(f"/{MAIN}")), key=lambda n: (n.count("/"), n))
    if not nested:
        return None
    nearest = nested[0].rpartition("/")[0]
    typed = shlex.quote(shown(f"{folder}/{nearest}"))
    more = f" (and in {len(nested) - 1} more)" if len(nested) > 1 else ""
    return (
        f"main.py is not at the root but in {shown(nearest)}/{more}",
        f"pack the folder that holds it: `whaledo pack {typed}`",
    )


def _renamed(files: list[str]) -> tuple[str, str] | None:
    at_root = [name for name in files if "/" not in name]
    misspelt = [name for name in at_root if name.lower() in {MAIN, f"{MAIN}.txt", "main.txt", "main"}]
    if misspelt:
        return f"there is no main.py, only {shown(misspelt[0])}", "rename it to main.py, all in small letters"
    notebooks = [name for name in at_root if name.endswith(".ipynb")]
    programs = [name for name in USUAL_NAMES if name in at_root]
    scripts = programs or [name for name in at_root if name.endswith(".py")]
    if programs or len(scripts) == 1:
        return f"there is no main.py, only {shown(scripts[0])}", f"rename {shown(scripts[0])} to main.py"
    if notebooks and not scripts:
        made = f"`jupyter nbconvert --to script {shown(notebooks[0])} --output main` makes main.py from it"
        return f"there is no main.py, only the notebook {shown(notebooks[0])}", made
    return None


def _absent(files: list[str]) -> tuple[str, str]:
    message = "there is no main.py at the root" if files else "there is no main.py: nothing is there at all"
    return message, "the run starts `python main.py`: add a main.py that writes submission/submission.csv"
