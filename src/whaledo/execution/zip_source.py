"""The zip of a run, held open from the beginning: what is hashed, checked and unpacked is one and the same.

Each of these opens it by its name, and while a gigabyte is read somebody may pack anew. A private copy would cost
seconds and the room; so the file is held, which keeps its number from being given to another, and before anything is
started its name has to lead to this very file, with nothing written to it since.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from whaledo.archive import shown
from whaledo.errors import MachineError, UsageError


class ZipSource:
    """A zip, held open.

    Attributes:
        path: where it is.
        size_bytes: its size.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            UsageError: there is no such file, or it may not be read.
        """
        self.path = path
        try:
            # Opening a named pipe would wait for a writer otherwise.
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if not path.is_file():
                raise _absent(path) from None
            raise UsageError(f"{shown(str(path))} can't be read: {error.strerror}") from None
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise _absent(path)
        self.size_bytes = status.st_size
        self._identity = _identity(status)
        self._sha256 = ""

    def sha256(self) -> str:
        """Its SHA-256 in hexadecimal; read once.

        Raises:
            MachineError: the disk fails.
        """
        if not self._sha256:
            try:
                with open(self._fd, "rb", closefd=False) as file:
                    self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise MachineError(f"{self.path} can't be read: {error.strerror}") from error
        return self._sha256

    def is_unchanged(self) -> bool:
        """Whether its name still leads to this file, and nobody wrote to it."""
        try:
            return _identity(self.path.stat()) == self._identity
        except OSError:
            return False

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)


def _absent(path: Path) -> UsageError:
    hint = "`whaledo pack FOLDER` makes one; `make pack-submission` too"
    return UsageError(f"there is no zip at {path}", hint=hint)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Which file it is, and in what state: the last of these changes with every write and can't be set by hand."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
