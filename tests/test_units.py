"""Sizes and durations: what people write is read as they mean it, and what is shown is what was measured."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.errors import UsageError
from whaledo.units import parse_duration, parse_size, show_duration, show_size

KIB = 1024


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    {
        "8g": 8 * KIB**3,
        "8G": 8 * KIB**3,
        "8gb": 8 * KIB**3,
        "8 GiB": 8 * KIB**3,
        " 512m ": 512 * KIB**2,
        "1.5k": 1536,
        "2t": 2 * KIB**4,
        "1000": 1000,
        "1000b": 1000,
        "0": 0,
    }.items(),
)
def test_sizes_are_read_as_people_write_them(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    {
        "3h": 10_800,
        "90m": 5400,
        "1h30m": 5400,
        "1H30M10S": 5410,
        "45s": 45,
        "45": 45,
        "0.5": 0.5,
        "1.5h": 5400,
        "2m30": 150,
    }.items(),
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


NEITHER = ["", " ", "h", "g", "-1", "8x", "1e3", "nan", "inf", "1,5", "8 g b", "1.2.3", ".5", "9" * 400]


@pytest.mark.parametrize("text", [*NEITHER, "3h", "1:30"])
def test_what_is_no_size_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size") as caught:
        parse_size(text)
    assert "8g" in caught.value.hint


@pytest.mark.parametrize("text", [*NEITHER, "30m1h", "3d", "8g", "3 h"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration") as caught:
        parse_duration(text)
    assert "1h30m" in caught.value.hint


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_size, parse_duration):
        with contextlib.suppress(UsageError):
            assert parse(text) >= 0


@given(st.integers(0, 10**6), st.sampled_from("kmgtKMGT"))
def test_sizes_are_exact(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}") == number * KIB ** ("kmgt".index(unit.lower()) + 1)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_durations_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.integers(0, 2**50))
def test_a_shown_size_reads_back_to_within_its_last_digit(size_bytes: int) -> None:
    assert parse_size(show_size(size_bytes)) == pytest.approx(size_bytes, rel=0.06, abs=0.5)


@given(st.floats(0, 10**6))
def test_a_shown_duration_reads_back_to_within_its_last_digit(seconds: float) -> None:
    text = show_duration(seconds).replace(" min", "m").replace(" ", "")
    assert parse_duration(text) == pytest.approx(seconds, abs=0.06 if seconds < 60 else 60)


def test_sizes_and_durations_as_they_are_shown() -> None:
    assert [show_size(n) for n in (0, 1023, 1024, 20 * KIB**2, 8 * KIB**3, 3 * KIB**4)] == [
        "0 B", "1023 B", "1.0 KiB", "20.0 MiB", "8.0 GiB", "3.0 TiB",
    ]  # fmt: skip
    assert [show_duration(s) for s in (0, 0.44, 59.9, 60, 80, 3600, 10_800)] == [
        "0.0 s", "0.4 s", "59.9 s", "1 min 0 s", "1 min 20 s", "1 h 0 min", "3 h 0 min",
    ]  # fmt: skip
