"""What a person sees while a run goes on: its output as it comes, and a status line below.

Showing happens in a thread of its own, behind a queue of bounded length: a terminal that is stopped, or a pager
that doesn't read on, holds up this thread and nobody else. What can't be shown in time is counted and left out
here; log.txt has it.
"""

from __future__ import annotations

import codecs
import contextlib
import queue
import re
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from whaledo.cli.answer import visible
from whaledo.execution.records import Step
from whaledo.execution.supervisor import Progress
from whaledo.units import show_duration, show_size

WAITING_CHUNKS = 64
SHOWN_BYTES_A_SECOND = 512 * 1024
LINE_CHARACTERS = 2000
REDRAW_S = 0.5
"""How often a line that ends in a carriage return (a progress bar) is shown again."""

NOTICES = {
    Step.SMOKE: "smoke run, on a few queries",
    Step.SMOKE_AGAIN: "smoke run, again on the same queries",
}
"""What is said before the output of a run that comes before the run itself."""

THE_RUN = "the run itself"
"""What is said after such a one, before the output of the run."""

_LINE_ENDS = re.compile(r"(\r\n|\n|\r(?!\Z))")
"""A carriage return that is the last character waits for the next: it may be half of a line end."""


@dataclass(frozen=True, slots=True)
class _Notice:
    """Lines of ours among the submission's."""

    lines: Sequence[str]


class RunScreen:
    """Shows a run on a terminal or into a file. Use as a context manager; its methods never wait.

    Attributes:
        stream: where the submission's output goes.
        status: where the status line goes, if that is a terminal; stderr if left out.
    """

    def __init__(self, stream: TextIO, status: TextIO | None = None) -> None:
        self._stream, self._status = stream, status or sys.stderr
        self._has_status = self._status.isatty()
        self._waiting: queue.Queue[bytes | str | _Notice | None] = queue.Queue(WAITING_CHUNKS)
        self._line = LineBuffer()
        self._skipped = 0
        self._second, self._shown = 0, 0
        self._status_text = ""
        self._next_status = 0.0
        self._smoked = False
        self._thread = threading.Thread(target=self._show, name="run-screen", daemon=True)

    def __enter__(self) -> RunScreen:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._waiting.put(None, timeout=2)
        except queue.Full:
            return
        self._thread.join(2)

    def step(self, step: Step) -> None:
        """Note that a step begins; where there is a smoke run, say whose output comes next."""
        if step in NOTICES:
            self._smoked = True
            self._put_notice(NOTICES[step])
        elif step is Step.START and self._smoked:
            self._put_notice(THE_RUN)
        if step is not Step.RUN:
            self._put_status(f"{step.value} …")

    def told(self, lines: Sequence[str]) -> None:
        """Show what deserves a look before anything is started."""
        self._put_notice(*lines)

    def output(self, chunk: bytes) -> None:
        """Show what the submission printed."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._shown = second, 0
        if self._shown > SHOWN_BYTES_A_SECOND:
            self._skipped += len(chunk)
            return
        self._shown += len(chunk)
        try:
            self._waiting.put_nowait(chunk)
        except queue.Full:
            self._skipped += len(chunk)

    def progress(self, progress: Progress) -> None:
        """Bring the status line up to date."""
        if (now := time.monotonic()) >= self._next_status:
            self._next_status = now + REDRAW_S
            self._put_status(status_line(progress))

    def _put_notice(self, *lines: str) -> None:
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(_Notice(lines))

    def _put_status(self, text: str) -> None:
        if self._has_status and not self._waiting.full():
            self._waiting.put_nowait(text)

    def _show(self) -> None:
        while (item := self._waiting.get()) is not None:
            with contextlib.suppress(OSError):  # whoever read our output may have gone: the run goes on
                self._show_item(item)
        with contextlib.suppress(OSError):
            self._show_end()

    def _show_item(self, item: bytes | str | _Notice) -> None:
        if isinstance(item, str):
            self._status_text = item
        elif isinstance(item, _Notice):
            self._print([*self._line.end(), *(f"[whaledo: {line}]" for line in item.lines)])
        else:
            self._print(self._line.add(item))
        self._draw_status()

    def _show_end(self) -> None:
        self._print(self._line.end())
        self._clear_status()
        if self._skipped:
            _write(
                self._stream,
                f"[{self._skipped:,} bytes not shown here; log.txt keeps what its limit allows]\n",
            )

    def _print(self, lines: list[str]) -> None:
        if lines:
            self._clear_status()
            _write(self._stream, "".join(f"{visible(line)}\n" for line in lines))

    def _draw_status(self) -> None:
        if self._has_status and self._status_text:
            # A line that wraps can't be wiped: only its last row would go.
            width = shutil.get_terminal_size().columns - 1
            _write(self._status, f"\r\x1b[K{self._status_text[:width]}")

    def _clear_status(self) -> None:
        if self._has_status and self._status_text:
            _write(self._status, "\r\x1b[K")


def _write(stream: TextIO, text: str) -> None:
    """Write at once, in whatever encoding the stream has: what it can't say is escaped."""
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


class LineBuffer:
    """Cuts a stream of bytes into lines that can be shown: any encoding, any length, progress bars thinned."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self._last_redraw = 0.0

    def add(self, chunk: bytes) -> list[str]:
        """Take bytes; return the lines that they complete, over-long ones cut."""
        *pieces, self._rest = _LINE_ENDS.split(self._rest + self._decoder.decode(chunk))
        lines = []
        for line, end in zip(pieces[::2], pieces[1::2], strict=True):
            if end != "\r" or self._redraw_is_due():
                lines.append(_cut(line))
        if len(self._rest) > LINE_CHARACTERS:
            lines.append(_cut(self._rest))
            self._rest = ""
        return lines

    def end(self) -> list[str]:
        """Return what is left, if anything."""
        rest, self._rest = self._rest + self._decoder.decode(b"", final=True), ""
        return [_cut(rest.removesuffix("\r"))] if rest else []

    def _redraw_is_due(self) -> bool:
        now = time.monotonic()
        due = now >= self._last_redraw + REDRAW_S
        if due:
            self._last_redraw = now
        return due


def _cut(line: str) -> str:
    return line if len(line) <= LINE_CHARACTERS else f"{line[:LINE_CHARACTERS]} …"


def status_line(progress: Progress) -> str:
    """Elapsed time and limit, memory, processes, in one line."""
    parts = [f"{show_duration(progress.elapsed_s)} of {show_duration(progress.limit_s)}"]
    if progress.memory_bytes is not None:
        parts.append(f"memory {show_size(progress.memory_bytes)}")
    if progress.processes is not None:
        parts.append(f"{progress.processes} processes and threads")
    if progress.log_bytes:
        parts.append(f"log {show_size(progress.log_bytes)}")
    return " · ".join(parts)
