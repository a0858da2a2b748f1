import socket

from attack import attempt, connect, found

found(answer=attempt(connect, socket.AF_INET, ("192.0.2.1", 80)))
