"""Whether files can be used by the unprivileged user that runs submissions, when root prepares them.

Started by root, a run drops to a user of its own before anything else. What root built for it is of use only
if every folder on the way can be entered by others and every file can be read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_ENTER = 0o001
_READ = 0o444


def closed_folder(path: Path) -> Path | None:
    """The first folder on the way to an existing `path` that only its owner or group may enter; None: all open."""
    for folder in reversed((path / "x").resolve().parents):
        if folder.is_dir() and not folder.stat().st_mode & _ENTER:
            return folder
    return None


def open_for_all(folder: Path) -> None:
    """Let every user read the files below `folder` and enter its folders, whatever umask they were made with."""
    for parent, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            path = Path(parent, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                continue
            wanted = mode | _READ | (0o111 if stat.S_ISDIR(mode) or mode & 0o100 else 0)
            if wanted != mode:
                path.chmod(stat.S_IMODE(wanted))


def links_out(folder: Path) -> list[Path]:
    """The symbolic links below `folder` that lead out of it."""
    root = folder.resolve()
    links = (
        path
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if (path := Path(parent, name)).is_symlink()
    )
    return [link for link in links if not link.resolve().is_relative_to(root)]
