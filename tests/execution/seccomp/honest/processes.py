"""Children in every way that Python starts them, pipes between them, and how they end."""

import ctypes
import os
import pty
import signal
import subprocess
import sys

assert subprocess.check_output(["sh", "-c", "echo a | cat | wc -c"]).split() == [b"2"]
assert subprocess.check_output([sys.executable, "-c", "print('x')"], close_fds=False) == b"x\n"
assert subprocess.call(["true"], start_new_session=True, preexec_fn=os.getpid) == 0
assert os.system("exit 3") >> 8 == 3
assert os.waitpid(os.posix_spawn("/usr/bin/true", ["true"], {}), 0)[1] == 0

child = subprocess.Popen(["sleep", "60"])
signal.pidfd_send_signal(os.pidfd_open(child.pid), signal.SIGTERM)
assert child.wait() == -signal.SIGTERM

memory = os.memfd_create("program", 0)
os.write(memory, b"#!/bin/sh\nexit 7\n")
child_id = os.fork()
if child_id == 0:
    os.execve(memory, ["program"], {})
assert os.waitstatus_to_exitcode(os.waitpid(child_id, 0)[1]) == 7

assert pty.spawn(["true"], lambda fd: os.read(fd, 1024), lambda _: b"") == 0
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
