"""What a control group of a run is, whatever version of them the host has, and what both versions need.

The kernel enforces the limits; its counters are the evidence for verdicts. What it killed or refused stands in
them, also when no process is left.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

REMOVAL_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Counters:
    """What the kernel counted of a run so far.

    Attributes:
        memory_bytes: in use now.
        peak_memory_bytes: the most in use so far; None where this kernel doesn't keep it.
        processes: processes and threads now.
        cpu_s: processor seconds so far.
        oom_kills: processes that the kernel killed because the memory limit was hit.
        refused_forks: times that a process or thread wasn't started because of the limit.
    """

    memory_bytes: int
    peak_memory_bytes: int | None
    processes: int
    cpu_s: float
    oom_kills: int
    refused_forks: int


class ControlGroup(Protocol):
    """The control group of one run."""

    kind: str
    """`cgroup v1` or `cgroup v2`: how a guarantee that rests on it is described."""

    limits_cpus: bool
    """Whether it holds the run to its processors; memory and processes are always held."""

    def admit(self, pid: int) -> None:
        """Move a process of ours in, with all that it will start.

        Raises:
            OSError: the kernel refuses.
            Unavailable: systemd refuses.
        """

    def counters(self) -> Counters:
        """What was counted so far; also right when no process is left.

        Raises:
            MachineError: somebody else has removed the group.
        """

    def close(self) -> None:
        """Kill what is left, and remove the group."""


class Unavailable(Exception):
    """There is no control group to be had, and why: half a sentence for a person to read."""


def write(path: Path, value: int | str) -> None:
    """Write to a file of a group.

    Raises:
        FileNotFoundError: it isn't there; opened as other files are, the kernel would speak of permissions.
        OSError: the kernel refuses; names the file.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    try:
        os.write(descriptor, str(value).encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        os.close(descriptor)


def read_number(path: Path) -> int:
    """Read a file that holds one number."""
    return int(path.read_text())


def read_keyed(path: Path) -> dict[str, int]:
    """Read a file of `name number` lines."""
    return {key: int(value) for key, value in (line.split() for line in path.read_text().splitlines())}


def remove(groups: Iterable[Path]) -> None:
    """Kill what is left in each group, and remove it as soon as the kernel has let go of the dead."""
    for group in groups:
        deadline = time.monotonic() + REMOVAL_PATIENCE_S
        while time.monotonic() < deadline:
            try:
                for pid in (group / "cgroup.procs").read_text().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), 9)
                group.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.01)
            else:
                break
