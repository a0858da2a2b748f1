"""Load the generated seccomp filters, and name them for the record of a run.

They are files beside this module, generated once and checked in, because a run should need neither libseccomp nor
the time to compile. What they refuse is written in `table`; how to hand them over is the engine's business.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from pathlib import Path

ARCHITECTURES = ("x86_64", "aarch64")
"""The processors that filters are generated for, as platform.machine() calls them."""

FOLDER = Path(__file__).parent

OCI_PROFILE = FOLDER / "oci.json"
"""The same rules for Docker and Podman, as `--security-opt seccomp=` reads them."""


def filter_path(machine: str) -> Path:
    """Where the filter of one of `ARCHITECTURES` lies."""
    return FOLDER / f"filter-{machine}.bpf"


def load_filters(machine: str | None = None) -> tuple[bytes, ...] | None:
    """The BPF programs to load, in order, before a submission's first instruction.

    Args:
        machine: the processor, as platform.machine() says; None: the one that this runs on.

    Returns:
        Programs as `bwrap --add-seccomp-fd` reads them; None where there are none for this processor, which has
        to be reported as not enforced.
    """
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return None
    return (filter_path(machine).read_bytes(),)


def digest(filters: Iterable[bytes]) -> str:
    """SHA-256 of the programs one after the other, in hexadecimal: of a single one, what `sha256sum` says."""
    return hashlib.sha256(b"".join(filters)).hexdigest()
