"""Memory in the less usual ways: executable, in huge pages, anonymous files, System V."""

import ctypes
import mmap
import os

page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\xc3")
with mmap.mmap(-1, 4 << 20) as huge:
    huge.madvise(mmap.MADV_HUGEPAGE)
    huge.resize(8 << 20)
descriptor = os.memfd_create("whale", os.MFD_ALLOW_SEALING)
os.ftruncate(descriptor, 4096)
with mmap.mmap(descriptor, 4096) as shared:
    shared[:5] = b"whale"

libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0, 4096, 0o1600)
assert segment >= 0
assert libc.shmat(segment, None, 0) != -1
assert libc.shmctl(segment, 0, None) == 0
assert ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)() == 7
