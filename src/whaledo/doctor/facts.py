"""The facts about a host that decide which line mends it.

None of them decides whether a guarantee holds: that is what the probe is for. They only tell apart the causes
that one symptom can have, and are read where the kernel and the system's own files have them.
"""

from __future__ import annotations

import os
import platform
import pwd
import resource
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from whaledo.environment.accelerator import Gpu, find_gpu
from whaledo.execution.cgroups.means import UNIFIED, mounted_controllers
from whaledo.resources import state_folder

_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is the case on a host.

    Attributes:
        system: `Linux`, `Darwin`, `Windows`.
        machine: the processor, as platform.machine() says.
        kernel: the kernel's release.
        wsl: whether it is Linux inside Windows.
        container: whether a container engine has left its mark on this system: we are inside a container ourselves.
        uid: the user that we act as.
        user: that user's name; the number where it has none.
        cgroups: `v1`, `v2`, or empty where none are mounted.
        session: whether this user's own systemd runs.
        apparmor_restricts: whether AppArmor restricts unprivileged user namespaces (Ubuntu).
        subordinate_ids: whether this user has ranges in /etc/subuid and /etc/subgid.
        open_files: the most open files that a process may be given; None: any number.
        file_size_bytes: the largest file that it may write; None: any size.
        free_bytes: room on the disk where runs and environments are kept.
        state: that folder.
        now_s, made_s: the clock, and when the newest file of this installation was written; seconds since 1970.
        gpu: the first NVIDIA GPU.
        gpu_toolkit: whether the program that shows GPUs to containers is there.
    """

    system: str = "Linux"
    machine: str = "x86_64"
    kernel: str = ""
    wsl: bool = False
    container: bool = False
    uid: int = 1000
    user: str = "me"
    cgroups: str = "v2"
    session: bool = True
    apparmor_restricts: bool = False
    subordinate_ids: bool = True
    open_files: int | None = None
    file_size_bytes: int | None = None
    free_bytes: int = 2**40
    state: str = ""
    now_s: float = 0.0
    made_s: float = 0.0
    gpu: Gpu | None = None
    gpu_toolkit: bool = False


def collect_facts() -> Facts:
    """Look at this host."""
    uid = os.geteuid()
    release = platform.release()
    mounts = mounted_controllers(_read("/proc/self/mounts"))
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}"
    state = state_folder()
    return Facts(
        system=platform.system(),
        machine=platform.machine(),
        kernel=release,
        wsl="microsoft" in release.lower(),
        container=any(Path(mark).exists() for mark in _CONTAINER_MARKS),
        uid=uid,
        user=_user(uid),
        cgroups="v1" if "memory" in mounts else "v2" if UNIFIED in mounts else "",
        session=os.access(f"{runtime}/systemd/private", os.W_OK),
        apparmor_restricts=_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").strip() == "1",
        subordinate_ids=all(_has_range(file, uid) for file in ("/etc/subuid", "/etc/subgid")),
        open_files=_limit(resource.RLIMIT_NOFILE),
        file_size_bytes=_limit(resource.RLIMIT_FSIZE),
        free_bytes=_free(state),
        state=str(state),
        now_s=time.time(),
        made_s=max(file.stat().st_mtime for file in Path(__file__).parents[1].glob("*.py")),
        gpu=find_gpu(),
        gpu_toolkit=any(map(shutil.which, ("nvidia-container-runtime", "nvidia-ctk"))),
    )


def _read(path: str) -> str:
    """The text of a file of the system; nothing where it isn't there."""
    with suppress(OSError):
        return Path(path).read_text("utf-8", errors="replace")
    return ""


def _user(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _has_range(file: str, uid: int) -> bool:
    return any(line.partition(":")[0] in (_user(uid), str(uid)) for line in _read(file).splitlines())


def _limit(which: int) -> int | None:
    hard = resource.getrlimit(which)[1]
    return None if hard in (resource.RLIM_INFINITY, sys.maxsize) else hard


def _free(folder: Path) -> int:
    """Room where a folder is, or where it would be made."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free
