import mmap
import time

held = mmap.mmap(-1, 200 << 20)
for offset in range(0, 200 << 20, 4096):
    held[offset] = 1
time.sleep(60)
