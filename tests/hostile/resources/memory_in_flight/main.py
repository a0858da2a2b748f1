import os
import socket
import time

ours, theirs = socket.socketpair()
for _ in range(40):
    file = os.memfd_create("x")
    for _ in range(5):
        os.write(file, bytes(1 << 20))
    socket.send_fds(ours, [b"x"], [file])
    os.close(file)
time.sleep(60)
