import os

# 256 processes and no more, so that a wall that fails takes no machine with it.

for _ in range(8):
    try:
        os.fork()
    except OSError:
        pass
while True:
    pass
