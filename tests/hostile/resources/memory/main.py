import time

held = [bytearray(b"x" * (1 << 20)) for _ in range(300)]
time.sleep(60)
