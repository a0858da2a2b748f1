import ctypes
import mmap
import os
import platform
import signal

from attack import found

child = os.fork()
if child == 0:
    if platform.machine() != "x86_64":
        os.kill(os.getpid(), signal.SIGSYS)
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # getpid, as 32-bit programs call it
    ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
    os._exit(0)
found(ended=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
