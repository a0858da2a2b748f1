import socket

from attack import attempt, found

found(
    sctp=str(attempt(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 132)),
    mptcp=str(attempt(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 262)),
    bluetooth=str(attempt(socket.socket, 31, socket.SOCK_RAW)),
    kcm=str(attempt(socket.socket, 41, socket.SOCK_SEQPACKET)),
)
