import ctypes
import os

from attack import TARGETS, found, libc, read

ctypes.set_errno(0)
answer = libc.shmget(TARGETS["neighbour"]["key"], 0, 0)
found(answer=answer, error=os.strerror(ctypes.get_errno()), listed=read("/proc/sysvipc/shm").splitlines()[1:])
