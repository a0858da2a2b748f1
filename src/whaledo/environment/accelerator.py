"""Whether this machine's NVIDIA driver can run the CUDA that a profile's packages were built for.

Asked before a run, because a driver that is too old shows itself only when the first tensor moves, which may be
an hour in. The rule is NVIDIA's minor version compatibility: a driver runs every release of the CUDA majors that
it knows, so only the major counts. (Within a major an older driver may lack single features, and code that is
compiled for the GPU at run time may need the newer one.) Nothing here imports torch or loads the driver.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from whaledo.environment.profiles import Lock
from whaledo.errors import Problem

LEAST_DRIVERS = {11: "450.80.02", 12: "525.60.13", 13: "580.65.06"}
"""The oldest Linux driver for each CUDA major: CUDA Toolkit release notes, minor version compatibility."""

ANSWER_WITHIN_S = 10.0
"""A driver in trouble lets `nvidia-smi` hang; a healthy one without persistence takes a few seconds to wake."""

_CUDA = re.compile(r"CUDA (?:UMD )?Version\s*:\s*(\d+\.\d+)")  # drivers from 595 on say UMD
_DRIVER = re.compile(r"\d+(\.\d+)+")
_RUNTIME = re.compile(r"nvidia-cuda-runtime(-cu\d+)?")


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first NVIDIA GPU of this machine.

    Attributes:
        name: what it is called.
        driver_version: of the kernel's driver: `580.65.06`.
        cuda_version: the highest CUDA that the driver knows: `13.0`; None where it doesn't say.
    """

    name: str
    driver_version: str
    cuda_version: str | None

    @property
    def cuda_major(self) -> int | None:
        """The highest CUDA major that the driver runs; None where it can't be told."""
        if self.cuda_version:
            return int(self.cuda_version.partition(".")[0])
        fitting = (
            cuda for cuda, least in LEAST_DRIVERS.items() if _numbers(least) <= _numbers(self.driver_version)
        )
        return max(fitting, default=None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def find_gpu() -> Gpu | None:
    """The GPU that `nvidia-smi` shows; None where there is none, no such program, or no sensible answer in time."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    answer = _ask([program, "--query-gpu=name,driver_version", "--format=csv,noheader"])
    name, _, driver = (part.strip() for part in answer.partition("\n")[0].rpartition(","))
    if not name or not _DRIVER.fullmatch(driver):
        return None
    cuda = _CUDA.search(_ask([program]))
    return Gpu(name, driver, cuda[1] if cuda else None)


def _ask(command: Sequence[str]) -> str:
    """What a program prints; nothing where it fails or takes too long, and then it is left behind killed."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return ""
    try:
        said, _ = process.communicate(timeout=ANSWER_WITHIN_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        with suppress(
            subprocess.TimeoutExpired
        ):  # stuck in the kernel it can't die, and we won't wait for it
            process.wait(timeout=1)
        return ""
    return said.decode(errors="replace") if process.returncode == 0 else ""


def needed_cuda(lock: Lock) -> str | None:
    """The CUDA that a lock's packages were built for, `13.0`; None where they need none."""
    for name, version in lock.versions().items():
        if _RUNTIME.fullmatch(name):
            return ".".join(version.split(".")[:2])
    return None


def cuda_problem(needed: str, gpu: Gpu | None) -> Problem | None:
    """What keeps packages for CUDA `needed` from using this GPU, and the ways out; None where nothing does."""
    use_cpu = "use the packages for the CPU: CPU_OR_GPU=cpu for make, `--profile cpu` for whaledo"
    if gpu is None:
        message = f"the packages need CUDA {needed}, and `nvidia-smi` shows no NVIDIA GPU on this machine"
        return Problem("no_gpu", message, f"install or mend the NVIDIA driver, or {use_cpu}")
    major, known = int(needed.partition(".")[0]), gpu.cuda_major
    if known is None or known >= major:
        return None
    up_to = gpu.cuda_version or f"{known}.x"
    least = LEAST_DRIVERS.get(major)
    newer = f"{least} or newer" if least else f"one that knows CUDA {needed}"
    return Problem(
        "driver_too_old",
        f"the packages need CUDA {needed}, and the driver {gpu.driver_version} of this machine's {gpu.name} "
        f"knows CUDA up to {up_to}",
        f"update the NVIDIA driver to {newer}, or {use_cpu}",
    )
