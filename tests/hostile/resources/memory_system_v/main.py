import ctypes
import time

libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
held = libc.shmat(libc.shmget(0, ctypes.c_size_t(200 << 20), 0o1600), None, 0)
ctypes.memset(held, 1, 200 << 20)
time.sleep(60)
