import os

from attack import attempt, buffer, call, found

found(
    trace=call("ptrace", 16, 1),
    read=call("process_vm_readv", 1, buffer, 0, buffer, 0),
    write=call("process_vm_writev", 1, buffer, 0, buffer, 0),
    descriptor=attempt(lambda: call("pidfd_getfd", os.pidfd_open(1), 0)),
)
