"""Stands by a container: starts the engine's program, says when it has ended, and removes what is left.

A process of its own, because containers outlive those who start them. It holds one end of a socket whose other end
is whaledo's; when that closes, because whaledo let go or was killed, the container goes: its first process, of which
whaledo sends a descriptor once it has found it, at once, and what the engine keeps of it as soon as that gets to it.
It uses the standard library alone, and little of that: every run waits for its imports.

Started as `python -I -S guard.py ALIVE DONE HELD PROGRAM NAME ARGUMENT...`, with three descriptors: a socket that
closes with whaledo, one to write the program's exit status to, and one that only the program is to hold open, so that
it closes when that has ended.
"""

from __future__ import annotations

import _socket
import _thread
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SIGKILL, SIGTERM = 9, 15
"""The same everywhere; the module that has its name takes as long to import as all the others together."""

REMOVALS, PAUSE_S = 10, 0.3
"""How often, and how long after one another, a container is removed that may be made yet."""

NEVER_STARTED = (125, 126, 127)
"""Exit statuses by which the engine's programs may mean that a container was made, but not started."""


def main(descriptors: Sequence[int], program: str, name: str, arguments: list[str]) -> None:
    """See the module."""
    alive, done, held = descriptors
    os.set_inheritable(alive, False)
    os.set_inheritable(done, False)
    client = os.posix_spawn(program, [program, *arguments], os.environ)
    removal = [program, "rm", "--force", "--volumes", name]
    os.close(held)
    ended, teller = os.pipe()
    _thread.start_new_thread(_await_end, (client, teller))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    line, first = _socket.socket(fileno=alive), -1
    while not (is_over := ended in select.select([alive, ended], [], [])[0]):
        if (sent := _hear(line)) is None:
            break
        first = sent
    if is_over:
        status = os.read(ended, 16)
        os.write(done, status)
        os.close(done)
        while _hear(line) is not None:
            pass
        if "--rm" in arguments and int(status) >= 0 and int(status) not in NEVER_STARTED:
            return
    else:
        if first >= 0:
            from signal import pidfd_send_signal

            _quietly(pidfd_send_signal, first, SIGKILL)
        _end(client, ended, removal)
    os.execv(program, removal)


def _hear(line: _socket.socket) -> int | None:
    """The descriptor that whaledo sends; None once it has let go."""
    said, sent, _, _ = line.recvmsg(1, _socket.CMSG_SPACE(4))
    return int.from_bytes(sent[0][2][:4], sys.byteorder) if said else None


def _end(client: int, ended: int, removal: list[str]) -> None:
    """End the engine's program, which may be making the container just now.

    Killed then, Podman leaves a process of a container that it knows nothing of, and Docker makes the container all
    the same, later. So it is asked to end, and the container removed until it has.
    """
    _quietly(os.kill, client, SIGTERM)
    for _ in range(REMOVALS):
        removed = os.waitpid(os.posix_spawn(removal[0], removal, os.environ), 0)[1] == 0
        if select.select([ended], [], [], 0 if removed else PAUSE_S)[0]:
            break
    else:
        _quietly(os.kill, client, SIGKILL)
        os.read(ended, 16)
    if not removed:
        select.select([], [], [], PAUSE_S)


def _quietly(kill: Callable[[int, int], None], process: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib takes long to import
        kill(process, number)
    except (ProcessLookupError, PermissionError):  # it has ended this moment, or only the engine may
        pass


def _await_end(client: int, teller: int) -> None:
    os.write(teller, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(client, 0)[1]))


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:4]], sys.argv[4], sys.argv[5], sys.argv[6:])
