import fcntl
import os

from attack import attempt, found

found(
    terminal=str(attempt(os.open, "/dev/tty", os.O_RDWR)),
    typed=attempt(fcntl.ioctl, 0, 0x5412, b"x"),
    hidden=attempt(fcntl.ioctl, os.openpty()[1], 0x5412, b"x"),
)
