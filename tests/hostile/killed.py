"""Makes one run as its arguments say, and kills itself at one moment of it; prints how many moments there were.

Moments are the beginnings of steps, by name, or some seconds after one (`start+0.1`); and what changes something
outside this process, by number: each time that a file is opened to be written, made, moved or removed, and each time
that a program is started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from whaledo.execution.records import RunRequest
from whaledo.execution.runner import Listener, run

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.chown", "subprocess.Popen"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT

request = RunRequest.from_json(json.loads(sys.argv[1]))
moment, _, later_s = sys.argv[2].partition("+")
changes = 0


def pass_by(name: str) -> None:
    """Die here, if this is the moment."""
    if name == moment and later_s:
        signal.setitimer(signal.ITIMER_REAL, float(later_s))  # nobody handles it: the kernel ends us
    elif name == moment:
        os.kill(os.getpid(), signal.SIGKILL)


def hear(event: str, arguments: tuple[Any, ...]) -> None:
    """What Python is about to do."""
    global changes
    if event in CHANGES or (event == "open" and arguments[2] & WRITES):
        changes += 1
        pass_by(str(changes))


sys.addaudithook(hear)
result = run(request, Listener(step=pass_by, output=lambda _: pass_by("output")))
print(changes, result.verdict.code)
