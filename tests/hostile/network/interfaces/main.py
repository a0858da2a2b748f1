import socket

from attack import found

found(
    interfaces=sorted(
        name
        for _, name in socket.if_nameindex()
        if name == "lo" or not name.startswith(("tunl", "sit", "ip", "gre", "erspan"))
    )
)
