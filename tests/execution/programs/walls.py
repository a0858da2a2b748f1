# mypy: ignore-errors
# ruff: noqa: PTH109, PTH113, PTH115, PTH119, PTH207, PTH208
# It stands for what a competitor might write, in the terms of the system.
"""Attacks on the walls, each of which would show if it succeeded; prints what came of each as JSON.

`targets.json` beside this says what there is on the host to attack.
"""

import ctypes
import fcntl
import glob
import json
import os
import resource
import signal
import socket
import subprocess
from pathlib import Path

TARGETS = json.loads(Path("targets.json").read_text())
FOUND = {}
libc = ctypes.CDLL(None, use_errno=True)


def attempt(function, *arguments):
    """What a function returns, or the name of its error."""
    try:
        return function(*arguments)
    except OSError as error:
        return type(error).__name__ if error.errno is None or error.errno < 0 else os.strerror(error.errno)


def call(name, *arguments):
    """The C library's function of that name: "ok", or the name of its error."""
    ctypes.set_errno(0)
    return os.strerror(ctypes.get_errno()) if getattr(libc, name)(*arguments) == -1 else "ok"


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as plug:
        plug.settimeout(3)
        plug.connect(address)
    return "connected"


def read(path):
    return Path(path).read_bytes().decode(errors="replace")


def write(path, text="whale"):
    Path(path).write_text(text)
    return "written"


def output_of(*command):
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10
    ).stdout


# What of the host is in sight.
everything = [
    attempt(read, path) for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline")
]
FOUND["environment"] = dict(os.environ)
FOUND["secret seen"] = any(TARGETS["secret"] in text for text in [*everything, str(os.environ)])
FOUND["processes"] = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
FOUND["root folder"] = sorted(os.listdir("/"))
FOUND["root folder of the first process"] = attempt(lambda: sorted(os.listdir("/proc/1/root")))
FOUND["etc"] = sorted(os.listdir("/etc"))
FOUND["accounts"] = [line.split(":")[0] for line in read("/etc/passwd").splitlines()]
FOUND["host files"] = {path: attempt(read, path) for path in TARGETS["files"]}
FOUND["host folders"] = {path: attempt(os.listdir, path) for path in TARGETS["folders"]}
FOUND["devices"] = sorted(os.listdir("/dev"))
FOUND["data"] = sorted(str(path) for path in Path("data").rglob("*"))
FOUND["metadata"] = read("data/metadata.csv").splitlines()[0]
FOUND["submission"] = os.listdir("submission")
FOUND["stdin"] = os.readlink("/proc/self/fd/0")
FOUND["open"] = sorted({attempt(os.readlink, path).split(":")[0] for path in glob.glob("/proc/self/fd/*")})
FOUND["open in the first process"] = sorted(
    {os.readlink(path).split(":")[0] for path in glob.glob("/proc/1/fd/*")}
)
FOUND["its input"] = attempt(
    lambda: os.read(os.open("/proc/1/fd/0", os.O_RDONLY | os.O_NONBLOCK), 1).decode()
)
FOUND["its descriptors"] = call("syscall", ctypes.c_long(438), os.pidfd_open(1), 0, 0)  # pidfd_getfd
FOUND["shared memory of System V"] = read("/proc/sysvipc/shm").splitlines()[1:]

# Who we are, and what more we could become.
status = dict(line.split(":\t", 1) for line in read("/proc/self/status").splitlines())
FOUND["user"] = [os.getresuid(), os.getresgid(), os.getgroups(), os.getcwd(), os.uname().nodename]
FOUND["capabilities"] = sorted({status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")})
FOUND["no new privileges"] = status["NoNewPrivs"]
FOUND["core size"] = resource.getrlimit(resource.RLIMIT_CORE)
FOUND["become root"] = attempt(os.setuid, 0)
FOUND["nested user namespace"] = call("unshare", 0x10000000)
FOUND["mount"] = call("mount", b"none", b"/tmp", b"tmpfs", 0, None)
FOUND["remount data"] = call("mount", b"none", b"/code_execution/data", None, 32, None)
FOUND["trace the first process"] = call("ptrace", 16, 1, 0, 0)
FOUND["session keyring"] = call("syscall", ctypes.c_long(250), 0, -3, 0, 0, 0)
FOUND["kernel log"] = call("klogctl", 3, ctypes.create_string_buffer(100), 100)
FOUND["setuid program"] = attempt(output_of, "/usr/bin/su", "-c", "id -u")
FOUND["setuid file"] = attempt(os.chmod, "main.py", 0o4755)
FOUND["device"] = attempt(os.mknod, "/tmp/disk", 0o060666, os.makedev(254, 0))
FOUND["terminal"] = attempt(os.open, "/dev/tty", os.O_RDWR)
FOUND["typing into a terminal"] = attempt(fcntl.ioctl, 1, 0x5412, b"x")

# Where we can write.
FOUND["kernel settings"] = sorted(
    os.path.basename(path)
    for area in ("kernel", "vm", "fs")
    for path in glob.glob(f"/proc/sys/{area}/**", recursive=True)
    if os.path.isfile(path) and attempt(lambda: write(path, read(path))) == "written"  # noqa: B023
)
FOUND["written"] = [
    path
    for path in (
        "/x", "/usr/x", "/usr/bin/x", "/etc/x", "/etc/passwd", "/opt/x", "/opt/venv/x", "/opt/venv/lib/x", "/dev/x",
        "/proc/x", "/sys/x", "/run/x", "/var/tmp/x", "/home/x", "data/x", "data/metadata.csv", "data/queries/one.csv",
        "data/images/x", "data/images/a.jpg", "/tmp/x", "/dev/shm/x", "x", "main.py", "submission/x",
    )
    if attempt(write, path) == "written"
]  # fmt: skip
FOUND["remove an image"] = attempt(os.remove, "data/images/a.jpg")
FOUND["move the data"] = attempt(os.rename, "data", "data2")
FOUND["hard link to the data"] = attempt(os.link, "data/metadata.csv", "submission/metadata.csv")
FOUND["signal a process of the host"] = attempt(os.kill, TARGETS["pid"], signal.SIGKILL)
FOUND["signal all"] = attempt(os.kill, -1, signal.SIGTERM)

# The network.
FOUND["interfaces"] = [name for _, name in socket.if_nameindex()]
FOUND["server on the host"] = {
    a: attempt(connect, socket.AF_INET, (a, TARGETS["port"])) for a in TARGETS["addresses"]
}
FOUND["abstract socket"] = attempt(connect, socket.AF_UNIX, "\0" + TARGETS["abstract"])
FOUND["sockets"] = {path: attempt(connect, socket.AF_UNIX, path) for path in TARGETS["sockets"]}
FOUND["IPv4"] = attempt(connect, socket.AF_INET, ("192.0.2.1", 80))
FOUND["IPv6"] = attempt(connect, socket.AF_INET6, ("2001:db8::1", 80))
FOUND["name"] = attempt(socket.gethostbyname, "example.org")
FOUND["datagram"] = attempt(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto, b"x", ("192.0.2.53", 53))
print(json.dumps(FOUND))
