"""What an attacker has in hand: system calls by name, each answer a word. Runs inside the sandbox."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS: dict[str, int] = json.loads(Path("/numbers.json").read_text())
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(4096)
"""Zeroes that calls may read and write."""
ABOVE = 1 << 40
"""A bit that the kernel drops where it reads an int."""


def call(name: str | int, *arguments: Any) -> str:
    """Make a system call, by name or number: "ok", or the name of its error."""
    number = name if isinstance(name, int) else NUMBERS[name]
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in (*arguments, *[0] * (6 - len(arguments)))]
    ctypes.set_errno(0)
    if libc.syscall(ctypes.c_long(number), *words) == -1:
        return errno.errorcode[ctypes.get_errno()]
    return "ok"


def attempt(function: Callable[..., object], *arguments: Any) -> str:
    """Call a function: "ok", or the name of its OSError."""
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "ok"


def in_child(function: Callable[[], str]) -> str:
    """The answer of a function that may not come back: what it says, or raises, or the signal that ends it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, function().encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"killed by {signal.Signals(-status).name}" if status < 0 else os.read(reader, 100).decode()


def clone(flags: int) -> str:
    """clone(2) as fork uses it, with further flags."""
    parent = os.getpid()
    answer = call("clone", flags | signal.SIGCHLD)
    if os.getpid() != parent:
        os._exit(0)
    return answer


def new() -> bytes:
    """A path where nothing is."""
    return tempfile.mktemp().encode()


def new_file(mode: int = 0o644) -> int:
    """A new file, open."""
    return os.open(new(), os.O_CREAT | os.O_RDWR, mode)


def terminal(request: int, argument: bytes) -> str:
    """An ioctl on a terminal that is the caller's own controlling one."""

    def inside() -> str:
        os.setsid()
        own = os.open(os.ttyname(os.openpty()[1]), os.O_RDWR)
        return call("ioctl", own, request, argument)

    return in_child(inside)


def machine_code(code: bytes) -> str:
    """Run instructions as a function that takes and returns nothing."""

    def inside() -> str:
        memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        memory.write(code)
        ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
        return "ok"

    return in_child(inside)


def full_pipe() -> int:
    """The reading end of a pipe that holds something."""
    reader, writer = os.pipe()
    os.write(writer, b"whale")
    return reader
