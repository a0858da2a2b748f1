# ruff: noqa: D103, PTH107, PTH123, PTH207, PTH208, S108
# It runs as a submission and stands for a hostile one: in the terms of the system, the run's own /tmp among them.
# What each attack does stands in words above it.
"""The main.py that the doctor runs behind the walls: it tries to break every promise, and prints what came of it.

`bait.json` beside it names the trial, its limits, and what the host holds out. It stands on the standard library
alone and is bounded in all that it does, because where a wall is missing it runs on the bare host. With the
argument `control` it is started outside: attacks that harm nothing and fail there too prove nothing about walls.
"""

from __future__ import annotations

import ctypes
import fcntl
import glob
import json
import mmap
import os
import platform
import resource
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

BAIT: dict[str, Any] = json.loads(Path(__file__).with_name("bait.json").read_text("utf-8"))
SECRET: str = BAIT["secret"]
MIB = 1024**2

Attack = Callable[[], object]
ATTACKS: list[tuple[str, str, bool, Attack]] = []


class Refused(Exception):
    """The attack didn't get what it was after."""


def attack(guarantee: str, what: str, *, harmless: bool = False) -> Callable[[Attack], Attack]:
    """Register an attack: it succeeds by returning what it saw, and fails by any exception."""

    def register(function: Attack) -> Attack:
        ATTACKS.append((guarantee, what, harmless, function))
        return function

    return register


def look(*, control: bool) -> list[dict[str, object]]:
    """Try every attack; outside, only those that harm nothing."""
    came = []
    for guarantee, what, harmless, function in ATTACKS:
        if control and not harmless:
            continue
        try:
            broke, saw = True, str(function() or "it worked")
        except Exception as error:
            broke, saw = False, str(error) or type(error).__name__
        came.append({"guarantee": guarantee, "what": what, "broke": broke, "saw": saw[:200]})
    return came


def secret_in(paths: list[str]) -> str:
    """The first of these files that tells the secret."""
    for path in paths:
        with suppress(OSError):
            if SECRET.encode() in Path(path).read_bytes():
                return f"read it in {path}"
    raise Refused("out of sight")


def answers(family: int, address: Any) -> str:
    """Connect to a server of the host, which says the secret; anybody else's server doesn't."""
    with socket.socket(family, socket.SOCK_STREAM) as plug:
        plug.settimeout(1)
        plug.connect(address)
        if SECRET.encode() not in plug.recv(100):
            raise Refused("somebody else answers")
    return f"connected to {address!r}"


@attack("network", "reach a server on this host", harmless=True)
def host_server() -> str:
    last: Exception = Refused("no address")
    for address in BAIT["addresses"]:
        try:
            return answers(socket.AF_INET6 if ":" in address else socket.AF_INET, (address, BAIT["port"]))
        except (OSError, Refused) as error:
            last = error
    raise last


@attack("network", "reach an abstract socket of this host", harmless=True)
def abstract_socket() -> str:
    return answers(socket.AF_UNIX, f"\0{BAIT['abstract']}")


def route(family: int, address: str) -> str:
    """Connecting a datagram socket sends nothing; it only needs a way out."""
    with socket.socket(family, socket.SOCK_DGRAM) as plug:
        plug.connect((address, 53))
        return f"there is a way out, from {plug.getsockname()[0]}"


@attack("network", "find a way out over IPv4", harmless=True)
def route_4() -> str:
    return route(socket.AF_INET, "192.0.2.1")


@attack("network", "find a way out over IPv6", harmless=True)
def route_6() -> str:
    return route(socket.AF_INET6, "2001:db8::1")


@attack("network", "look a name up")
def name() -> str:
    os.environ["RES_OPTIONS"] = "timeout:1 attempts:1"
    return str(socket.getaddrinfo("example.org", 80)[0][4])


