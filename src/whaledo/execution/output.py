"""The folder that a run leaves its results in: one run at a time, and no earlier result lost.

Before a run, the results of the one before it move to `previous/`; so an old `submission.csv` is never taken
for a new one, and a good one isn't gone because the next attempt crashed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whaledo.errors import MachineError, UsageError
from whaledo.execution.contract import LOG, OUTPUT_CSV, RECORD

PREVIOUS = "previous"
LOCK = ".whaledo.lock"


@contextmanager
def output_folder(folder: Path) -> Iterator[Path]:
    """Hold the folder for one run.

    Raises:
        UsageError: another run is using it.
        MachineError: it can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another run is writing to {folder}",
                hint="wait until it is over, or give this one a folder of its own with --output",
            ) from None
        except OSError as error:  # a file system without locks
            raise _unwritable(folder, error) from error
        yield folder
    finally:
        os.close(lock)


def _unwritable(folder: Path, error: OSError) -> MachineError:
    return MachineError(
        f"the output folder {folder} can't be used: {error.strerror}",
        hint="make it writable, free some space, or name another folder with --output",
    )


def set_aside(folder: Path) -> None:
    """Move the results of the last run to `previous/`, in place of those of the one before.

    Raises:
        MachineError: they can't be moved.
    """
    present = [name for name in (OUTPUT_CSV, LOG, RECORD) if os.path.lexists(folder / name)]
    if not present:
        return
    previous = folder / PREVIOUS
    try:
        previous.mkdir(exist_ok=True)
        for name in (OUTPUT_CSV, LOG, RECORD):
            (previous / name).unlink(missing_ok=True)
        for name in present:
            (folder / name).rename(previous / name)
    except OSError as error:
        raise _unwritable(folder, error) from error


def open_log(folder: Path) -> int:
    """Create log.txt, which must not be there yet, and return its descriptor.

    Raises:
        MachineError: it can't be written.
    """
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(folder / LOG, flags, 0o644)
    except OSError as error:
        raise _unwritable(folder, error) from error


def head_log(log: int, lines: Sequence[str]) -> None:
    """Write the first lines of a log, each marked as ours; what the submission prints comes after them.

    Raises:
        MachineError: the log can't be written.
    """
    text = "".join(f"[whaledo: {line}]\n" for line in lines)
    try:
        os.write(log, text.encode(errors="backslashreplace"))
    except OSError as error:
        raise MachineError(
            f"log.txt can't be written: {error.strerror}", hint="free some space there"
        ) from error


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write run.json in one step: it is there whole, or not at all.

    Raises:
        MachineError: it can't be written.
    """
    temporary = folder / f".{RECORD}.part"
    try:
        # A path that isn't UTF-8 can't be written as it is: it becomes JSON's own escapes, which read back.
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        temporary.replace(folder / RECORD)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise _unwritable(folder, error) from error
