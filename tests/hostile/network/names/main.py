import socket

from attack import attempt, found

found(answer=attempt(socket.gethostbyname, "example.org"))
