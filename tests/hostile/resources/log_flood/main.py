import os

while True:
    os.write(1, b"whale " * 10_000)
