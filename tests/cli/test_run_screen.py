"""What is seen of a run while it goes on: every line, whatever it is made of, and never a wait."""

from __future__ import annotations

import io
import os
import time
from itertools import pairwise
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.cli.run_screen import LINE_CHARACTERS, SHOWN_BYTES_A_SECOND, LineBuffer, RunScreen, status_line
from whaledo.execution.records import Step
from whaledo.execution.supervisor import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def lines_of(chunks: list[bytes]) -> list[str]:
    """All lines that come out for these chunks."""
    buffer = LineBuffer()
    lines = [line for chunk in chunks for line in buffer.add(chunk)]
    return lines + buffer.end()


ENDS = st.sampled_from(["\n", "\r\n"])
LINES = st.lists(
    st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20), ENDS),
    max_size=10,
)


@given(LINES, st.lists(st.integers(0, 300)))
def test_lines_come_out_whole_however_they_come_in(lines: list[tuple[str, str]], places: list[int]) -> None:
    content = "".join(f"{line}{end}" for line, end in lines).encode()
    ends = sorted({0, len(content), *(place % (len(content) + 1) for place in places)})
    assert lines_of([content[a:b] for a, b in pairwise(ends)]) == [line for line, _ in lines]


def test_the_last_line_needs_no_end() -> None:
    assert lines_of([b"one\ntwo"]) == ["one", "two"]
    assert lines_of([b"one\r"]) == ["one"]
    assert lines_of([b""]) == []


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert lines_of([b"a\xffb\n"]) == ["a\N{REPLACEMENT CHARACTER}b"]
    assert lines_of(["🐋".encode()[:2], "🐋".encode()[2:]]) == ["🐋"]
    assert lines_of(["🐋".encode()[:2]]) == ["\N{REPLACEMENT CHARACTER}"]


def test_a_line_without_end_is_cut_and_needs_no_more_memory_than_a_line() -> None:
    buffer = LineBuffer()
    lines = [line for _ in range(100) for line in buffer.add(b"x" * 65536)]
    assert {len(line) for line in lines} == {LINE_CHARACTERS + 2}
    assert len(buffer._rest) <= LINE_CHARACTERS


def test_a_progress_bar_is_thinned_and_its_last_state_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("whaledo.cli.run_screen.time.monotonic", lambda: now)
    buffer = LineBuffer()
    shown = []
    for percent in range(100):
        shown += buffer.add(f"\r{percent}%".encode())
        now += 0.05
    shown += buffer.add(b"\r100%\n")
    assert 8 < len(shown) < 13
    assert shown[-1] == "100%"


def shown(chunks: list[bytes], stream: TextIO, status: TextIO | None = None) -> None:
    """Show these chunks to the end."""
    with RunScreen(stream, status or io.StringIO()) as screen:
        for chunk in chunks:
            screen.output(chunk)


def test_what_could_steer_a_terminal_is_made_visible() -> None:
    stream = io.StringIO()
    shown(["\x1b]0;title\x07\x1b[2J\x9b31m\u202eabc\ttab 🐋\n".encode()], stream)
    assert stream.getvalue() == "\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\u202eabc\ttab 🐋\n"


def test_the_status_line_is_drawn_below_and_wiped_before_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    with RunScreen(terminal, terminal) as screen:
        screen.step(Step.START)
        screen.progress(Progress(1, 60, 1024**2, 3, 0))
        screen.output(b"hello\n")
    text = terminal.getvalue()
    assert "start …" in text
    assert "\r\x1b[K1.0 s of 1 min 0 s · memory 1.0 MiB · 3 processes and threads" in text
    assert "\r\x1b[Khello\n" in text
    assert text.endswith("\r\x1b[K")


def test_without_a_terminal_there_is_no_status_line() -> None:
    stream, status = io.StringIO(), io.StringIO()
    with RunScreen(stream, status) as screen:
        screen.step(Step.UNPACK)
        screen.progress(Progress(1, 60, None, None, 0))
        screen.output(b"hello\n")
    assert (stream.getvalue(), status.getvalue()) == ("hello\n", "")


def test_the_status_line_leaves_out_what_isnt_known() -> None:
    assert status_line(Progress(0.5, 90, None, None, 0)) == "0.5 s of 1 min 30 s"
    assert status_line(Progress(5, 10, 2048, 1, 3)).endswith(
        "memory 2.0 KiB · 1 processes and threads · log 3 B"
    )


def test_a_flood_is_left_out_and_counted() -> None:
    stream = io.StringIO()
    chunk = b"x" * 99 + b"\n"
    count = 3 * SHOWN_BYTES_A_SECOND // len(chunk)
    shown([chunk * 100] * (count // 100), stream)
    *lines, last = stream.getvalue().splitlines()
    assert 0 < len(lines) < count
    left_out = count // 100 * 10_000 - len(lines) * 100
    assert last == f"[{left_out:,} bytes not shown here; log.txt keeps what its limit allows]"


def test_a_terminal_that_isnt_read_holds_nobody_up() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        screen = RunScreen(stream, io.StringIO())
        screen._thread.start()
        began = time.monotonic()
        for _ in range(2000):
            screen.output(b"whale " * 100)
            screen.progress(Progress(1, 60, 0, 1, 0))
        assert time.monotonic() - began < 1
        os.close(reader)
        screen.__exit__()
        screen._thread.join(5)
        assert not screen._thread.is_alive()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)


def test_a_reader_who_has_gone_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        shown([b"one\n", b"two\n"], stream)
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)
    assert "Traceback" not in capfd.readouterr().err


def test_a_screen_of_few_characters_shows_the_others_escaped() -> None:
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding="ascii")
    shown(["Ünï 🐋\n".encode()], stream)
    assert content.getvalue() == b"\\xdcn\\xef \\U0001f40b\n"


def test_a_status_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    terminal = Terminal()
    with RunScreen(terminal, terminal) as screen:
        screen.progress(Progress(1, 60, 1024**2, 3, 100))
    drawn = terminal.getvalue().split("\r\x1b[K")
    assert max(map(len, drawn)) == 19
