# mypy: ignore-errors
"""What an attacker has in hand; lies beside every case's main.py."""

import ctypes
import json
import os
import socket
from pathlib import Path

TARGETS = json.loads(Path("/code_execution/targets.json").read_text())
"""What there is to attack: secrets, files, sockets and a process of the host, and of a neighbouring run."""

libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(4096)


def attempt(function, *arguments):
    """What a function returns, or its error in the system's words."""
    try:
        return function(*arguments)
    except OSError as error:
        return type(error).__name__ if error.errno is None or error.errno < 0 else os.strerror(error.errno)


def call(name, *arguments):
    """Make a system call by name: "ok", or its error in the system's words."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in (*arguments, *[0] * (6 - len(arguments)))]
    ctypes.set_errno(0)
    number = TARGETS["system calls"][name]
    return os.strerror(ctypes.get_errno()) if libc.syscall(ctypes.c_long(number), *words) == -1 else "ok"


def connect(family, address, kind=socket.SOCK_STREAM):
    """Connect and say so."""
    with socket.socket(family, kind) as plug:
        plug.settimeout(2)
        plug.connect(address)
    return "connected"


def read(path):
    """The text of a file."""
    return Path(path).read_bytes().decode(errors="replace")


def write(path, text="whale"):
    """Write a file and say so."""
    Path(path).write_text(text)
    return "written"


def found(**answers):
    """Print what was found."""
    print(json.dumps(answers), flush=True)
