import ctypes
import os
import time

PR_SET_DUMPABLE = 4
assert ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0) == 0
file = os.memfd_create("x")
for _ in range(200):
    os.write(file, bytes(1 << 20))
time.sleep(60)
