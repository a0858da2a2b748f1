import socket

from attack import attempt, connect, found

found(answer=attempt(connect, socket.AF_INET, ("169.254.169.254", 80)))
