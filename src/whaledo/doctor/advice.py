"""From facts to the line that mends it: pure functions, tested with made-up hosts.

Three questions are answered: why a guarantee isn't enforced and what would make it so, what to do about an engine
that can't be used, and what of the host runs will meet whatever the engine. A line that could do harm elsewhere
(switching AppArmor's restriction off for everybody) is never given, however often it is found on the web.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from whaledo.doctor.facts import Facts
from whaledo.doctor.records import Note
from whaledo.environment.accelerator import cuda_problem
from whaledo.environment.containers import CLIENTS, PODMAN
from whaledo.execution.contract import OPEN_FILES
from whaledo.execution.engines.bubblewrap_plan import hint
from whaledo.execution.records import Guarantee, Held, Level
from whaledo.execution.seccomp.filters import ARCHITECTURES
from whaledo.units import show_size

IMAGE_BYTES = 2 * 1024**3
"""What building and keeping the smallest image or environment takes, with what lies there on the way."""

YEAR_S = 365.25 * 24 * 3600

OLD_YEARS = 10
"""An installation older than this is less likely than a clock that is ahead."""

APPARMOR = (
    "sudo apt install apparmor-profiles && sudo cp /usr/share/apparmor/extra-profiles/bwrap-userns-restrict "
    "/etc/apparmor.d/ && sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict"
)
SUBORDINATE_IDS = "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"
UNIFIED_HIERARCHY = (
    "boot with `systemd.unified_cgroup_hierarchy=1` on the kernel's command line, for cgroup v2"
)
DELEGATE = (
    "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu memory pids\\n' | "
    "sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload"
)


def mend(facts: Facts, engine: str, guarantee: Guarantee, held: Held) -> str:
    """The line that would have an engine enforce a guarantee that it doesn't; empty where none is known.

    Args:
        facts: about the host.
        engine: its name.
        guarantee: the promise.
        held: what the engine said of it, with its reason.
    """
    if held.level is Level.ENFORCED:
        return ""
    if facts.system != "Linux" and engine in CLIENTS:
        return (
            "containers run in a virtual machine here: run whaledo inside a Linux machine to have it enforced"
        )
    if guarantee in (Guarantee.MEMORY, Guarantee.CPUS, Guarantee.PROCESS_COUNT):
        return _mend_counted(engine, guarantee, held, facts)
    if guarantee is Guarantee.DISK:
        return _mend_disk(engine, held, facts)
    if guarantee is Guarantee.SYSTEM_CALLS:
        return _mend_filter(engine, facts)
    return ""


def _mend_counted(engine: str, guarantee: Guarantee, held: Held, facts: Facts) -> str:
    """What rests on control groups."""
    if guarantee is Guarantee.PROCESS_COUNT and "no prlimit" in held.by:
        return "sudo apt install util-linux (dnf, pacman: the same name)"
    if not facts.cgroups:
        if facts.container:
            return "run whaledo on the host itself: the container that it is in has no control groups"
        return "sudo mount -t cgroup2 none /sys/fs/cgroup"
    if facts.uid == 0:
        return "run whaledo on the host itself, where root may make control groups" if facts.container else ""
    if facts.cgroups == "v1":
        return f"{UNIFIED_HIERARCHY}; or run whaledo as root, which version 1 needs"
    if not facts.session:
        if facts.container:
            return "run whaledo on the host itself: only a systemd session divides control groups among users"
        return f"sudo loginctl enable-linger {facts.user}"
    if engine in CLIENTS or guarantee is Guarantee.CPUS or "controller" in held.by:
        return f"{DELEGATE}; then log in again"
    return ""


def _mend_disk(engine: str, held: Held, facts: Facts) -> str:
    if engine in CLIENTS:
        return "--engine bubblewrap holds all places together to the limit, where this host allows it"
    if facts.apparmor_restricts:
        return "no user of Ubuntu can: AppArmor's profile refuses the second namespace; root can (sudo whaledo …)"
    return hint(held.by)


def _mend_filter(engine: str, facts: Facts) -> str:
    if facts.machine not in ARCHITECTURES:
        return f"use a machine with {' or '.join(ARCHITECTURES)}: there are no filters for {facts.machine}"
    return f"{engine} was built or started without seccomp: install your distribution's own package of it"


def mend_unusable(facts: Facts, engine: str, why: str, known: str) -> str:
    """What to do about an engine that can't be used.

    Args:
        facts: about the host.
        engine: its name.
        why: what it said.
        known: the way out that came with it.
    """
    if engine not in CLIENTS and facts.system == "Darwin":
        return "there is no bubblewrap for macOS: use --engine docker"
    if engine not in CLIENTS and facts.container and "proc" in why:
        return "whaledo runs inside a container that hides /proc: run it on the host itself"
    user_namespace = any(sign in why for sign in ("RTM_NEWADDR", "uid map", "ermission denied"))
    if engine not in CLIENTS and facts.apparmor_restricts and user_namespace:
        return APPARMOR
    if engine == PODMAN and facts.uid != 0 and not facts.subordinate_ids and "uid" in why.lower():
        return SUBORDINATE_IDS.format(user=facts.user)
    if "has no image" in why:
        return f"whaledo image build --engine {engine}"
    return known


def notes(facts: Facts, cuda: str | None) -> list[Note]:
    """What of the host runs will meet, whatever the engine.

    Args:
        facts: about the host.
        cuda: the CUDA that the profile `gpu` was built for.
    """
    looks: list[Callable[[Facts], Note | None]] = [_clock, _disk, _open_files, _file_size, _nested, _users]
    found = [note for look in looks if (note := look(facts))]
    return [*found, *_gpu(facts, cuda)]


def _clock(facts: Facts) -> Note | None:
    years = (facts.now_s - facts.made_s) / YEAR_S
    if -1 / 365 <= years <= OLD_YEARS:
        return None
    now = datetime.fromtimestamp(facts.now_s, UTC)
    how = "before whaledo was installed" if years < 0 else f"{years:.0f} years after whaledo was installed"
    return Note(
        "clock",
        f"the clock says {now:%Y-%m-%d}, {how}: records would be wrong, and downloads fail by their certificates",
        "sudo timedatectl set-ntp true" if facts.system == "Linux" else "set the clock by the network",
    )


def _disk(facts: Facts) -> Note | None:
    if facts.free_bytes >= IMAGE_BYTES:
        return None
    return Note(
        "disk",
        f"{show_size(facts.free_bytes)} are free where runs and environments are kept ({facts.state}); an "
        f"environment or an image takes up to {show_size(IMAGE_BYTES)}",
        "free some space there, or set WHALEDO_HOME to a folder on a larger disk",
    )


def _open_files(facts: Facts) -> Note | None:
    if facts.open_files is None or facts.open_files >= OPEN_FILES:
        return None
    return Note(
        "open_files",
        f"a process may have {facts.open_files:,} files open here, and a run is promised {OPEN_FILES:,}",
        f"echo '{facts.user} hard nofile {OPEN_FILES}' | sudo tee -a /etc/security/limits.conf; then log in again",
    )


def _file_size(facts: Facts) -> Note | None:
    if facts.file_size_bytes is None:
        return None
    return Note(
        "file_size",
        f"a process may write files of {show_size(facts.file_size_bytes)} here, which runs inherit",
        "remove the `fsize` line from /etc/security/limits.conf, and log in again",
    )


def _nested(facts: Facts) -> Note | None:
    if facts.system == "Darwin":
        return Note("macos", "this is macOS: containers run in a virtual machine, whose memory bounds theirs")
    if facts.wsl:
        return Note("wsl", "this is Linux inside Windows: keep data in Linux's own folders, not below /mnt/c")
    if facts.container:
        return Note("container", "this looks like the inside of a container, which is a wall of its own")
    return None


def _users(facts: Facts) -> Note | None:
    if facts.uid == 0 or facts.subordinate_ids or facts.system != "Linux":
        return None
    return Note(
        "subordinate_ids",
        f"the user {facts.user} has no subordinate ids, which rootless containers need",
        SUBORDINATE_IDS.format(user=facts.user),
    )


def _gpu(facts: Facts, cuda: str | None) -> list[Note]:
    if facts.gpu is None:
        return []
    found = [
        Note(
            "gpu",
            f"{facts.gpu.name}, driver {facts.gpu.driver_version}: its memory is neither limited nor cleared",
        )
    ]
    problem = cuda_problem(cuda, facts.gpu) if cuda else None
    if problem is not None:
        found.append(Note(problem.code, problem.message, problem.hint))
    if not facts.gpu_toolkit:
        text = "containers can't be shown the GPU: NVIDIA's container toolkit isn't installed"
        found.append(Note("gpu_toolkit", text, "sudo apt install nvidia-container-toolkit"))
    return found
