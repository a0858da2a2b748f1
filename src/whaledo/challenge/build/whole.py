"""Make a folder whole or not at all: beside its place first, then renamed, and never over anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

from whaledo.errors import UsageError


def require_room(folder: Path, what: str) -> None:
    """Make sure that a folder can be made, or is there and empty.

    Raises:
        UsageError: if it holds anything, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder", hint="name a new folder")
    if folder.is_dir() and (there := sorted(path.name for path in folder.iterdir())):
        said = f"the folder {folder} isn't empty: {there[0]} is in it"
        raise UsageError(said, hint=f"name a new folder: {what} is never written over anything")


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` when the block ends well, and vanishes when it doesn't."""
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}-{uuid4().hex[:8]}")
    made.mkdir()
    try:
        yield made
        # Takes the place of an empty folder, and fails if somebody put something into it meanwhile.
        made.rename(target)
    finally:
        rmtree(made, ignore_errors=True)
