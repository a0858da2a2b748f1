import os

from attack import call, found

found(
    traceme=call("ptrace", 0),
    attach=call("ptrace", 16, os.getppid()),
    compare=call("kcmp", os.getpid(), 1, 0),
)
