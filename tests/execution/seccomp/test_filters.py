"""A run finds the filter of its processor, and none where there are none."""

from __future__ import annotations

import hashlib
import platform

import pytest

from whaledo.execution.seccomp import ARCHITECTURES, digest, load_filter

INSTRUCTION_BYTES = 8
MOST_INSTRUCTIONS = 4096


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_a_filter_is_what_the_kernel_takes(machine: str, counted: bool) -> None:
    content = load_filter(machine, counted=counted)
    assert content
    assert len(content) % INSTRUCTION_BYTES == 0
    assert len(content) // INSTRUCTION_BYTES <= MOST_INSTRUCTIONS


def test_the_processor_of_this_machine_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    here, there = (load_filter(machine, counted=True) for machine in ARCHITECTURES)
    assert load_filter(counted=True) == there != here


@pytest.mark.parametrize("machine", ["riscv64", "i686", "../filter-x86_64"])
def test_another_processor_has_no_filter(machine: str) -> None:
    assert load_filter(machine, counted=True) is None


def test_the_digest_of_a_filter_is_that_of_its_file() -> None:
    assert digest(b"whale") == hashlib.sha256(b"whale").hexdigest()
