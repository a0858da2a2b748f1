"""What the host holds out while the probe attacks: a secret, in every place where a wall should hide it.

An attack that finds nothing proves something only where there was something to find.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Bait:
    """What is held out.

    Attributes:
        facts: where everything is, for the probe.
        process: a process that has the secret among its arguments and in its environment.
    """

    facts: Mapping[str, Any]
    process: subprocess.Popen[bytes]

    @property
    def killed(self) -> bool:
        """Whether that process is dead."""
        return self.process.poll() is not None


@contextmanager
def bait(folder: Path, labels: Path) -> Iterator[Bait]:
    """Hold out servers, sockets, files and a process, until the block is left.

    Args:
        folder: where the file and the socket go; every user may enter it.
        labels: a file that whaledo has open, inheritable, while runs are made.
    """
    secret = f"bait-{secrets.token_hex(8)}"
    file = folder / "bait.txt"
    file.write_text(secret)
    with labels.open("a") as more:
        more.write(f"{secret},{secret}\n")
    with contextlib.ExitStack() as stack:
        opened = os.open(labels, os.O_RDONLY)
        os.set_inheritable(opened, True)  # what a careless start of the run would hand on
        stack.callback(os.close, opened)
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()", secret],
            stdin=subprocess.PIPE,
            env={"BAIT": secret},
        )
        stack.callback(process.communicate)
        server = stack.enter_context(_everywhere())
        abstract, named = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        for listener, address in ((abstract, f"\0{secret}"), (named, str(folder / "bait.sock"))):
            listener.bind(address)
            listener.listen()
        (folder / "bait.sock").chmod(0o666)
        for listener in (server, abstract, named):
            stack.callback(listener.shutdown, socket.SHUT_RDWR)  # wakes who waits for a caller
            threading.Thread(target=_answer, args=(listener, secret), daemon=True).start()
        facts = {
            "secret": secret,
            "file": str(file),
            "socket": str(folder / "bait.sock"),
            "abstract": secret,
            "port": server.getsockname()[1],
            "addresses": _addresses(),
            "pid": process.pid,
        }
        yield Bait(facts, process)


def _everywhere() -> socket.socket:
    """A server on every address of this host."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", 0))


def _addresses() -> list[str]:
    import psutil

    families = (socket.AF_INET, socket.AF_INET6)
    return [
        address.address.partition("%")[0]
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in families
    ]


def _answer(listener: socket.socket, secret: str) -> None:
    """Tell the secret to whoever comes."""
    with contextlib.suppress(OSError):
        while True:
            caller, _ = listener.accept()
            with caller:
                caller.sendall(secret.encode())
