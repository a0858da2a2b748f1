import socket

from attack import attempt, found

found(
    ipv4=str(attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)),
    ipv6=str(attempt(socket.socket, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)),
    packet=str(attempt(socket.socket, socket.AF_PACKET, socket.SOCK_RAW)),
)
