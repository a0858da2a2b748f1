"""Keep what a run prints: all of it up to a limit, then the head and the tail with the gap counted.

The bytes are kept as they came. A run may print without end, in lines without end, in no encoding at all;
memory stays at the size of the tail. Making it readable is the business of whoever shows it.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass

TAIL_SHARE = 4
"""One part in this many of the limit is kept for the last bytes, which say how a run ended."""

TAIL_MAX_BYTES = 8 * 1024**2
"""The tail is held in memory until the end, so it has a bound of its own."""

PIECE_BYTES = 64 * 1024
"""Output that comes byte by byte is joined to pieces of about this size: a byte as an object takes fifty."""

RECENT_BYTES = 64 * 1024
"""This much of what was written is remembered, to say how a run ended that printed little."""


@dataclass(frozen=True, slots=True)
class LogFigures:
    """What became of the output.

    Attributes:
        printed_bytes: all that came.
        dropped_bytes: what log.txt doesn't hold.
        error: why the log couldn't be written to the end; empty where it could.
    """

    printed_bytes: int
    dropped_bytes: int
    error: str


class LogKeeper:
    """Write a run's output to a file descriptor, within a limit; never fails, so that the run never waits."""

    def __init__(self, descriptor: int, limit_bytes: int) -> None:
        self._descriptor = descriptor
        self._tail_bytes = min(limit_bytes // TAIL_SHARE, TAIL_MAX_BYTES)
        self._head_room = limit_bytes - self._tail_bytes
        self._tail: deque[bytearray] = deque()
        self._in_tail = 0
        self._dropped = 0
        self._error = ""
        self._recent = b""
        self.printed_bytes = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes of output."""
        self.printed_bytes += len(chunk)
        head, rest = chunk[: self._head_room], chunk[self._head_room :]
        self._head_room -= len(head)
        if head:
            self._write(head)
            self._recent = (self._recent + head)[-RECENT_BYTES:]
        if rest:
            if not self._tail or len(self._tail[-1]) >= PIECE_BYTES:
                self._tail.append(bytearray())
            self._tail[-1] += rest
            self._in_tail += len(rest)
            while self._tail and self._in_tail - len(self._tail[0]) >= self._tail_bytes:
                gone = len(self._tail.popleft())
                self._in_tail -= gone
                self._dropped += gone

    def last(self, size_bytes: int) -> bytes:
        """The last bytes that came, at most `size_bytes` and at most what is still held."""
        return (self._recent + b"".join(self._tail))[-size_bytes:]

    def close(self) -> LogFigures:
        """Write the gap and the tail; the descriptor stays the caller's."""
        if (over := self._in_tail - self._tail_bytes) > 0 and self._tail:
            self._tail[0] = self._tail[0][over:]
            self._dropped += over
        if self._dropped:
            self._write(f"\n[whaledo: {self._dropped:,} bytes dropped here, past the log limit]\n".encode())
        for chunk in self._tail:
            self._write(chunk)
        self._tail.clear()
        return LogFigures(self.printed_bytes, self._dropped, self._error)

    def _write(self, chunk: bytes | bytearray) -> None:
        if self._error:
            return
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            self._error = f"log.txt can't be written: {error.strerror}"
