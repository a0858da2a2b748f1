import socket

from attack import TARGETS, attempt, connect, found

port = TARGETS["port"]
found(
    ipv4=attempt(connect, socket.AF_INET, ("127.0.0.1", port)),
    ipv6=attempt(connect, socket.AF_INET6, ("::1", port)),
)
