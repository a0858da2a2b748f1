"""The `whaledo` command itself: how it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SAYING_GOODBYE = "import atexit, sys; atexit.register(print, 'bye'); from whaledo.cli.app import main; main()"


def whaledo(*arguments: str, code: str | None = None, stdout: int = subprocess.PIPE) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of the command in a process of its own."""
    start = ["-m", "whaledo"] if code is None else ["-c", code]
    command = [sys.executable, *start, *arguments]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["--version"], 0), (["score", "nowhere.csv", "--data", "/nowhere"], 1), (["nonsense"], 2)],
)
def test_its_exit_status_says_whose_fault_it_is(arguments: list[str], status: int) -> None:
    assert whaledo(*arguments)[0] == status


def test_a_fault_of_our_own_is_said_to_be_ours() -> None:
    breaking = "import whaledo.cli.app as app; app.application = None; app.main()"
    status, said, wrong = whaledo("--version", code=breaking)
    assert (status, said) == (3, "")
    assert "this is a fault of whaledo" in wrong
    assert "TypeError" in wrong


def test_all_that_was_printed_arrives_and_what_must_be_done_at_the_end_is_done() -> None:
    assert whaledo("--version", code=SAYING_GOODBYE)[1].splitlines()[1:] == ["bye"]


def test_a_reader_that_has_gone_is_nothing_to_speak_of() -> None:
    """As in `whaledo --help | true`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert whaledo("--help", stdout=writing)[2] == ""
    finally:
        os.close(writing)
