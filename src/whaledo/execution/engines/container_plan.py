"""What Docker and Podman are told: pure functions from a run's order to argument lists and guarantees.

Nothing here touches the host. The two take the same options but for a few, which stand side by side here with
the reason; `containers` carries the plan out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from whaledo.environment.containers import DOCKER, PODMAN
from whaledo.execution import contract
from whaledo.execution.cgroups.observe import Observed
from whaledo.execution.contract import Network
from whaledo.execution.engines.base import Order
from whaledo.execution.engines.inside import MAIN_COMMAND
from whaledo.execution.records import Guarantee, Held, Level
from whaledo.execution.seccomp import profile_path

WIRES = "/run/whaledo"
"""Where a container finds the pipes that lead to its supervisor."""

LOG_PIPE, STATUS_PIPE, GO_PIPE = "log", "status", "go"
UP = b"up\n"
"""What the first process of a container says on its status pipe; what comes after it is that `main.py` has ended."""

FIRST_PROCESS = f"""\
trap : HUP INT QUIT TERM
exec 3>{WIRES}/{STATUS_PIPE}
echo up >&3
read -r _ <{WIRES}/{GO_PIPE}
"$@" </dev/null >{WIRES}/{LOG_PIPE} 2>&1 3>&-
status=$?
echo over >&3
read -r _ <{WIRES}/{GO_PIPE}
exit $status
"""
"""The first process of a container, in /bin/sh, which also reaps whatever is left without a parent.

It isn't ended by an interrupt, which any process of the run can send. Output goes straight into our pipe: on its
way through the engine's daemon it would take ten times as long. It waits for us twice: before `main.py`, until we
have found it, because nobody else can be taken for it then, and after, until its control group, which goes with
it, has been read.
"""

PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
"""Docker's own settings may put these, with passwords in them, into every container."""

NAME_PREFIX = "whaledo-"
LABEL = "whaledo.run"

SPARE_PROCESSES = 4096
"""Podman sets this limit higher than an ordinary user may; it counts a user's processes, so it must be generous.

In a user namespace, which rootless Podman makes, it counts those of the container alone, and may be exact.
"""


@dataclass(frozen=True, slots=True)
class Host:
    """What of this host decides how a container is started.

    Attributes:
        client: `docker` or `podman`.
        rootless: whether the engine itself is an ordinary user.
        remapped: whether Docker gives containers other user numbers than the host's (userns-remap).
        native: whether containers run on this machine's own kernel, so that pipes and counters are in reach.
        selinux: whether SELinux would keep a container from our folders.
        ipv6: whether the kernel has IPv6, so that its settings can be named.
        counts: whether a control group will count a container's memory, as far as that shows before it's there.
        caller: number of the user and of the group that the run's files belong to.
    """

    client: str
    rootless: bool
    remapped: bool
    native: bool
    selinux: bool
    ipv6: bool
    counts: bool
    caller: tuple[int, int]

    @property
    def inside(self) -> tuple[int, int]:
        """The same user and group as the container numbers them.

        Rootless Podman can map the caller to any number; rootless Docker only to 0, which has no rights there
        beyond the caller's own.
        """
        if not self.rootless:
            return self.caller
        return (0, 0) if self.client == DOCKER else (contract.USER_ID, contract.USER_ID)


def container_name(run_id: str) -> str:
    """The name of a run's container."""
    return f"{NAME_PREFIX}{run_id}"


def arguments(order: Order, host: Host, image: str, *, gpu: bool = False) -> list[str]:
    """What the engine's program is told to run a submission.

    Args:
        order: the run.
        host: what of the host decides.
        image: the image's digest.
        gpu: whether to show the host's GPUs.
    """
    args = ["run", "--name", container_name(order.run_id), "--label", f"{LABEL}={order.run_id}"]
    args += [*options(order, host), *_gpus(host, gpu=gpu)]
    if not host.native:
        return [*args, "--init", "--entrypoint", "/usr/bin/env", image, *_main()]
    return [*args, "--rm", "--entrypoint", "/bin/sh", image, "-c", FIRST_PROCESS, "whaledo", "env", *_main()]


