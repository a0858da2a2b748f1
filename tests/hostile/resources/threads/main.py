import time
from threading import Thread

for _ in range(100):
    Thread(target=time.sleep, args=(60,), daemon=True).start()
