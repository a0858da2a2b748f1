import os
import time

file = os.memfd_create("x")
for _ in range(200):
    os.write(file, bytes(1 << 20))
time.sleep(60)
