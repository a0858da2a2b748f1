import socket

from attack import TARGETS, attempt, connect, found

port = TARGETS["port"]
found(
    answers=sorted(
        {
            attempt(connect, socket.AF_INET, (address, port))
            for address in ["10.255.255.254", *TARGETS["addresses"]]
        }
    )
)
