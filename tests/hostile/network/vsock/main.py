import socket

from attack import attempt, found

found(answer=str(attempt(socket.socket, 40, socket.SOCK_STREAM)))
