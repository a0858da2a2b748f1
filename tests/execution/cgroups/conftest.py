"""A kernel of our own for the tests that look at files only."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class FakeKernel:
    """What the kernel puts into new groups.

    Attributes:
        files: by folder, the files (and what they say) of a group that is made anywhere below it.
    """

    files: dict[Path, dict[str, str]] = field(default_factory=dict)

    def made(self, group: Path) -> None:
        """Fill a new folder, if it's a group."""
        for parent, files in self.files.items():
            if parent in group.parents:
                for name, text in {"cgroup.procs": "", **files}.items():
                    (group / name).write_text(text)

    def is_group(self, folder: Path) -> bool:
        """Whether a folder is one of its groups."""
        return any(parent in folder.parents for parent in self.files)

    def remove(self, group: Path) -> None:
        """Remove a group with its files, unless it holds another."""
        if any(path.is_dir() for path in group.iterdir()):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(group))
        shutil.rmtree(group)


@pytest.fixture
def fake_kernel(monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    """Makes `mkdir` and `rmdir` behave as in the kernel's own tree, below the folders it is told."""
    kernel = FakeKernel()
    mkdir, rmdir = Path.mkdir, Path.rmdir

    def make(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        new = not self.exists()
        mkdir(self, mode, parents, exist_ok)
        if new:
            kernel.made(self)

    monkeypatch.setattr(Path, "mkdir", make)
    monkeypatch.setattr(Path, "rmdir", lambda self: (kernel.remove if kernel.is_group(self) else rmdir)(self))
    return kernel
