import glob
import os

for path in glob.glob("/run/whaledo/*"):
    try:
        os.write(os.open(path, os.O_RDWR | os.O_NONBLOCK), b"over\n" * 100)
    except OSError:
        pass
held = [bytearray(b"x" * (1 << 20)) for _ in range(300)]
