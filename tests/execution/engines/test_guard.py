"""Who stands by a container: as a process, beside a program of ours in the place of the engine's."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whaledo.execution.engines import guard

PATIENCE_S = 20


class Guarded:
    """A guard with a client whose `run` is a shell script; `$TOLD` gets a line each time that it is called.

    Attributes:
        process: the guard.
        done: what it says the client's exit status to.
        log: a pipe that only the client is to hold.
    """

    def __init__(self, folder: Path, script: str, *options: str) -> None:
        self.folder, self.told = folder, folder / "told"
        self.told.touch()
        client = folder / "client"
        client.write_text(
            f'#!/bin/sh\nTOLD={self.told}\necho "$$ $*" >> $TOLD\n[ "$1" = run ] || exit 0\n{script}\n'
        )
        client.chmod(0o755)
        self.alive, its_alive = socket.socketpair()
        self.done, its_done = os.pipe()
        self.log, its_log = os.pipe()
        theirs = (its_alive.detach(), its_done, its_log)
        words = [sys.executable, "-I", "-S", guard.__file__, *map(str, theirs), str(client), "whaledo-r1"]
        self.process = subprocess.Popen(
            [*words, "run", *options, "image"], pass_fds=theirs, start_new_session=True
        )
        for descriptor in theirs:
            os.close(descriptor)

    def calls(self) -> list[str]:
        """What the client was told so far, one line a call."""
        return [line.partition(" ")[2] for line in self.told.read_text().splitlines()]

    def wait_for_start(self) -> int:
        """Wait until the client runs; return its number."""
        wait_until(lambda: self.told.read_text().endswith("\n"))
        return int(self.told.read_text().split()[0])

    def status(self) -> str:
        """What it says of the client's end."""
        return read(self.done)

    def let_go(self) -> None:
        """Close what says that we are alive."""
        self.alive.close()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.alive.close()
        for descriptor in (self.done, self.log):
            os.close(descriptor)


def read(descriptor: int) -> str:
    assert select.select([descriptor], [], [], PATIENCE_S)[0], "nothing comes"
    return os.read(descriptor, 100).decode()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it doesn't come about"
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


Stand = Callable[..., Guarded]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """Starts a guard."""
    made: list[Guarded] = []

    def begin(script: str, *options: str) -> Guarded:
        made.append(Guarded(tmp_path, script, *options))
        return made[-1]

    yield begin
    for each in made:
        each.close()


REMOVED = "rm --force --volumes whaledo-r1"


@pytest.mark.parametrize("status", [0, 7, 125, 255])
def test_it_says_with_which_status_the_client_ended(status: int, stand: Stand) -> None:
    guarded = stand(f"exit {status}", "--rm")
    assert guarded.status() == f"{status}\n"
    assert read(guarded.done) == "", "nothing more comes"


def test_a_client_that_was_killed_has_no_status_of_its_own(stand: Stand) -> None:
    assert stand("kill -9 $$", "--rm").status() == "-9\n"


@pytest.mark.parametrize(
    ("script", "options", "removed"),
    [
        ("exit 0", ("--rm",), False),
        ("exit 7", ("--rm",), False),
        ("exit 125", ("--rm",), True),
        ("exit 127", ("--rm",), True),
        ("kill -9 $$", ("--rm",), True),
        ("exit 0", (), True),
    ],
    ids=[
        "ended well",
        "ended badly",
        "never started",
        "no such program",
        "client killed",
        "kept to be asked",
    ],
)
def test_a_container_that_may_be_left_is_removed_once_we_let_go_and_no_other(
    script: str, options: tuple[str, ...], removed: bool, stand: Stand
) -> None:
    guarded = stand(script, *options)
    guarded.status()
    time.sleep(0.05)
    assert len(guarded.calls()) == 1, "it may still be asked about"
    guarded.let_go()
    assert guarded.process.wait(PATIENCE_S) == 0
    assert guarded.calls()[1:] == ([REMOVED] if removed else [])


