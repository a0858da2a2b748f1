"""Stands by a container: starts the engine's program, says when it has ended, and removes what is left.

A process of its own, because containers outlive those who start them. It holds one end of a pipe whose other end
is whaledo's; when that closes, because whaledo let go or was killed, the container goes. It uses the standard
library alone, and little of that: every run waits for its imports.

Started as `python -I -S guard.py ALIVE DONE HELD PROGRAM NAME ARGUMENT...`, with three descriptors: one that closes
with whaledo, one to write the program's exit status to, and one that only the program is to hold open, so that it
closes when that has ended.
"""

from __future__ import annotations

import os
import select
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NEVER_STARTED = (125, 126, 127)
"""Exit statuses by which the engine's programs may mean that a container was made, but not started."""


def main(descriptors: Sequence[int], program: str, name: str, arguments: list[str]) -> None:
    """See the module."""
    alive, done, held = descriptors
    os.set_inheritable(alive, False)
    os.set_inheritable(done, False)
    bell, ringer = os.pipe()
    os.set_blocking(ringer, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler is what makes it ring
    signal.set_wakeup_fd(ringer)
    client = os.posix_spawn(program, [program, *arguments], os.environ)
    os.close(held)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    ready, _, _ = select.select([alive, bell], [], [])
    if bell in ready:
        status = os.waitstatus_to_exitcode(os.waitpid(client, 0)[1])
        os.write(done, b"%d\n" % status)
        os.close(done)
        os.read(alive, 1)
        if "--rm" in arguments and status >= 0 and status not in NEVER_STARTED:
            return
    else:
        os.kill(client, signal.SIGKILL)
        os.waitpid(client, 0)
    os.execv(program, [program, "rm", "--force", "--volumes", name])


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:4]], sys.argv[4], sys.argv[5], sys.argv[6:])
