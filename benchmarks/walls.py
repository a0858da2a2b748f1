"""What the walls alone cost: from the start of a run to its known end, over the engine's program started bare.

A `main.py` that does nothing is started as a run would be, without unpacking, checking and the rest of the command
(`startup.py` measures that). Beside it stands the same Python started bare: by `bwrap` with the whole host in sight,
by `docker run` and `podman run` of the same image, removed at its end as ours is. Between the two, walls are added
one at a time to the bare command, by the very options that a run is given; what an engine does besides (the stage
before bubblewrap, the guard and the first process of a container) is what is left. All take turns, so that a busy
machine slows all of them; each difference is the median of those to the bare start of the same turn.
"""

from __future__ import annotations

import argparse
import itertools
import os
import select
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from whaledo.environment.build import choose_environment
from whaledo.environment.containers import CLIENTS, PODMAN
from whaledo.errors import MachineError
from whaledo.execution.cgroups import control_group
from whaledo.execution.contract import MAIN, PYTHON_FOLDER, RESERVED_NAMES, Limits, Network
from whaledo.execution.engines import BUBBLEWRAP, bubblewrap_plan, container_plan, remove_left
from whaledo.execution.engines.base import Engine, Order
from whaledo.execution.engines.bubblewrap import Bubblewrap
from whaledo.execution.engines.bubblewrap_plan import Descriptors
from whaledo.execution.engines.containers import Containers, lay_out
from whaledo.execution.engines.inside import MAIN_COMMAND
from whaledo.execution.seccomp import load_filter
from whaledo.execution.workspace import hand_over, workspace
from whaledo.resources import state_folder

Way = Callable[[], float]
"""Starts the Python that does nothing, and returns the seconds until its end was known."""

LIMITS = Limits(cpus=2)
BARE, ALL = "bare", "all that a run has"

BUBBLEWRAP_WALLS = {
    "user namespace": ("--unshare-user", "--disable-userns", "--uid", "--gid"),
    "process namespace": ("--unshare-pid", "--proc"),
    "network namespace": ("--unshare-net",),
    "IPC, UTS, control group namespaces": (
        "--unshare-ipc",
        "--unshare-uts",
        "--hostname",
        "--unshare-cgroup",
    ),
    "own session, no capabilities": ("--new-session", "--die-with-parent", "--cap-drop"),
    "seccomp filter": ("--seccomp",),
}
"""Options of bubblewrap by the wall that they build; what is in none of them is what a run sees of files."""

CONTAINER_WALLS = {
    "loopback with ::1": ("--sysctl",),
    "read-only root": ("--read-only", "--read-only-tmpfs"),
    "user, no capabilities, no new privileges": ("--user", "--cap-drop", "no-new-privileges"),
    "seccomp profile": ("seccomp",),
    "IPC, UTS, control group namespaces": ("--ipc", "--cgroupns", "--hostname"),
    "memory, processes, processors": ("--memory", "--memory-swap", "--pids-limit", "--cpus"),
    "resource limits": ("--ulimit",),
    "sizes of /tmp and /dev/shm": ("--tmpfs", "--shm-size"),
    "data, code, made-up /etc, pipes": ("--mount",),
}
"""The same of Docker and Podman; an option that stands for several things is told by its value."""

_numbers = itertools.count()


@contextmanager
def order(engine: str) -> Iterator[Order]:
    """A run of a `main.py` that does nothing, laid out."""
    run_id = f"walls-{os.getpid()}-{next(_numbers)}"
    with workspace(state_folder() / "runs", run_id, engine, remove_left) as place:
        for folder in (place.data, place.code, *(place.code / name for name in RESERVED_NAMES)):
            folder.mkdir()
        (place.code / MAIN).write_text("pass\n")
        for folder in (place.data, place.code):
            hand_over(folder, place.uid)
        yield Order(run_id, place, (), LIMITS, Network.NONE)


def as_a_run(engine: Engine) -> Way:
    """With everything that a run has."""

    def start() -> float:
        with order(engine.name) as given:
            began = time.perf_counter()
            sandbox = engine.start(given)
            select.select([sandbox.done_fd], [], [])
            ended = sandbox.finish()
            taken = time.perf_counter() - began
            sandbox.close()
        if ended.exit_status != 0:
            raise MachineError(f"a main.py that does nothing ended so: {ended}")
        return taken

    return start


def by_command(words: Sequence[str], files: Sequence[int] = (), group: str = "") -> Way:
    """With a command, which may be handed open files to read, and be put into a control group."""

    def start() -> float:
        for file in files:
            os.lseek(file, 0, os.SEEK_SET)
        began = time.perf_counter()
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=files,
        )
        made = control_group(group, LIMITS, process.pid) if group else ""
        status = process.wait()
        taken = time.perf_counter() - began
        if not isinstance(made, str):
            made.close()
        if status != 0:
            raise MachineError(f"{' '.join(words)} ended with {status}")
        return taken

    return start


