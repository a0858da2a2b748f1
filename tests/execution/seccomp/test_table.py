"""The table says what it means: no name twice, none misspelt, no restriction of a call that is refused anyway."""

from __future__ import annotations

from collections import Counter

import pytest

from whaledo.execution.seccomp import ARCHITECTURES
from whaledo.execution.seccomp.generate import exists
from whaledo.execution.seccomp.table import ALLOWED, REFUSED, RESTRICTIONS, UNCOUNTED, Restriction

ALLOWED_CALLS = [call for group in ALLOWED for call in group.calls]
REFUSED_CALLS = [call for group in REFUSED for call in group.calls]


def test_no_call_is_named_twice() -> None:
    assert [call for call, n in Counter(ALLOWED_CALLS + REFUSED_CALLS).items() if n > 1] == []


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_every_call_is_known_and_what_one_processor_lacks_the_other_has(machine: str) -> None:
    other = next(name for name in ARCHITECTURES if name != machine)
    lacking = [call for call in ALLOWED_CALLS + REFUSED_CALLS if not exists(call, machine)]
    assert [call for call in lacking if not exists(call, other)] == []


def test_a_misspelt_call_is_an_error() -> None:
    with pytest.raises(ValueError, match="raed"):
        exists("raed", "x86_64")


def test_aarch64_lacks_only_calls_that_newer_ones_replaced() -> None:
    lacking = {call for call in ALLOWED_CALLS + REFUSED_CALLS if not exists(call, "aarch64")}
    assert {"open", "fork", "stat", "modify_ldt"} <= lacking
    assert {"openat", "clone", "newfstatat", "mount"}.isdisjoint(lacking)


@pytest.mark.parametrize("restriction", RESTRICTIONS, ids=lambda restriction: restriction.purpose)
def test_a_restriction_is_of_allowed_calls_and_can_apply(restriction: Restriction) -> None:
    for call, matches in restriction.refused.items():
        assert call in ALLOWED_CALLS
        for match in matches:
            assert 0 <= match.argument < 6
            assert match.values
            assert all(value & match.mask == value for value in match.values)


def test_what_is_refused_where_memory_isnt_counted_is_allowed_where_it_is() -> None:
    assert set(UNCOUNTED.calls) <= set(ALLOWED_CALLS)
