import socket

from attack import attempt, found

plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
plug.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
found(
    sent=attempt(plug.sendto, b"x", ("192.0.2.53", 53)),
    broadcast=attempt(plug.sendto, b"x", ("255.255.255.255", 67)),
    multicast=attempt(plug.sendto, b"x", ("239.1.1.1", 5353)),
)
