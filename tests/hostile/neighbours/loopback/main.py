import socket

from attack import TARGETS, attempt, connect, found

found(answer=attempt(connect, socket.AF_INET, ("127.0.0.1", TARGETS["neighbour"]["port"])))
