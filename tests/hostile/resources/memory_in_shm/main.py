import time

with open("/dev/shm/x", "wb") as file:
    for _ in range(200):
        file.write(bytes(1 << 20))
        time.sleep(0.001)
time.sleep(60)
