# mypy: ignore-errors
# ruff: noqa: PTH109, PTH111, PTH208
# It runs as a submission, in the terms of the system.
"""Prints, as JSON, what a submission finds that the contract speaks of."""

import json
import multiprocessing
import os
import pwd
import resource
import socket
import sys
import threading
from pathlib import Path

import numpy
import pandas
from package.inner import NAME


def attempt(action, *arguments):
    try:
        action(*arguments)
    except OSError as error:
        return error.strerror
    return "done"


def size_of(path):
    figures = os.statvfs(path)
    return figures.f_blocks * figures.f_frsize


def loopback(family, address):
    with socket.socket(family) as server, socket.socket(family) as plug:
        server.bind(address)
        server.listen()
        plug.connect(server.getsockname())
        answering = threading.Thread(target=lambda: server.accept()[0].sendall(b"whale"))
        answering.start()
        heard = plug.recv(10).decode()
        answering.join()
    return heard


def reach(family, address):
    with socket.socket(family) as plug:
        plug.settimeout(5)
        return attempt(plug.connect, address)


def double(number):
    return 2 * number


def main():
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    with multiprocessing.Pool(2) as pool:
        doubled = pool.map(double, range(3))
    found = {
        "working directory": os.getcwd(),
        "own module": NAME,
        "write code": attempt(Path("new.txt").write_text, "x"),
        "change code": attempt(Path("package/inner.py").write_text, "x"),
        "write data": attempt(Path("data/new.txt").write_text, "x"),
        "change data": attempt(Path("data/metadata.csv").write_text, "x"),
        "remove data": attempt(Path("data/images/a.jpg").unlink),
        "data": sorted(str(path) for path in Path("data").rglob("*")),
        "metadata": Path("data/metadata.csv").read_text().splitlines()[0],
        "submission folder": os.listdir("submission"),
        "python": [sys.executable, list(sys.version_info[:2])],
        "packages": [numpy.__name__, pandas.__name__],
        "environment": dict(os.environ),
        "user": [
            pwd.getpwuid(os.getuid()).pw_name,
            os.getuid() != 0,
            os.geteuid() != 0,
            os.path.expanduser("~"),
        ],
        "capabilities": sorted(
            {status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
        ),
        "no new privileges": status["NoNewPrivs"].strip(),
        "seccomp": status["Seccomp"].strip(),
        "host name": socket.gethostname(),
        "standard input": sys.stdin.read(),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "IPv4": reach(socket.AF_INET, ("192.0.2.1", 80)),
        "IPv6": reach(socket.AF_INET6, ("2001:db8::1", 80)),
        "loopback": [
            loopback(socket.AF_INET, ("127.0.0.1", 0)),
            loopback(socket.AF_INET6, ("::1", 0)),
            loopback(socket.AF_UNIX, "/tmp/plug"),
        ],
        "own name": socket.gethostbyname(socket.gethostname()),
        "workers": doubled,
        "/dev/shm": [size_of("/dev/shm"), attempt(Path("/dev/shm/x").write_text, "x")],
        "/tmp": [size_of("/tmp"), sorted(os.listdir("/tmp")), attempt(Path("/tmp/x").write_text, "x")],
        "elsewhere": [
            attempt(Path(folder, "x").write_text, "x")
            for folder in ("/", "/usr", "/opt/venv", "/etc", "/var/tmp", "/run")
        ],
        "open files": list(resource.getrlimit(resource.RLIMIT_NOFILE)),
        "core dumps": list(resource.getrlimit(resource.RLIMIT_CORE)),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
