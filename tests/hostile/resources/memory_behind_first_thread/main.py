import ctypes
import os
import threading
import time


def hold():
    time.sleep(0.2)
    held = bytearray(100 << 20)
    for offset in range(0, len(held), 4096):
        held[offset] = 1
    file = os.memfd_create("x")
    for _ in range(100):
        os.write(file, bytes(1 << 20))
    time.sleep(60)


threading.Thread(target=hold).start()
ctypes.CDLL(None).pthread_exit(None)
