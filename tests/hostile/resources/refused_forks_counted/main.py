import os
import time

made = 0
for _ in range(100):
    try:
        if os.fork() == 0:
            time.sleep(60)
    except OSError:
        break
    made += 1
print('{"under the limit": ' + str(made < 20).lower() + "}", flush=True)
