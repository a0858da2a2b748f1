import time

held = []
for _ in range(300):
    try:
        held.append(bytearray(b"x" * (1 << 20)))
    except BaseException:
        pass
time.sleep(60)
