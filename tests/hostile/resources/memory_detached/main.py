import ctypes
import time

PIECE = 5 << 20
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for _ in range(40):
    held = libc.shmat(libc.shmget(0, ctypes.c_size_t(PIECE), 0o1600), None, 0)
    ctypes.memset(held, 1, PIECE)
    libc.shmdt(ctypes.c_void_p(held))
time.sleep(60)
