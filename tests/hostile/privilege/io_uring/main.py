from attack import buffer, call, found

found(
    setup=call("io_uring_setup", 8, buffer),
    enter=call("io_uring_enter", 0, 0),
    register=call("io_uring_register", 0, 0),
)
