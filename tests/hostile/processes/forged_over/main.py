import glob
import os
import time

for path in glob.glob("/run/whaledo/*"):
    try:
        os.write(os.open(path, os.O_WRONLY | os.O_NONBLOCK), b"up\nover\n" * 100)
    except OSError:
        pass
time.sleep(3600)
