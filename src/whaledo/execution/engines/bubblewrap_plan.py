"""What bubblewrap is told: pure functions from a run's order to plans and argument lists.

Nothing here touches the host but for a look at which system folders are links. `bubblewrap` carries it out.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from whaledo.environment.build import Environment
from whaledo.execution import contract, stage
from whaledo.execution.cgroups import ControlGroup
from whaledo.execution.contract import Network
from whaledo.execution.engines import inside
from whaledo.execution.engines.base import Order, processors
from whaledo.execution.records import Guarantee, Held, Level

SYSTEM_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True, slots=True)
class Places:
    """Where on the host (as the unprivileged user sees it) lies what the run is shown.

    Attributes:
        code, submission: writable; become /code_execution and its submission folder.
        tmp, shm: writable, of limited size; None lets bubblewrap make them.
        data: the public view.
        mounts: images and the like, by their name below the data folder.
        packages: the environment's `lib`.
        base: folder of the Python that the environment was made from; None where it lies below /usr.
    """

    code: str
    submission: str
    tmp: str | None
    shm: str | None
    data: str
    mounts: tuple[tuple[str, str], ...]
    packages: str
    base: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Descriptors:
    """Open files that bubblewrap is handed: small files of /etc by path, and the seccomp filter, if there is one."""

    files: Mapping[str, int]
    filter: int | None


def small_files(base_python: Path) -> dict[str, str]:
    """The files that are made up rather than shown: path to content."""
    return {
        **inside.system_files(contract.USER_ID, contract.USER_ID),
        f"{contract.PYTHON_FOLDER}/pyvenv.cfg": f"home = {base_python.parent}\n"
        "include-system-site-packages = false\n",
    }


def arguments(order: Order, environment: Environment, places: Places, descriptors: Descriptors) -> list[str]:
    """Bubblewrap's options for one run: a pure function, tested without bubblewrap."""
    limits, venv = order.limits, contract.PYTHON_FOLDER
    user = str(contract.USER_ID)
    args = ["--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    args += ["--unshare-cgroup", *(["--unshare-net"] if order.network is Network.NONE else [])]
    args += ["--die-with-parent", "--new-session", "--uid", user, "--gid", user, "--cap-drop", "ALL"]
    args += ["--hostname", contract.HOSTNAME, "--clearenv"]
    args += ["--ro-bind", "/usr", "/usr", *_system_folders(Path("/"))]
    for folder in ("/etc", "/opt", venv):
        args += ["--perms", "0755", "--dir", folder]
    args += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    args += ["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"]
    if order.network is Network.HOST:
        for shown in ("/etc/resolv.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki"):
            args += ["--ro-bind-try", shown, shown]
    args += ["--proc", "/proc", "--dev", "/dev", *_sized("/dev/shm", places.shm, limits.shm_bytes)]  # noqa: S108
    args += ["--remount-ro", "/dev", *_sized("/tmp", places.tmp, limits.disk_bytes)]  # noqa: S108
    if places.base is not None:
        args += ["--ro-bind", *places.base]
    args += ["--ro-bind", places.packages, f"{venv}/lib"]
    args += ["--symlink", str(environment.base_python), f"{venv}/bin/python"]
    for path, descriptor in descriptors.files.items():
        args += ["--perms", "0444", "--ro-bind-data", str(descriptor), path]
    args += ["--bind", places.code, contract.HOME, "--ro-bind", places.data, contract.DATA]
    for name, source in places.mounts:
        args += ["--ro-bind", source, f"{contract.DATA}/{name}"]
    args += ["--bind", places.submission, contract.SUBMISSION, "--remount-ro", "/"]
    args += ["--chdir", contract.HOME]
    for name, value in contract.ENVIRONMENT.items():
        args += ["--setenv", name, value]
    if descriptors.filter is not None:
        args += ["--seccomp", str(descriptors.filter)]
    return args


def _system_folders(root: Path) -> list[str]:
    """`/bin` and its like: links into /usr where the system merged them, shown as they are where not."""
    args = []
    for name in SYSTEM_FOLDERS:
        path = root / name
        if path.is_symlink():
            args += ["--symlink", str(path.readlink()), f"/{name}"]
        elif path.is_dir():
            args += ["--ro-bind", str(path), f"/{name}"]
    return args


def _sized(target: str, place: str | None, size_bytes: int) -> list[str]:
    if place is not None:
        return ["--bind", place, target]
    return ["--size", str(size_bytes), "--perms", "1777", "--tmpfs", target]


def command(process_limit: int | None) -> list[str]:
    """What bubblewrap starts: `main.py`, below a process limit of its own where no control group has one.

    The limit is set inside the run's user namespace, where the kernel counts this run's processes alone.
    """
    python = list(inside.MAIN_COMMAND)
    prlimit = Path("/usr/bin/prlimit")
    if process_limit is None or not prlimit.exists():
        return python
    return [str(prlimit), f"--nproc={process_limit}:{process_limit}", *python]


def find_places(order: Order, environment: Environment, *, private: bool) -> tuple[Places, list[stage.Bind]]:
    """Where everything lies that the run is shown, and what of it the stage must first make reachable."""
    workspace = order.workspace
    staged = workspace.stage if private else None
    binds: list[stage.Bind] = []

    def reachable(path: Path) -> str:
        if staged is None or os.geteuid() != 0:
            return str(path)
        binds.append({"source": str(path), "target": f"stage/bind-{len(binds)}"})
        return str(workspace.folder / binds[-1]["target"])

    base = environment.base_prefix
    return Places(
        code=str(staged / "overlay" if staged else workspace.code),
        submission=str(staged / "box/submission" if staged else workspace.submission),
        tmp=str(staged / "box/tmp") if staged else None,
        shm=str(staged / "shm/shm") if staged else None,
        data=str(workspace.data),
        mounts=tuple((name, reachable(path)) for name, path in order.mounts),
        packages=reachable(environment.folder / "lib"),
        base=None if base.is_relative_to("/usr") else (reachable(base), str(base)),
    ), binds


def stage_plan(
    order: Order,
    argv: Sequence[str],
    binds: list[stage.Bind],
    group: ControlGroup | str,
    *,
    private: bool,
) -> stage.Plan:
    """What the stage does before it becomes `argv`.

    Args:
        order: the run.
        argv: the program that the stage becomes, with its arguments.
        binds: what the stage makes reachable first.
        group: the run's control group, or why it has none.
        private: whether the stage makes a mount namespace with places of limited size.
    """
    limits, uid, entries = order.limits, order.workspace.uid, contract.WRITABLE_ENTRIES
    open_files = min(contract.OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    has_quota = not isinstance(group, str) and group.limits_cpus
    return {
        "folder": str(order.workspace.folder),
        "parent": os.getpid(),
        "private": private,
        "root": "stage",
        "places": [
            {"path": "stage/box", "size_bytes": limits.disk_bytes, "entries": entries},
            {"path": "stage/shm", "size_bytes": limits.shm_bytes, "entries": entries},
        ],
        "folders": {
            "stage/box/upper": 0o755,
            "stage/box/work": 0o755,
            "stage/box/submission": 0o755,
            "stage/box/tmp": 0o1777,
            "stage/shm/shm": 0o1777,
        },
        "code": "code",
        "overlay": "stage/overlay",
        "upper": "stage/box/upper",
        "work": "stage/box/work",
        "binds": binds,
        "report": ["stage/box/submission", "stage/box", "stage/shm"] if private else ["submission"],
        "cpus": processors(limits.cpus) if limits.cpus is not None and not has_quota else [],
        "limits": [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, max(limits.disk_bytes, limits.shm_bytes)),
            (resource.RLIMIT_NOFILE, open_files),
        ],
        "uid": uid if os.geteuid() == 0 else None,
        "argv": list(argv),
    }


def guarantees(
    order: Order, *, private_refused: str, group: ControlGroup | str, seccomp: str | None
) -> dict[Guarantee, Held]:
    """How far each guarantee holds: a pure function of what could be set up.

    Args:
        order: the run.
        private_refused: why there is no mount namespace with a quota; empty where there is.
        group: the run's control group, or why it has none.
        seccomp: digest of the seccomp filter; None where there is none for this processor.
    """
    enforced, best_effort = Level.ENFORCED, Level.BEST_EFFORT
    kind = "" if isinstance(group, str) else group.kind
    held = {
        Guarantee.NETWORK: Held(enforced, "a network namespace of its own"),
        Guarantee.FILES: Held(enforced, "a mount namespace of its own, read-only binds"),
        Guarantee.PROCESSES: Held(enforced, "a process namespace of its own"),
        Guarantee.PRIVILEGES: Held(enforced, "an unprivileged user, no capabilities, no_new_privs"),
        Guarantee.SYSTEM_CALLS: Held(enforced, f"seccomp filter {(seccomp or '')[:12]}"),
        Guarantee.WALL_TIME: Held(enforced, "the first process of the namespace is killed, and all with it"),
        Guarantee.MEMORY: Held(enforced, kind),
        Guarantee.PROCESS_COUNT: Held(enforced, kind),
        Guarantee.CPUS: Held(enforced, kind if order.limits.cpus else "no limit was asked for"),
        Guarantee.DISK: Held(enforced, "a tmpfs of the limit's size"),
        Guarantee.LOG: Held(enforced, "what is past the limit is counted and dropped"),
    }
    if order.network is Network.HOST:
        held[Guarantee.NETWORK] = Held(Level.NOT_ENFORCED, "the host's network was asked for")
    if seccomp is None:
        held[Guarantee.SYSTEM_CALLS] = Held(Level.NOT_ENFORCED, "no seccomp filter for this processor")
    if isinstance(group, str):
        held[Guarantee.MEMORY] = Held(best_effort, f"looked at ten times a second; {group}")
        held[Guarantee.PROCESS_COUNT] = Held(enforced, "a resource limit in the run's user namespace")
        if len(command(1)) == len(command(None)):
            held[Guarantee.PROCESS_COUNT] = Held(Level.NOT_ENFORCED, f"no prlimit on this host; {group}")
    if order.limits.cpus and (isinstance(group, str) or not group.limits_cpus):
        why = group if isinstance(group, str) else f"{kind} without a cpu controller"
        held[Guarantee.CPUS] = Held(best_effort, f"processor affinity, which code can undo; {why}")
    if private_refused:
        why = f"looked at now and then; no mount namespace for a quota: {private_refused}"
        held[Guarantee.DISK] = Held(best_effort, why)
    return held


_APPARMOR = (
    "Ubuntu restricts user namespaces with AppArmor: `apt install apparmor-profiles`, copy "
    "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict to /etc/apparmor.d/, and load it with "
    "`apparmor_parser -r`"
)
_HINTS = {
    "RTM_NEWADDR": _APPARMOR,
    "setting up uid map": _APPARMOR,
    "No permissions to create": "allow user namespaces: `sysctl kernel.unprivileged_userns_clone=1`",
    "/proc/sys/user/max_": "allow user namespaces: `sysctl user.max_user_namespaces=15000`",
    "mount proc": "whaledo runs inside a container that hides /proc; run it on the host itself",
    "Unknown option": "this bubblewrap is older than 0.8; install a newer one",
}


def hint(text: str) -> str:
    """The way out of a known failure of bubblewrap, from what it printed; empty where none is known."""
    return next((way_out for sign, way_out in _HINTS.items() if sign in text), "")
