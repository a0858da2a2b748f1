"""The last steps before bubblewrap, in a process of their own: private mounts, limits, and leaving root.

Started as `python -I -S stage.py FD` by the bubblewrap engine, with nothing of the host's environment. It
reads its plan from the descriptor, and answers on the same socket: `ok` with descriptors of the places that the
run can write, or `!`, the step that failed and why. Then it becomes bubblewrap.

Two things need a mount namespace of our own, outside bubblewrap's: a quota (a tmpfs of stated size, with the
code overlaid on it) and, for root, access to folders that the unprivileged user can't reach by path. It uses
the standard library alone, because it runs without any package in sight, and as little of that as it can, because
every run waits for its imports.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import signal
import socket
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict

    class Tmpfs(TypedDict):
        """A place in memory: how much it holds, in bytes and in files and folders."""

        path: str
        size_bytes: int
        entries: int

    class Bind(TypedDict):
        """A folder (or file) of the host, made reachable at another path."""

        source: str
        target: str

    class Plan(TypedDict):
        """What the stage has to do, in the order in which it does it.

        Paths are relative to `folder`, which keeps odd characters out of the overlay's options.

        Attributes:
            folder: the run's folder.
            parent: process id of the supervisor; the run ends with it.
            private: whether to make a mount namespace of our own; the next four are for that case.
            root: a folder that is covered by a small tmpfs, below which everything else is mounted.
            places: the writable places.
            folders: folders to make in them, with their mode, given to the run's user.
            code: the extracted zip; overlaid at `overlay`, changes going to `upper` (with `work` beside it).
            binds: what else of the host the run is shown.
            report: descriptors to send back: folders, in this order.
            cpus: processors to stay on; empty for all.
            limits: resource limits: number, soft and hard value.
            uid: the user to become; None to stay.
            argv: the program to become, and its arguments.
        """

        folder: str
        parent: int
        private: bool
        root: str
        places: list[Tmpfs]
        folders: dict[str, int]
        code: str
        overlay: str
        upper: str
        work: str
        binds: list[Bind]
        report: list[str]
        cpus: list[int]
        limits: list[tuple[int, int]]
        uid: int | None
        argv: list[str]


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _call("mount", *encoded, ctypes.c_ulong(flags), None if options is None else os.fsencode(options))


def _own_namespace() -> None:
    """Enter a mount namespace of our own; an ordinary user needs a user namespace around it."""
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWNS if uid == 0 else CLONE_NEWNS | CLONE_NEWUSER)
    if uid != 0:
        maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
        for name, text in maps.items():
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    _mount("none", "/", None, MS_REC | MS_PRIVATE)


def _private_places(plan: Plan) -> None:
    _own_namespace()
    _mount("tmpfs", plan["root"], "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=0755")
    for place in plan["places"]:
        os.mkdir(place["path"])
        options = f"size={place['size_bytes']},nr_inodes={place['entries']},mode=0755"
        _mount("tmpfs", place["path"], "tmpfs", MS_NOSUID | MS_NODEV, options)
    for folder, mode in plan["folders"].items():
        os.mkdir(folder)
        os.chmod(folder, mode)
        if plan["uid"] is not None:
            os.chown(folder, plan["uid"], plan["uid"])
    os.mkdir(plan["overlay"])
    layers = f"lowerdir={plan['code']},upperdir={plan['upper']},workdir={plan['work']}"
    extra = "" if os.geteuid() == 0 else ",userxattr"
    _mount("overlay", plan["overlay"], "overlay", MS_NOSUID | MS_NODEV, layers + extra)
    for bind in plan["binds"]:
        if os.path.isdir(bind["source"]):
            os.mkdir(bind["target"])
        else:
            os.close(os.open(bind["target"], os.O_CREAT | os.O_WRONLY))
        _mount(bind["source"], bind["target"], None, MS_BIND | MS_REC)


def _limit(plan: Plan) -> None:
    if plan["cpus"]:
        os.sched_setaffinity(0, plan["cpus"])
    for number, value in plan["limits"]:
        resource.setrlimit(number, (value, value))


def _leave_root(plan: Plan) -> None:
    if plan["uid"] is not None:
        os.setgroups([])
        os.setresgid(plan["uid"], plan["uid"], plan["uid"])
        os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    # The kernel forgets this on every change of user, so it comes last; bubblewrap sets it for itself again.
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != plan["parent"]:
        sys.exit(1)


def main(descriptor: int) -> None:
    """Read the plan, follow it, report, and become the program at its end."""
    control = socket.socket(fileno=descriptor)
    plan: Plan = marshal.load(control.makefile("rb"))  # noqa: S302 - our own words, from our own parent
    step = "private"
    try:
        os.umask(0o022)
        os.chdir(plan["folder"])
        if plan["private"]:
            _private_places(plan)
        places = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in plan["report"]]
        step = "limit"
        _limit(plan)
        step = "leave_root"
        _leave_root(plan)
        socket.send_fds(control, [b"ok"], places)
        step = "exec"
        control.set_inheritable(False)
        os.execv(plan["argv"][0], plan["argv"])
    except OSError as error:
        text = f"{error.strerror}{f': {error.filename}' if error.filename else ''}"
        control.sendall(f"!{step}!{text}".encode())
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
