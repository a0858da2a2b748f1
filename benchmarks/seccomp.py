"""What the seccomp filter costs: at the start of a sandbox, and for each system call made in it.

Run with `python benchmarks/seccomp.py`. With and without the filter take turns, so that a busy machine slows both;
calls are told by their fastest of all rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from tempfile import TemporaryFile

from whaledo.execution.seccomp import load_filter

STARTS = 60
ROUNDS = 9
BWRAP = [
    *(
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/lib",
        "/lib",
    ),
    *("--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev"),
]
NOBODY = 65534
CALLS = {
    "getppid (always allowed)": "os.getppid()",
    "open and close (arguments looked at)": "os.close(os.open('/dev/null', 0))",
    "ioctl (arguments looked at)": "os.isatty(0)",
}
MEASURE = (
    "import os, timeit; print(min(timeit.repeat({call!r}, 'import os', number=100000, repeat=3)) / 100000)"
)


def run(command: list[str], program: bytes | None) -> tuple[float, str]:
    """Seconds that a command takes inside, and what it prints."""
    with TemporaryFile() as file:
        file.write(program or b"")
        file.seek(0)
        options = [] if program is None else ["--seccomp", str(file.fileno())]
        user = NOBODY if os.geteuid() == 0 else None
        started = time.perf_counter()
        done = subprocess.run(
            [*BWRAP, *options, "--", *command],
            env={},
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            pass_fds=[file.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return time.perf_counter() - started, done.stdout


def main() -> None:
    program = load_filter(counted=True)
    if program is None:
        sys.exit("there is no filter for this processor")
    choices: dict[str, bytes | None] = {"without": None, "with": program}

    starts: dict[str, list[float]] = {name: [] for name in choices}
    for _ in range(STARTS):
        for name, chosen in choices.items():
            starts[name].append(run(["/usr/bin/true"], chosen)[0] * 1e3)
    for name, times in starts.items():
        print(f"start {name} filter: median {statistics.median(times):.2f} ms, fastest {min(times):.2f} ms")

    for label, call in CALLS.items():
        command = ["/usr/bin/python3", "-c", MEASURE.format(call=call)]
        calls: dict[str, list[float]] = {name: [] for name in choices}
        for _ in range(ROUNDS):
            for name, chosen in choices.items():
                calls[name].append(float(run(command, chosen)[1]) * 1e9)
        print(f"{label}: {min(calls['without']):.0f} ns without filter, {min(calls['with']):.0f} ns with")


if __name__ == "__main__":
    main()
