"""Memory, process and processor limits of a whole run, enforced and counted by the kernel.

`control_group` takes what the host has for us: version 1 or 2 of control groups, as root or as an ordinary
user (`means` says which). Where there is none to be had it returns the reason, and the engine watches the
process tree instead.
"""

from __future__ import annotations

from dataclasses import replace

from whaledo.execution.cgroups.base import ControlGroup, Unavailable
from whaledo.execution.cgroups.means import Systemd, Top, Trees, choose, look_at_host
from whaledo.execution.cgroups.scope import Scope
from whaledo.execution.cgroups.v1 import V1, remove_v1
from whaledo.execution.cgroups.v2 import V2, make_below_top, remove_below_top
from whaledo.execution.contract import Limits

__all__ = ["ControlGroup", "control_group", "missing_group", "remove_group"]


def control_group(name: str, limits: Limits, pid: int) -> ControlGroup | str:
    """Make a control group with these limits and move a process into it, or say why this host has none for us.

    Args:
        name: a name that no other run has.
        limits: the limits.
        pid: a child of ours that is waiting; everything that it starts from now on is in the group too.
    """
    try:
        group = _make(name, limits)
    except (OSError, Unavailable) as error:
        return _reason(error)
    try:
        group.admit(pid)
    except BaseException as error:
        group.close()
        if isinstance(error, OSError | Unavailable):
            return _reason(error)
        raise
    return group


def missing_group(uid: int) -> str:
    """Why this host has no control group for runs of a user, in half a sentence; empty where it has one."""
    means = choose(replace(look_at_host(), uid=uid))
    return means if isinstance(means, str) else ""


def _reason(error: OSError | Unavailable) -> str:
    why = f"{error.strerror} ({error.filename})" if isinstance(error, OSError) else str(error)
    return f"no control group: {why}"


def _make(name: str, limits: Limits) -> ControlGroup:
    means = choose(look_at_host())
    match means:
        case Trees():
            return V1(name, limits, means.parents)
        case Top():
            return make_below_top(means.top, name, limits)
        case Systemd():
            scope = Scope(name, means)
            return V2(scope.run_group, limits, scope)
        case _:
            raise Unavailable(means)


def remove_group(name: str) -> None:
    """Remove the control group of a run whose whaledo was killed, with whatever is still in it.

    What systemd handed over it takes back by itself.
    """
    means = choose(look_at_host())
    if isinstance(means, Trees):
        remove_v1(name, means.parents)
    elif isinstance(means, Top):
        remove_below_top(means.top, name)
