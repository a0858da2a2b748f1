"""What every engine provides: start one submission inside its walls, and let the supervisor watch it.

An engine builds the walls of the contract with its own means, and reports for each guarantee how far it holds
on this host. It never decides how a run ended: it hands over counters, and `verdict` reads them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from whaledo.execution.contract import Limits, Network
from whaledo.execution.records import Guarantee, Held
from whaledo.execution.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Order:
    """One submission, unpacked and ready to start.

    Attributes:
        run_id: unique name of the run.
        workspace: its folder; holds the extracted code and the public view of the data.
        mounts: where below the data folder which host folder (or file) is shown, read-only.
        limits: what the run may use.
        network: whether it may reach the network.
    """

    run_id: str
    workspace: Workspace
    mounts: tuple[tuple[str, Path], ...]
    limits: Limits
    network: Network


def processors(limit: float) -> list[int]:
    """As many of the processors that we may use as a run may, at least one: to keep it on where no quota holds it."""
    return sorted(os.sched_getaffinity(0))[: max(1, round(limit))]


@dataclass(frozen=True, slots=True)
class Packages:
    """What a run's code is run with.

    Attributes:
        profile: the environment profile.
        lock_sha256: digest of the lock that it was built from; two runs with the same have the same packages.
        image: the container image that holds it; None where no image does.
        image_id: that image's own digest.
    """

    profile: str
    lock_sha256: str
    image: str | None = None
    image_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What a run uses at one moment; None where this host can't say.

    Attributes:
        memory_bytes: all processes together, with everything that they wrote where that lies in memory.
        peak_memory_bytes: the most so far, where the kernel keeps it.
        processes: processes and threads.
        cpu_s: processor seconds so far.
        disk_bytes: written and still there.
        entries: files and folders made and still there.
        oom_kills: processes killed by the kernel at the memory limit.
        refused_forks: processes and threads refused by the kernel at their limit.
    """

    memory_bytes: int | None = None
    peak_memory_bytes: int | None = None
    processes: int | None = None
    cpu_s: float | None = None
    disk_bytes: int | None = None
    entries: int | None = None
    oom_kills: int | None = None
    refused_forks: int | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How the engine says that it ended.

    Attributes:
        exit_status: of `main.py`, 128 + signal where one killed it; None where it was never started or was
            killed with everything else.
        setup_error: why `main.py` was never started; empty where it was.
        oom_killed: whether the engine says that the kernel killed for memory, where nobody else can tell.
    """

    exit_status: int | None
    setup_error: str = ""
    oom_killed: bool = False


class Sandbox(Protocol):
    """One running submission. Not thread-safe; it belongs to the thread that started it."""

    log_fd: int
    """Everything that the run prints, to be read until its end; open until `close`."""

    done_fd: int
    """Readable as soon as the last process of the run is gone."""

    submission_fd: int
    """The submission folder, open; still good when every process is gone, until `close`."""

    @property
    def guarantees(self) -> Mapping[Guarantee, Held]:
        """How far each guarantee holds for this run."""

    def sample(self) -> Sample:
        """Look at what the run uses now."""

    def kill(self) -> None:
        """Kill every process of the run at once; `done_fd` says when they are gone."""

    def finish(self) -> Ending:
        """Say how it ended; to be called after `done_fd`."""

    def close(self) -> None:
        """Let go of everything that the run held on the host, killing what is left."""


class Engine(Protocol):
    """A means of running submissions."""

    name: str

    packages: Packages

    def version(self) -> str:
        """The version of the program behind it."""

    def start(self, order: Order) -> Sandbox:
        """Start `main.py`.

        Raises:
            MachineError: the walls can't be built on this host; says why, and how to mend it.
        """
