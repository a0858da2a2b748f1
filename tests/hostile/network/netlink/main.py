import socket
import struct

from attack import attempt, found

plug = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
plug.send(struct.pack("<LHHLL", 32, 16, 5, 1, 0) + struct.pack("<BxHiLL", 0, 0, 1, 0, 1))
code = -struct.unpack_from("<i", plug.recv(4096), 16)[0]
found(set_link=code, other=str(attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 16)))
