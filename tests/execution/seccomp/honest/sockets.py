"""Sockets on loopback and in the file system, with the calls that look up names and addresses."""

import array
import os
import socket
import threading
from pathlib import Path

for family, address in (
    (socket.AF_INET, ("127.0.0.1", 0)),
    (socket.AF_UNIX, "/tmp/socket"),
    (socket.AF_UNIX, "\0abstract"),
):
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(address)
        server.listen()
        thread = threading.Thread(target=lambda server=server: server.accept()[0].sendall(b"whale"))
        thread.start()
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.connect(server.getsockname())
            assert client.recv(5, socket.MSG_WAITALL) == b"whale"
        thread.join()

socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
found = socket.getaddrinfo("127.0.0.1", 9, type=socket.SOCK_DGRAM)[0]
with socket.socket(*found[:3]) as datagrams:
    datagrams.sendto(b"whale", found[4])
assert (1, "lo") in socket.if_nameindex()

one, other = socket.socketpair()
socket.send_fds(one, [b"x"], [os.open("/usr", os.O_RDONLY)])
os.close(socket.recv_fds(other, 1, 1)[1][0])
other.sendmsg([b"a", array.array("i", [1])])
assert one.recvmsg(5)[0] == b"a\1\0\0\0"
with Path("/usr/bin/env").open("rb") as file:
    one.sendfile(file, count=1000)
assert len(other.recv(1000, socket.MSG_WAITALL)) == 1000