def shell_arguments(order: Order, host: Host, image: str, *, gpu: bool = False) -> list[str]:
    """The same for a shell at a terminal in the same container; it reaps what is left without a parent itself.

    Not `--init`: Podman takes that program from the host, where it is only recommended.
    """
    args = ["run", "--rm", "--interactive", "--tty", "--name", container_name(order.run_id)]
    args += ["--label", f"{LABEL}={order.run_id}", "--env", "TERM"]
    args += [*options(order, host), *_gpus(host, gpu=gpu)]
    for name, value in contract.ENVIRONMENT.items():
        args += ["--env", f"{name}={value}"]
    return [*args, "--entrypoint", "/bin/sh", image]


def options(order: Order, host: Host) -> list[str]:
    """What a container may not do, what it may use, and what it is shown."""
    return [*walls(order, host), *limits(order, host), *_mounts(order, host)]


def walls(order: Order, host: Host) -> list[str]:
    """What a container may not do."""
    user, group = host.inside
    args = ["--pull", "never", "--read-only", "--cap-drop", "ALL", "--user", f"{user}:{group}"]
    args += ["--network", "none" if order.network is Network.NONE else "host"]
    profile = profile_path(counted=host.counts)
    args += ["--security-opt", "no-new-privileges", "--security-opt", f"seccomp={profile}"]
    args += ["--ipc", "private", "--cgroupns", "private", "--hostname", contract.HOSTNAME]
    args += ["--log-driver", "none", "--workdir", contract.HOME]
    args += ["--stop-signal", "KILL"]  # to be removed, Podman asks first, and waits ten seconds
    if host.selinux:
        args += ["--security-opt", "label=disable"]
    if host.client == PODMAN:
        # Podman would make /run and /var/tmp writable, and hand on our proxy settings.
        args += ["--read-only-tmpfs=false", "--http-proxy=false"]
        if host.rootless:
            args += ["--userns", f"keep-id:uid={user},gid={group}"]
        return args
    if order.network is Network.NONE and host.ipv6:
        args += ["--sysctl", "net.ipv6.conf.lo.disable_ipv6=0"]  # Docker leaves such a loopback without ::1
    for name in PROXY_VARIABLES:
        args += ["--env", f"{name}=", "--env", f"{name.lower()}="]
    return [*args, "--userns", "host"] if host.remapped else args


def limits(order: Order, host: Host) -> list[str]:
    """What a container may use."""
    most = order.limits
    args = ["--memory", f"{most.memory_bytes}b", "--memory-swap", f"{most.memory_bytes}b"]
    args += ["--pids-limit", str(most.processes), "--shm-size", f"{most.shm_bytes}b"]
    if most.cpus is not None:
        args += ["--cpus", f"{most.cpus:g}"]
    largest = max(most.disk_bytes, most.shm_bytes)
    args += ["--ulimit", "core=0:0", "--ulimit", f"fsize={largest}:{largest}"]
    args += ["--ulimit", f"nofile={contract.OPEN_FILES}:{contract.OPEN_FILES}"]
    if host.client == PODMAN:
        processes = most.processes if host.rootless else max(SPARE_PROCESSES, most.processes)
        args += ["--ulimit", f"nproc={processes}:{processes}"]
    inodes = f",nr_inodes={contract.WRITABLE_ENTRIES}" if host.client == DOCKER else ""
    return [*args, "--tmpfs", f"/tmp:rw,exec,nosuid,nodev,size={most.disk_bytes}{inodes},mode=1777"]  # noqa: S108


def _mounts(order: Order, host: Host) -> list[str]:
    place = order.workspace
    data = {"": place.data, **dict(order.mounts)}  # a mount without a name is the whole folder
    shown = [
        (place.code, contract.HOME, False),
        *((source, f"{contract.DATA}/{name}".rstrip("/"), True) for name, source in data.items()),
        (place.submission, contract.SUBMISSION, False),
        *((place.etc / name, f"/etc/{name}", True) for name in MADE_UP),
        *([(place.wires, WIRES, True)] if host.native else []),
    ]
    args = []
    for source, target, read_only in shown:
        args += ["--mount", mount(source, target, read_only=read_only)]
    return args


MADE_UP = ("passwd", "group", "hosts", "nsswitch.conf")
"""The files of /etc that are made up rather than the image's."""


def mount(source: Path, target: str, *, read_only: bool) -> str:
    """The value of a `--mount`: one record of comma-separated values, because that is how both read it."""
    fields = ["type=bind", f"source={source}", f"target={target}", *(["readonly"] if read_only else [])]
    record = io.StringIO()
    csv.writer(record).writerow(fields)  # with its line ends, or those in a path wouldn't be quoted
    return record.getvalue().removesuffix("\r\n")