def in_memory(content: bytes) -> int:
    """A file that is only in memory, open as long as this process lives."""
    file = os.memfd_create("walls")
    os.write(file, content)
    return file


def split(options: Sequence[str]) -> Iterator[list[str]]:
    """Take a list of options apart, each with its values."""
    each: list[str] = []
    for word in options:
        if word.startswith("--") and each:
            yield each
            each = []
        each.append(word)
    yield each


def of_wall(options: Sequence[str], names: Sequence[str]) -> list[str]:
    """The options that build a wall."""
    chosen = [o for o in split(options) if {o[0].split("=")[0], o[-1].split("=")[0]} & set(names)]
    return [word for option in chosen for word in option]


def bubblewrap_ways(given: Order) -> dict[str, Way]:
    """Bubblewrap bare, with each wall alone, and as it is started for a run."""
    environment = choose_environment("core")
    given.workspace.submission.mkdir()
    texts = bubblewrap_plan.small_files(environment.base_python)
    files = {path: in_memory(text.encode()) for path, text in texts.items()}
    program = load_filter(counted=True)
    filter_fd = None if program is None else in_memory(program)
    filters = () if filter_fd is None else (filter_fd,)
    places, _ = bubblewrap_plan.find_places(given, environment, private=False)
    options = bubblewrap_plan.arguments(given, environment, places, Descriptors(files, filter_fd))
    named = {name for names in BUBBLEWRAP_WALLS.values() for name in names}
    shown = [word for option in split(options) if option[0] not in named for word in option]

    bare = ["bwrap", "--dev-bind", "/", "/"]
    python = [str(environment.folder / "bin" / "python"), "-c", "pass"]
    ways = {BARE: by_command([*bare, *python])}
    for name, options_of in BUBBLEWRAP_WALLS.items():
        ways[name] = by_command([*bare, *of_wall(options, options_of), *python], filters)
    ways["files: binds, sizes, made-up /etc"] = by_command(
        ["bwrap", *shown, MAIN_COMMAND[0], *python[1:]], [*files.values()]
    )
    ways["control group"] = by_command([*bare, *python], group=f"walls-{os.getpid()}")
    return {**ways, ALL: as_a_run(Bubblewrap(environment))}


def container_ways(client: str, given: Order) -> dict[str, Way]:
    """The same of Docker or Podman."""
    engine = Containers(client, "core")
    lay_out(given, engine.host)
    options = container_plan.options(given, engine.host)
    bare = [client, "run", "--rm", "--network", "none"]
    ulimits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
    python = [str(engine.packages.image_id), f"{PYTHON_FOLDER}/bin/python", "-c", "pass"]
    ways = {}
    for name, options_of in {BARE: (), **CONTAINER_WALLS}.items():
        added = of_wall(options, options_of)
        if added or name is BARE:  # not each engine needs each
            spare = ulimits if client == PODMAN and "--ulimit" not in added else []
            ways[name] = by_command([*bare, *spare, *added, *python])
    together = [*bare[:3], *options, *python]
    return {**ways, "all of these": by_command(together), ALL: as_a_run(engine)}


def compare(ways: Mapping[str, Way], turns: int) -> dict[str, list[float]]:
    """Milliseconds of each way, turn by turn; a first turn that warms the caches isn't counted."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, start in ways.items():
            milliseconds = start() * 1e3
            if turn:
                taken[name].append(milliseconds)
    return taken


def show(engine: str, taken: Mapping[str, list[float]]) -> None:
    """Print a row for each way."""
    for name, figures in taken.items():
        median, best = statistics.median(figures), min(figures)
        row = f"| {engine} | {name} | {median:.0f} | {best:.0f} |"
        if name != BARE:
            added = statistics.median(mine - bare for mine, bare in zip(figures, taken[BARE], strict=True))
            row += f" {added:+.0f} | {best - min(taken[BARE]):+.0f} |"
        else:
            row += " | |"
        print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engines", nargs="*", help="those to measure (default: all that are here)")
    parser.add_argument("--turns", type=int, default=20, help="counted starts of each (default 20)")
    options = parser.parse_args()
    print("| engine | wall | median ms | best ms | added, median | added, best |\n|---|---|---|---|---|---|")
    for name in options.engines or filter(shutil.which, ("bwrap", *CLIENTS)):
        engine = BUBBLEWRAP if name == "bwrap" else name
        with order(engine) as given:
            ways = bubblewrap_ways(given) if engine == BUBBLEWRAP else container_ways(engine, given)
            show(engine, compare(ways, options.turns))


if __name__ == "__main__":
    main()
