from attack import call, found

found(
    own=call("keyctl", 0, -3, 1),
    add=call("add_key", b"user", b"x", b"x", 1, -3),
    ask=call("request_key", b"user", b"x", 0, -3),
)
