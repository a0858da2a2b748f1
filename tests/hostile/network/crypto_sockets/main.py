import socket

from attack import attempt, found

found(answer=str(attempt(socket.socket, socket.AF_ALG, socket.SOCK_SEQPACKET)))
