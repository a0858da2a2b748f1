import ctypes
import os

from attack import attempt, found, libc

ctypes.set_errno(0)
libc.klogctl(3, ctypes.create_string_buffer(100), 100)
found(log=os.strerror(ctypes.get_errno()), kmsg=str(attempt(os.open, "/dev/kmsg", os.O_RDONLY)))
