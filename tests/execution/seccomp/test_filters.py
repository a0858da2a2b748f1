"""A run finds the filters of its processor, and none where there are none."""

from __future__ import annotations

import hashlib
import platform

import pytest

from whaledo.execution.seccomp import ARCHITECTURES, digest, load_filters

INSTRUCTION_BYTES = 8
MOST_INSTRUCTIONS = 4096


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_a_filter_is_what_the_kernel_takes(machine: str) -> None:
    filters = load_filters(machine)
    assert filters
    for content in filters:
        assert len(content) % INSTRUCTION_BYTES == 0
        assert 0 < len(content) // INSTRUCTION_BYTES <= MOST_INSTRUCTIONS


def test_the_processor_of_this_machine_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert load_filters() == load_filters("aarch64") != load_filters("x86_64")


@pytest.mark.parametrize("machine", ["riscv64", "i686", "../filter-x86_64"])
def test_another_processor_has_no_filters(machine: str) -> None:
    assert load_filters(machine) is None


def test_the_digest_of_one_filter_is_that_of_its_file() -> None:
    assert digest((b"whale",)) == hashlib.sha256(b"whale").hexdigest()
    assert digest((b"whale", b"s")) != digest((b"whale",))
