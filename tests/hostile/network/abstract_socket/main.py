import socket

from attack import TARGETS, attempt, connect, found

found(
    answer=attempt(connect, socket.AF_UNIX, "\0" + TARGETS["abstract"]),
    listed=TARGETS["abstract"] in open("/proc/net/unix").read(),
)