def test_when_we_let_go_in_mid_run_the_client_is_killed_and_the_container_removed(stand: Stand) -> None:
    guarded = stand("trap '' TERM INT HUP\nwhile :; do sleep 0.05; done", "--rm")
    client = guarded.wait_for_start()
    guarded.let_go()
    assert guarded.process.wait(PATIENCE_S) == 0
    assert not is_there(client)
    assert set(guarded.calls()[1:]) == {REMOVED}, "as often as the client might have made it once more"
    assert guarded.status() == "", "there was no end of its own"


def test_the_first_process_is_killed_at_once_when_we_let_go_whatever_the_engine_does(stand: Stand) -> None:
    guarded = stand("trap '' TERM\nexec sleep 60", "--rm")
    with subprocess.Popen(["sleep", "60"]) as first:
        descriptor = os.pidfd_open(first.pid)
        socket.send_fds(guarded.alive, [b"1"], [descriptor])
        os.close(descriptor)
        guarded.wait_for_start()
        assert first.poll() is None
        guarded.let_go()
        assert first.wait(PATIENCE_S) == -9
    assert guarded.process.wait(PATIENCE_S) == 0
    assert REMOVED in guarded.calls()


def test_the_first_process_of_a_run_that_is_over_is_left_alone(stand: Stand) -> None:
    guarded = stand("exit 0", "--rm")
    with subprocess.Popen(["sleep", "60"]) as first:
        descriptor = os.pidfd_open(first.pid)
        socket.send_fds(guarded.alive, [b"1"], [descriptor])
        os.close(descriptor)
        assert guarded.status() == "0\n"
        guarded.let_go()
        assert guarded.process.wait(PATIENCE_S) == 0
        assert first.poll() is None
        first.kill()


def test_it_holds_no_copy_of_what_the_client_alone_is_to_hold(stand: Stand) -> None:
    guarded = stand("exit 0", "--rm")
    guarded.status()
    assert read(guarded.log) == ""
    assert guarded.process.poll() is None


def test_the_client_holds_no_pipe_by_which_it_could_speak_for_its_guard(stand: Stand) -> None:
    guarded = stand("ls -l /proc/$$/fd >> $TOLD; exec sleep 60", "--rm")
    client = guarded.wait_for_start()
    wait_until(lambda: "sleep" in Path(f"/proc/{client}/cmdline").read_text())
    held = {str(each.readlink()) for each in Path(f"/proc/{client}/fd").iterdir()}
    pipe = "pipe:[{}]".format
    assert pipe(os.fstat(guarded.log).st_ino) in held
    assert pipe(os.fstat(guarded.done).st_ino) not in held
    assert not [each for each in held if each.startswith("socket:")]


def test_when_whoever_started_it_is_killed_it_still_removes(tmp_path: Path) -> None:
    """The pipe's other end is the killed process's alone, as in a run."""
    client, told = tmp_path / "client", tmp_path / "told"
    client.write_text(f'#!/bin/sh\necho "$$ $*" >> {told}\n[ "$1" = run ] || exit 0\nexec sleep 60\n')
    client.chmod(0o755)
    code = (
        "import os, socket, subprocess, sys, time\n"
        "alive, its = socket.socketpair()\ntheirs = its.detach()\n"
        "nowhere = os.open('/dev/null', os.O_WRONLY)\nheld = os.dup(nowhere)\n"
        "numbers = (theirs, nowhere, held)\n"
        f"words = [sys.executable, '-I', '-S', {guard.__file__!r}, *map(str, numbers)]\n"
        f"words += [{str(client)!r}, 'whaledo-r1', 'run', '--rm', 'image']\n"
        "print(subprocess.Popen(words, pass_fds=numbers, start_new_session=True).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(lambda: told.exists() and told.read_text().endswith("\n"))
        started = int(told.read_text().split()[0])
        parent.kill()
    wait_until(lambda: not is_there(pid))
    assert not is_there(started)
    assert told.read_text().splitlines()[1].endswith(REMOVED)
