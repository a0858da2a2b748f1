import ctypes
import threading
import time


def hold():
    time.sleep(0.2)
    held = bytearray(b"x") * (200 << 20)
    time.sleep(60)
    del held


threading.Thread(target=hold).start()
ctypes.CDLL(None).pthread_exit(None)