def _gpus(host: Host, *, gpu: bool) -> list[str]:
    if not gpu:
        return []
    driver = ["--env", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"]
    return [*driver, *(["--gpus", "all"] if host.client == DOCKER else ["--device", "nvidia.com/gpu=all"])]


def _main() -> list[str]:
    """`main.py` with the variables of the contract and no others, those of the image among them."""
    variables = [f"{name}={value}" for name, value in contract.ENVIRONMENT.items()]
    return ["-i", *variables, *MAIN_COMMAND]


def guarantees(
    order: Order, host: Host, group: Observed | None, *, seccomp: bool | None, is_kept: bool = False
) -> Mapping[Guarantee, Held]:
    """How far each guarantee holds.

    Args:
        order: the run.
        host: what of the host decided how it was started.
        group: its control group; None where it couldn't be looked at.
        seccomp: whether its first process is under a filter; None where that couldn't be looked at.
        is_kept: whether it is kept on as many processors as it may use.
    """
    enforced, best_effort, nothing = Level.ENFORCED, Level.BEST_EFFORT, Level.NOT_ENFORCED
    held = {
        Guarantee.NETWORK: Held(enforced, "a network namespace of its own"),
        Guarantee.FILES: Held(enforced, "the image and the data are mounted read-only"),
        Guarantee.PROCESSES: Held(enforced, "a process namespace of its own"),
        Guarantee.PRIVILEGES: Held(enforced, "an ordinary user, no capabilities, no_new_privs"),
        Guarantee.SYSTEM_CALLS: Held(enforced, "our seccomp profile"),
        Guarantee.WALL_TIME: Held(enforced, "the container's first process is killed, and all with it"),
        Guarantee.DISK: Held(
            best_effort, "a size for what lies in memory; what lies on disk is looked at ten times a second"
        ),
        Guarantee.LOG: Held(enforced, "what is past the limit is counted and dropped"),
    }
    if order.network is Network.HOST:
        held[Guarantee.NETWORK] = Held(nothing, "the host's network was asked for")
    if seccomp is None:
        told = f"{host.client} was given our seccomp profile; whether it holds can't be looked at from here"
        held[Guarantee.SYSTEM_CALLS] = Held(best_effort, told)
    elif not seccomp:
        held[Guarantee.SYSTEM_CALLS] = Held(nothing, f"{host.client} runs without seccomp here")
    if not host.native:
        held[Guarantee.WALL_TIME] = Held(enforced, f"{host.client} is told to kill the container")
    held |= _counted(order, host, group, is_kept=is_kept)
    return held


def _counted(order: Order, host: Host, group: Observed | None, *, is_kept: bool) -> dict[Guarantee, Held]:
    """The guarantees that rest on the container's control group."""
    asked = {
        Guarantee.MEMORY: True,
        Guarantee.PROCESS_COUNT: True,
        Guarantee.CPUS: order.limits.cpus is not None,
    }
    if group is None:
        unseen = f"{host.client} was told to; its control group can't be looked at from here"
        held = {each: Held(Level.BEST_EFFORT, unseen) for each in asked}
    else:
        stands = {
            Guarantee.MEMORY: group.memory,
            Guarantee.PROCESS_COUNT: group.processes,
            Guarantee.CPUS: group.cpus,
        }
        dropped = f"{host.client} didn't pass the limit on to the container's control group"
        looked = f"looked at ten times a second{', where processes have mapped it' if host.counts else ''}"
        instead = {
            Guarantee.MEMORY: Held(Level.BEST_EFFORT, f"{looked}; {dropped}"),
            Guarantee.PROCESS_COUNT: Held(Level.NOT_ENFORCED, dropped),
            Guarantee.CPUS: Held(Level.NOT_ENFORCED, dropped),
        }
        if is_kept:
            by = f"processor affinity, which code can undo; {dropped}"
            instead[Guarantee.CPUS] = Held(Level.BEST_EFFORT, by)
        if host.client == PODMAN and host.rootless:
            by = "a resource limit in the container's user namespace"
            instead[Guarantee.PROCESS_COUNT] = Held(Level.ENFORCED, by)
        held = {each: Held(Level.ENFORCED, group.kind) if stands[each] else instead[each] for each in asked}
    if not asked[Guarantee.CPUS]:
        held[Guarantee.CPUS] = Held(Level.ENFORCED, "no limit was asked for")
    return held
