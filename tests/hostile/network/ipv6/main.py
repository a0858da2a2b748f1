import socket

from attack import attempt, connect, found

found(answer=attempt(connect, socket.AF_INET6, ("2001:db8::1", 80)))
