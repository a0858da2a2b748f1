"""Keeping what a run prints: head and tail to the byte, the gap counted, memory bounded."""

from __future__ import annotations

import os
import tracemalloc
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile

from hypothesis import given
from hypothesis import strategies as st

from whaledo.execution.log import RECENT_BYTES, TAIL_MAX_BYTES, TAIL_SHARE, LogFigures, LogKeeper

MIB = 1024**2


def kept(chunks: list[bytes], limit_bytes: int) -> tuple[bytes, LogFigures]:
    """What the file holds after these chunks, and the figures."""
    with TemporaryFile() as file:
        keeper = LogKeeper(file.fileno(), limit_bytes)
        for chunk in chunks:
            keeper.add(chunk)
        figures = keeper.close()
        file.seek(0)
        return file.read(), figures


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at these places."""
    ends = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    return [content[start:end] for start, end in pairwise(ends)]


CONTENT = st.integers(0, 400).map(lambda size: bytes(number % 251 for number in range(size)))
"""Bytes that are all different over the length of any tail, so that a piece in the wrong place shows."""


@given(CONTENT, st.lists(st.integers(0, 400)), st.integers(1, 200))
def test_head_and_tail_are_exact_however_the_output_comes(
    content: bytes, places: list[int], limit_bytes: int
) -> None:
    held, figures = kept(cut(content, places), limit_bytes)
    assert figures.printed_bytes == len(content)
    if len(content) <= limit_bytes:
        assert (held, figures.dropped_bytes) == (content, 0)
        return
    tail_bytes = limit_bytes // TAIL_SHARE
    head_bytes = limit_bytes - tail_bytes
    dropped = len(content) - limit_bytes
    gap = f"\n[whaledo: {dropped:,} bytes dropped here, past the log limit]\n".encode()
    assert held == content[:head_bytes] + gap + content[len(content) - tail_bytes :]
    assert figures.dropped_bytes == dropped


@given(CONTENT, st.lists(st.integers(0, 400)), st.integers(1, 200), st.integers(1, 100))
def test_the_last_bytes_are_known_before_the_log_is_closed(
    content: bytes, places: list[int], limit_bytes: int, size: int
) -> None:
    with TemporaryFile() as file:
        keeper = LogKeeper(file.fileno(), limit_bytes)
        for chunk in cut(content, places):
            keeper.add(chunk)
        last = keeper.last(size)
    if len(content) <= limit_bytes:
        assert last == content[-size:]
    else:
        exact = min(size, limit_bytes // TAIL_SHARE)
        assert last[len(last) - exact :] == content[len(content) - exact :]


def test_memory_stays_bounded_when_output_comes_in_crumbs() -> None:
    limit_bytes = MIB // 2
    with TemporaryFile() as file:
        keeper = LogKeeper(file.fileno(), limit_bytes)
        keeper.add(bytes(limit_bytes))
        tracemalloc.start()
        for _ in range(limit_bytes // TAIL_SHARE // 2):
            keeper.add(b"xy")
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 3 * limit_bytes // TAIL_SHARE


def test_memory_stays_bounded_when_a_lot_is_printed() -> None:
    chunk = bytes(64 * 1024)
    with Path(os.devnull).open("wb") as file:
        keeper = LogKeeper(file.fileno(), 64 * MIB)
        tracemalloc.start()
        for _ in range(3000):
            keeper.add(chunk)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        figures = keeper.close()
    assert peak_bytes < 2 * TAIL_MAX_BYTES
    assert figures.dropped_bytes == 3000 * len(chunk) - 64 * MIB


def test_a_full_disk_is_said_and_stops_nothing() -> None:
    with Path("/dev/full").open("wb") as file:
        keeper = LogKeeper(file.fileno(), MIB)
        for _ in range(5):
            keeper.add(b"whale " * 1000)
        last = keeper.last(6)
        figures = keeper.close()
    assert figures == LogFigures(30_000, 0, "log.txt can't be written: No space left on device")
    assert last == b"whale "


def test_short_writes_of_the_kernel_lose_nothing() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    keeper = LogKeeper(writer, 10 * RECENT_BYTES)
    keeper.add(b"whale")
    keeper.close()
    os.close(writer)
    assert os.read(reader, 100) == b"whale"
    os.close(reader)
