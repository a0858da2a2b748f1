import socket

from attack import TARGETS, attempt, connect, found

found(answers=sorted({attempt(connect, socket.AF_UNIX, path) for path in TARGETS["sockets"]}))
