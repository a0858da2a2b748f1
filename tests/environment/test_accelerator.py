from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from whaledo.environment import accelerator
from whaledo.environment.accelerator import Gpu, cuda_problem, find_gpu, needed_cuda
from whaledo.environment.profiles import read_lock

# The headers that nvidia-smi really prints: up to drivers of 2025, and from 595 on.
OLD_HEADER = "| NVIDIA-SMI 535.54.03    Driver Version: 535.54.03    CUDA Version: 12.2     |"
NEW_HEADER = "| NVIDIA-SMI 610.43.02    KMD Version: 610.43.02    CUDA UMD Version: 13.3    |"


@pytest.fixture
def smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts an `nvidia-smi` with these two answers, or this whole script, first on PATH."""

    def install(query: str = "", header: str = "", *, script: str = "") -> None:
        lines = (
            "#!/bin/sh",
            script or f'case "$1" in --query*) echo "{query}" ;; *) echo "{header}" ;; esac',
        )
        program = tmp_path / "nvidia-smi"
        program.write_text("\n".join([*lines, ""]))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


def test_a_gpu_is_described_by_name_driver_and_cuda(smi: Any) -> None:
    smi("NVIDIA RTX A4000, Ada, 535.54.03", OLD_HEADER)
    assert find_gpu() == Gpu("NVIDIA RTX A4000, Ada", "535.54.03", "12.2")


def test_newer_drivers_name_their_cuda_otherwise(smi: Any) -> None:
    smi("NVIDIA L4, 610.43.02", NEW_HEADER)
    assert find_gpu() == Gpu("NVIDIA L4", "610.43.02", "13.3")


def test_of_several_gpus_the_first_counts(smi: Any) -> None:
    smi("Tesla T4, 580.65.06\nTesla V100, 580.65.06", "")
    assert find_gpu() == Gpu("Tesla T4", "580.65.06", None)


def test_without_nvidia_smi_there_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_gpu() is None


@pytest.mark.parametrize(
    "script",
    [
        "echo 'No devices were found'; exit 6",
        "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; exit 9",
        "echo 'No devices were found'",
        "exit 0",
        "printf '\\377\\376, \\000\\n'",
        "echo ', 580.65.06'",
        "kill -11 $$",
    ],
)
def test_no_sensible_answer_is_no_gpu(smi: Any, script: str) -> None:
    smi(script=script)
    assert find_gpu() is None


def test_a_program_that_cannot_start_is_no_gpu(smi: Any, tmp_path: Path) -> None:
    smi()
    (tmp_path / "nvidia-smi").write_bytes(b"\x7fELFbroken")
    assert find_gpu() is None


def test_a_hanging_nvidia_smi_is_left_behind(smi: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "ANSWER_WITHIN_S", 0.3)
    smi(script="sleep 60 & sleep 60; wait")
    started = time.monotonic()

    assert find_gpu() is None
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("pinned", "needed"),
    [
        ("nvidia-cuda-runtime==13.0.96\ntorch==2.13.0\n", "13.0"),
        ("nvidia-cuda-runtime-cu12==12.8.90\n", "12.8"),
        ("nvidia-cuda-nvrtc==13.0.88\ntorch==2.13.0+cpu\n", None),
    ],
)
def test_the_cuda_that_is_needed_is_that_of_the_locked_runtime(
    runtime: Any, pinned: str, needed: str | None
) -> None:
    runtime.lock.write_text(pinned)
    assert needed_cuda(read_lock("tiny")) == needed


@pytest.mark.parametrize(
    ("needed", "driver", "cuda", "fits"),
    [
        ("13.0", "580.65.06", "13.0", True),
        ("13.2", "580.65.06", "13.0", True),  # minor version compatibility
        ("12.8", "610.43.02", "13.3", True),  # newer drivers run what is older
        ("13.0", "535.54.03", "12.2", False),
        ("13.0", "580.65.06", None, True),
        ("13.0", "580.65.05", None, False),
        ("12.4", "525.60.13", None, True),
        ("13.0", "12", None, True),  # nothing known: let torch tell
    ],
)
def test_a_driver_fits_by_its_major(needed: str, driver: str, cuda: str | None, fits: bool) -> None:
    assert (cuda_problem(needed, Gpu("NVIDIA T4", driver, cuda)) is None) is fits


def test_a_driver_that_is_too_old_has_two_ways_out() -> None:
    problem = cuda_problem("13.0", Gpu("NVIDIA T4", "535.54.03", "12.2"))

    assert problem is not None
    for word in ("CUDA 13.0", "535.54.03", "NVIDIA T4", "12.2"):
        assert word in problem.message
    assert "update the NVIDIA driver to 580.65.06 or newer" in problem.hint
    assert "CPU_OR_GPU=cpu" in problem.hint


def test_a_cuda_of_the_future_is_named_without_a_driver() -> None:
    problem = cuda_problem("14.1", Gpu("NVIDIA T4", "580.65.06", "13.0"))

    assert problem is not None
    assert "one that knows CUDA 14.1" in problem.hint


def test_a_machine_without_a_gpu_has_two_ways_out() -> None:
    problem = cuda_problem("13.0", None)

    assert problem is not None
    assert "no NVIDIA GPU" in problem.message
    assert "CPU_OR_GPU=cpu" in problem.hint
