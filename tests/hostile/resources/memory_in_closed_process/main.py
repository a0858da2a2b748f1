import ctypes
import time

PR_SET_DUMPABLE = 4
assert ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0) == 0
held = bytearray(b"x") * (200 << 20)
time.sleep(60)
