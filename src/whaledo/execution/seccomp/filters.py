"""Load the generated seccomp filter of a run, and name it for the record.

They are files beside this module, generated once and checked in, because a run should need neither libseccomp nor
the time to compile. What they refuse is written in `table`; how to hand them over is the engine's business.
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

ARCHITECTURES = ("x86_64", "aarch64")
"""The processors that filters are generated for, as platform.machine() calls them."""

FOLDER = Path(__file__).parent


def filter_path(machine: str, *, counted: bool) -> Path:
    """Where the filter of one of `ARCHITECTURES` lies; `counted`: whether the run's memory is."""
    return FOLDER / f"filter-{machine}{'' if counted else '-uncounted'}.bpf"


def profile_path(*, counted: bool) -> Path:
    """Where the same rules lie for Docker and Podman, as `--security-opt seccomp=` reads them."""
    return FOLDER / f"oci{'' if counted else '-uncounted'}.json"


def load_filter(machine: str | None = None, *, counted: bool) -> bytes | None:
    """The BPF program to load before a submission's first instruction.

    Args:
        machine: the processor, as platform.machine() says; None: the one that this runs on.
        counted: whether a control group counts the run's memory; else, calls that hide some from looks are refused.

    Returns:
        A program as `bwrap --seccomp` reads it; None where there is none for this processor, which has to be
        reported as not enforced.
    """
    machine = machine or platform.machine()
    return filter_path(machine, counted=counted).read_bytes() if machine in ARCHITECTURES else None


def digest(program: bytes) -> str:
    """SHA-256 of a program, in hexadecimal: what `sha256sum` says of its file."""
    return hashlib.sha256(program).hexdigest()
