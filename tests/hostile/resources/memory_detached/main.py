import ctypes
import os
import time

PIECE = 5 << 20
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for _ in range(40):
    segment = libc.shmget(0, ctypes.c_size_t(PIECE), 0o1600)
    if segment < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    held = libc.shmat(segment, None, 0)
    ctypes.memset(held, 1, PIECE)
    libc.shmdt(ctypes.c_void_p(held))
time.sleep(60)
