import os
import signal

from attack import TARGETS, attempt, found

found(kill=attempt(os.kill, TARGETS["pid"], signal.SIGTERM), pidfd=attempt(os.pidfd_open, TARGETS["pid"]))