@attack("files", "read a file of this host", harmless=True)
def host_file() -> str:
    path = BAIT["file"]
    return secret_in([path, f"/proc/1/root{path}", f"/proc/self/cwd/../../../../..{path}"])


@attack("files", "read a file that whaledo has open")
def open_file() -> str:
    return secret_in([f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd") if int(name) > 2])


@attack("files", "read the variables of whaledo's environment", harmless=True)
def variables() -> str:
    return secret_in(glob.glob("/proc/[0-9]*/environ"))


@attack("files", "read the labels in the data folder")
def labels() -> str:
    return secret_in(["data/labels.csv"])


@attack("files", "talk to a socket of this host", harmless=True)
def host_socket() -> str:
    return answers(socket.AF_UNIX, BAIT["socket"])


@attack("files", "talk to Docker, D-Bus or systemd")
def known_sockets() -> str:
    paths = (
        "/run/docker.sock",
        "/var/run/docker.sock",
        "/run/podman/podman.sock",
        "/run/dbus/system_bus_socket",
    )
    for path in (*paths, "/run/systemd/private"):
        with suppress(OSError), socket.socket(socket.AF_UNIX) as plug:
            plug.connect(path)
            return f"connected to {path}"
    raise Refused("none is there")


@attack("files", "change the data")
def change_data() -> str:
    with suppress(OSError):
        os.close(os.open("data/metadata.csv", os.O_WRONLY))
        return "metadata.csv can be written"
    os.remove(BAIT["image"])
    return "removed an image"


@attack("files", "write outside of the run's own places")
def write_outside() -> str:
    for folder in (
        "/",
        "/usr",
        "/usr/bin",
        "/etc",
        "/opt",
        "/opt/venv",
        "/dev",
        "/var",
        "/var/tmp",
        "/home",
        "/sys",
    ):
        with suppress(OSError):
            path = Path(folder, SECRET)
            path.write_text("")
            path.unlink()
            return f"wrote to {folder}"
    raise Refused("nowhere")


@attack("files", "find a disk among the devices", harmless=True)
def disks() -> str:
    for path in glob.glob("/dev/*"):
        with suppress(OSError):
            if stat.S_ISBLK(os.lstat(path).st_mode):
                return f"{path} is there"
    raise Refused("none is there")


@attack("processes", "see a process of this host", harmless=True)
def host_process() -> str:
    return secret_in(glob.glob("/proc/[0-9]*/cmdline"))


@attack("processes", "signal a process of this host", harmless=True)
def signal_process() -> str:
    os.kill(BAIT["pid"], 0)
    return "the kernel would deliver it"


@attack("processes", "kill a process of this host")
def kill_process() -> None:
    if BAIT["pid"] != os.getpid():
        os.kill(BAIT["pid"], signal.SIGKILL)
    raise Refused("this one can only be told from outside")


libc = ctypes.CDLL(None, use_errno=True)


def called(function: str, *arguments: Any) -> str:
    """Call the C library; the kernel's refusal is an exception."""
    ctypes.set_errno(0)
    if getattr(libc, function)(*arguments) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return f"{function} worked"


STATUS = dict(
    line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
)


@attack("privileges", "have a capability")
def capability() -> str:
    for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(STATUS[each], 16):
            return f"{each} is {STATUS[each].strip()}"
    raise Refused("none")


@attack("privileges", "gain privileges by starting a program")
def new_privileges() -> str:
    if STATUS["NoNewPrivs"].strip() == "1":
        raise Refused("no_new_privs is set")
    return "no_new_privs isn't set"


@attack("privileges", "become root")
def become_root() -> str:
    if os.getuid() == 0:
        raise Refused("is called root already; who that is on the host is looked at from there")
    os.setuid(0)
    return "setuid(0) worked"


@attack("privileges", "leave a setuid file")
def setuid_file() -> str:
    path = Path("/tmp/setuid")
    path.write_text("")
    path.chmod(0o4755)
    return "it can be made"


@attack("privileges", "make a user namespace")
def user_namespace() -> str:
    return called("unshare", 0x10000000)


@attack("privileges", "mount a file system")
def mount() -> str:
    return called("mount", b"none", b"/tmp", b"tmpfs", 0, None)


@attack("privileges", "make a device")
def device() -> str:
    os.mknod("/tmp/device", 0o060600, os.makedev(254, 0))
    return "it can be made"


@attack("privileges", "change a setting of the kernel")
def kernel_setting() -> str:
    path = Path("/proc/sys/kernel/core_pattern")
    path.write_text(path.read_text())
    return f"{path} can be written"


@attack("privileges", "trace the first process")
def trace() -> str:
    called("ptrace", 16, 1, 0, 0)
    os.waitpid(1, 0x40000000)
    called("ptrace", 17, 1, 0, 0)  # or it would stand still, and the run never end
    return "it stood still"


CALLS = {
    "add_key": (248, 217), "keyctl": (250, 219), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "process_vm_readv": (310, 270), "setns": (308, 268),
    "open_by_handle_at": (304, 265), "kexec_load": (246, 104), "init_module": (175, 105), "fsopen": (430, 430),
    "pidfd_getfd": (438, 438), "unshare": (272, 97), "pivot_root": (155, 41), "quotactl": (179, 60),
}  # fmt: skip
"""Calls that are refused, by their numbers on x86_64 and aarch64; the kernel's unistd.h."""

REFUSALS = {"EPERM", "ENOSYS", "EACCES", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"}
"""Any other error means that the kernel looked at what it was asked."""


def refused(error: OSError) -> bool:
    import errno

    return errno.errorcode.get(error.errno or 0) in REFUSALS


@attack("system_calls", "run without a filter")
def filtered() -> str:
    if STATUS["Seccomp"].strip() == "2":
        raise Refused("a filter is set")
    return "no filter is set"


@attack("system_calls", f"call {len(CALLS)} interfaces that research code doesn't need")
def calls() -> str:
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    through = []
    for name_of_call, numbers in CALLS.items():
        try:
            called("syscall", ctypes.c_long(numbers[column]), *[ctypes.c_long(-1)] * 5)
            through.append(name_of_call)
        except OSError as error:
            if not refused(error):
                through.append(f"{name_of_call} ({error.strerror})")
    if not through:
        raise Refused("all are refused")
    return f"the kernel takes {', '.join(through)}"


@attack("system_calls", "open sockets that no namespace closes")
def sockets() -> str:
    kinds = {"AF_VSOCK": (40, 1, 0), "AF_ALG": (38, 5, 0), "AF_PACKET": (17, 3, 0), "raw IP": (2, 3, 1)}
    for title, kind in kinds.items():
        with suppress(OSError), socket.socket(*kind):
            return f"{title} can be opened"
    raise Refused("all are refused")


@attack("system_calls", "type into a terminal")
def terminal() -> str:
    try:
        fcntl.ioctl(1, 0x5412, b"x")
    except OSError as error:
        if refused(error):
            raise
        return f"the kernel looked at it: {error.strerror}"
    return "TIOCSTI works"


def end() -> None:
    """Print more than is kept, leave a daemon behind, ignore every signal, and never end."""
    Path("/proc/self/comm").write_text(BAIT["token"])
    for number in signal.valid_signals():
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
    else:
        for _ in range(BAIT["printed_bytes"] // 1024):
            os.write(1, b"x" * 1023 + b"\n")
    time.sleep(BAIT["patience_s"])


def fill_memory(way: int, size: int) -> object:
    """Take memory in one of four ways: of a process (twice), of an anonymous file, of shared memory."""
    if way < 2:
        return bytearray(b"x") * size
    try:
        fd = os.memfd_create("x") if way == 2 else os.open("/dev/shm/x", os.O_RDWR | os.O_CREAT)
    except OSError:  # refused where memory is only looked at
        return bytearray(b"x") * size
    os.ftruncate(fd, size)
    with mmap.mmap(fd, size) as view:
        for _ in range(size // MIB):
            view.write(b"x" * MIB)
    return fd


def memory() -> None:
    """Children that each stay below the limit take three times as much together."""
    share = BAIT["memory_bytes"] * 3 // 4
    told, tell = os.pipe()
    wait, hold = os.pipe()
    waiting = {}
    for way in range(4):
        if (child := os.fork()) == 0:
            os.close(hold)
            kept = fill_memory(way, share)
            os.write(tell, bytes([way]))
            os.read(wait, 1)
            os._exit(kept is None)
        waiting[way] = child
    alive = dict(waiting)
    filled: set[int] = set()
    os.set_blocking(told, False)
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline and set(alive) - filled:
        with suppress(BlockingIOError):
            filled.update(os.read(told, 8))
        alive = living(alive)
        time.sleep(0.02)
    time.sleep(BAIT["pause_s"])
    held = filled & set(living(alive))
    print(json.dumps({"held_bytes": len(held) * share, "ways": sorted(held)}), flush=True)
    os.close(hold)


def living(children: dict[int, int]) -> dict[int, int]:
    """Those of these children that haven't ended."""
    return {way: pid for way, pid in children.items() if os.waitpid(pid, os.WNOHANG)[0] == 0}


def crowd() -> None:
    """Four times as many processes and threads as allowed, each as busy as it can be, on every processor."""
    children: list[int] = []
    threads = 0
    began = time.monotonic()
    with suppress(OSError):
        for _ in range(BAIT["processes"] * 4):
            if (child := os.fork()) == 0:
                with suppress(OSError):
                    os.sched_setaffinity(0, range(os.cpu_count() or 1))
                while time.monotonic() < began + 5:
                    pass
                os._exit(0)
            children.append(child)
    with suppress(RuntimeError):
        for _ in range(BAIT["processes"] * 4):
            threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
            threads += 1
    time.sleep(BAIT["pause_s"])
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    wall_s = time.monotonic() - began
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "at_once": 1 + len(children) + threads,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": wall_s,
    }
    print(json.dumps(figures), flush=True)
    os._exit(0)


def without_walls() -> bool:
    """Whether the host's files are in sight: nobody wants their own /tmp filled, and worse is known already."""
    return Path(BAIT["file"]).exists()


def disk() -> None:
    """Fill every place that can be written, each beyond what all of them may hold."""
    if without_walls():
        return
    written = 0
    for number, folder in enumerate((".", "submission", "/tmp")):
        with suppress(OSError), open(f"{folder}/filler{number}", "wb", buffering=0) as file:
            for _ in range(BAIT["disk_bytes"] * 3 // 2 // MIB):
                written += file.write(b"x" * MIB)
    time.sleep(BAIT["pause_s"])
    print(json.dumps({"written_bytes": written}), flush=True)


def files() -> None:
    """Make more files than allowed, of no size at all."""
    if without_walls():
        return
    made, deadline = 0, time.monotonic() + BAIT["within_s"]
    with suppress(OSError):
        os.chdir("/tmp")
        while made < BAIT["entries"] + 1000 and time.monotonic() < deadline:
            os.mknod(str(made))
            made += 1
    time.sleep(BAIT["pause_s"])
    print(json.dumps({"made": made, "gave_up": time.monotonic() > deadline + BAIT["pause_s"]}), flush=True)


TRIALS: dict[str, Callable[[], None]] = {
    "look": lambda: print(json.dumps({"attacks": look(control=False)}), flush=True),
    "end": end,
    "memory": memory,
    "crowd": crowd,
    "disk": disk,
    "files": files,
}

if __name__ == "__main__":
    if sys.argv[1:] == ["control"]:
        print(json.dumps({"attacks": look(control=True)}))
    else:
        TRIALS[BAIT["trial"]]()
