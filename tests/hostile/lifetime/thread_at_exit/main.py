import time
from threading import Thread

Thread(target=time.sleep, args=(3600,)).start()
