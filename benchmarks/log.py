"""What it costs to print much: the child's own time with whaledo keeping its log, over printing to a file.

A `main.py` prints and says at the end how long that took; once behind bubblewrap, once as a plain program with a file
for its output. Three ways of printing: in large pieces, in lines of one letter as Python's own buffer hands them
on, and a system call a line. Both sides take turns, so that a busy machine slows both, and the best of each counts:
it is the least disturbed. Beside the times stands the most memory that the supervisor ever had, as the kernel saw it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from whaledo.doctor.examination import write_challenge
from whaledo.environment.build import find_environment
from whaledo.execution.contract import LOG_FLOOD
from whaledo.units import parse_size, show_size

WHALEDO = Path(sys.executable).with_name("whaledo")

PIECES = {
    "large pieces": ("x" * 79 + "\n") * 13_107,
    "one-letter lines": "x\n" * 4096,
    "print by print": "x\n",
}
"""By way of printing, what one system call writes."""

SMALL = 500
"""One part in this many is enough where each line is a system call of its own."""

MAIN = """\
import os
import time

piece = {piece!r}.encode()
began = time.perf_counter()
for _ in range({times}):
    left = piece
    while left:
        left = left[os.write(1, left) :]
print(f"\\ntook {{time.perf_counter() - began:.4f}}", flush=True)
"""


def to_file(folder: Path, python: Path) -> float:
    """Run `main.py` with a file for its output; return its own seconds."""
    printed = folder / "printed.txt"
    with printed.open("wb") as file:
        subprocess.run([python, folder / "main.py"], stdout=file, check=True)
    try:
        return taken(printed)
    finally:
        printed.unlink()


def behind_walls(folder: Path, log_bytes: int) -> tuple[float, int]:
    """Run it with whaledo; return its own seconds, and the supervisor's peak of memory in bytes."""
    with zipfile.ZipFile(folder / "submission.zip", "w") as archive:
        archive.write(folder / "main.py", "main.py")
    places = ["--data", str(folder / "data"), "--output", str(folder / "output")]
    options = ["--engine", "bubblewrap", "--profile", "core", "--log-limit", str(log_bytes)]
    words = [str(WHALEDO), "run", str(folder / "submission.zip"), *places, *options]
    peak_kib = 0
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak_kib = max([peak_kib, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))])
            time.sleep(0.02)
    return taken(folder / "output" / "log.txt"), peak_kib * 1024


def taken(log: Path) -> float:
    """The seconds in the last line."""
    with log.open("rb") as file:
        file.seek(-100, 2)
        return float(file.read().rsplit(b"took ", 1)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=parse_size, default="1g", help="to print (default 1g)")
    parser.add_argument("--turns", type=int, default=3, help="turns of each (default 3)")
    options = parser.parse_args()
    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    python = environment.folder / "bin" / "python"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as temporary:  # a disk: /tmp is memory on many a machine
        folder = Path(temporary)
        folder.chmod(0o755)
        write_challenge(folder / "data")
        for name, piece in PIECES.items():
            size_bytes = options.bytes // (SMALL if len(piece) == 2 else 1)
            (folder / "main.py").write_text(MAIN.format(piece=piece, times=size_bytes // len(piece)))
            plain, walled, peaks = [], [], []
            for _ in range(options.turns):
                plain.append(to_file(folder, python))
                seconds, peak_bytes = behind_walls(folder, max(10_000_000, size_bytes // LOG_FLOOD * 2))
                walled.append(seconds)
                peaks.append(peak_bytes)
            ratio = min(walled) / min(plain)
            print(
                f"{show_size(size_bytes)} in {name}: {min(plain):.2f} s to a file, {min(walled):.2f} s kept by "
                f"whaledo, ratio {ratio:.2f}; supervisor's peak {show_size(max(peaks))}",
                flush=True,
            )


if __name__ == "__main__":
    main()
