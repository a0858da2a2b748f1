import os
import time

for _ in range(6):
    if os.fork() == 0:
        held = bytearray(b"x" * (40 << 20))
        time.sleep(60)
time.sleep(60)
