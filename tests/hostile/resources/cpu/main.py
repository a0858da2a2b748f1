import os
import time

for _ in range(4):
    if os.fork() == 0:
        os.sched_setaffinity(0, range(os.cpu_count()))
        while True:
            pass
time.sleep(60)
