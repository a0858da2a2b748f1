import os

held = []
for _ in range(32):
    held.append(os.open("/tmp", os.O_TMPFILE | os.O_RDWR))
    os.write(held[-1], bytes(1 << 20))
