"""Which means of making a control group a host has for us: a pure function of facts about the host.

Root makes groups where it likes, but where systemd runs the tree is systemd's, so it is asked for a part of it.
An ordinary user may only divide what a manager has handed over: the systemd of their own session.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

V1_CONTROLLERS = ("memory", "pids", "cpuacct")
"""What limits and counts need of version 1; `cpu` comes on top where processors are limited."""

UNIFIED = ""
"""The name that cgroups(7) gives to version 2 among the controllers of version 1."""


@dataclass(frozen=True, slots=True)
class Host:
    """What decides about control groups.

    Attributes:
        mounts: `/proc/self/mounts`.
        groups: `/proc/self/cgroup`.
        uid: the user that we act as.
        systemd: whether systemd runs this host.
        systemd_run: path of its `systemd-run`; None where there is none.
        runtime_folder: where this user's own systemd listens; None where it doesn't run.
    """

    mounts: str
    groups: str
    uid: int
    systemd: bool
    systemd_run: str | None
    runtime_folder: str | None


@dataclass(frozen=True, slots=True)
class Trees:
    """Version 1: a group in each controller's own tree.

    Attributes:
        parents: the group that ours is made in, by controller.
    """

    parents: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Top:
    """Version 2, and nobody else who manages it: a group below the top of the tree."""

    top: Path


@dataclass(frozen=True, slots=True)
class Systemd:
    """Version 2, managed by systemd: a scope that it hands over to us.

    Attributes:
        top: where the tree is mounted.
        command: `systemd-run`, addressed to the right manager.
        environment: all that it needs of variables.
    """

    top: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]


def look_at_host() -> Host:
    """Collect the facts about this host."""
    uid = os.geteuid()
    folders = (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{uid}")  # the second also without a login
    return Host(
        mounts=Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace"),
        groups=Path("/proc/self/cgroup").read_text(encoding="utf-8"),
        uid=uid,
        systemd=Path("/run/systemd/system").is_dir(),
        systemd_run=shutil.which("systemd-run"),
        runtime_folder=next((f for f in folders if f and os.access(f"{f}/systemd/private", os.W_OK)), None),
    )


def choose(host: Host) -> Trees | Top | Systemd | str:
    """Choose the means; where there is none, say why in half a sentence."""
    mounts, own = mounted_controllers(host.mounts), own_groups(host.groups)
    if "memory" in mounts:
        if host.uid != 0:
            return "this host has cgroup v1, where only root may make one"
        if missing := [controller for controller in V1_CONTROLLERS if controller not in mounts]:
            return f"this host has cgroup v1 without {' and '.join(missing)}"
        wanted = [controller for controller in (*V1_CONTROLLERS, "cpu") if controller in mounts]
        return Trees({c: Path(mounts[c] + own.get(c, "/")) for c in wanted})
    if UNIFIED not in mounts:
        return "no control groups are mounted here"
    top = Path(mounts[UNIFIED])
    if host.systemd and host.systemd_run is not None:
        return _ask_systemd(host, top, host.systemd_run)
    if host.uid != 0:
        return "only systemd could give an ordinary user one, and it doesn't run here"
    return Top(top)


def _ask_systemd(host: Host, top: Path, systemd_run: str) -> Systemd | str:
    if host.uid == 0:
        return Systemd(top, (systemd_run,), {})
    if host.runtime_folder is None:
        return f"this user has no systemd session; `loginctl enable-linger {host.uid}`, as root, starts one for good"
    return Systemd(top, (systemd_run, "--user"), {"XDG_RUNTIME_DIR": host.runtime_folder})


def mounted_controllers(mounts: str) -> dict[str, str]:
    """Map each version-1 controller to where it's mounted, and `UNIFIED` to where version 2 is."""
    found: dict[str, str] = {}
    for line in mounts.splitlines():
        _, where, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            found.setdefault(UNIFIED, where)
        elif kind == "cgroup":
            found.update(dict.fromkeys(options.split(","), where))
    return found


def own_groups(text: str) -> dict[str, str]:
    """Map each controller to the group that a process is in: `/proc/PID/cgroup`, cgroups(7)."""
    groups = {}
    for line in text.splitlines():
        _, controllers, group = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), group))
    return groups
