"""What a run costs beyond the submission itself: `whaledo run` with every engine, over plain `python main.py`.

The submission does nothing, so all that is measured is the way there and back. Beside each engine stands what it
starts, bare: `bwrap` with nothing but the system in sight, `docker run` and `podman run` of the same image without
a single wall; the difference is what our walls, the supervisor, unpacking and checking cost together. With
`--image`, the way that people know is measured too: `docker run` with an unzip. The commands take turns, so that a
machine that grows slow slows all of them; medians and their differences are printed. What isn't here isn't measured.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from PIL import Image

from whaledo.environment.build import find_environment
from whaledo.environment.containers import CLIENTS
from whaledo.environment.image import reference
from whaledo.errors import MachineError
from whaledo.execution.engines import BUBBLEWRAP
from whaledo.execution.engines.containers import Containers

WHALEDO = Path(sys.executable).with_name("whaledo")


def write_challenge(folder: Path) -> None:
    """Two photographs, one query."""
    for name in ("images", "queries", "databases"):
        (folder / name).mkdir(parents=True)
    for name in ("a", "b"):
        Image.new("RGB", (8, 8)).save(folder / "images" / f"{name}.jpg")
    rows = "".join(f"{name},images/{name}.jpg,8,8,top,2019-08-01\n" for name in ("a", "b"))
    (folder / "metadata.csv").write_text("image_id,path,height,width,viewpoint,date\n" + rows)
    (folder / "queries" / "one.csv").write_text("query_id,query_image_id\none-a,a\n")
    (folder / "databases" / "one.txt").write_text("b\n")


def commands(folder: Path, image: str | None) -> dict[str, list[str]]:
    """The same nothing, in each of the ways that this machine has."""
    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    found = {"plain python": [str(environment.folder / "bin" / "python"), str(folder / "main.py")]}
    bare = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]
    if shutil.which("bwrap"):
        found["bwrap, bare"] = ["bwrap", *bare, "--unshare-all", "/usr/bin/python3", "-c", "pass"]
        found["whaledo bubblewrap"] = whaledo(folder, BUBBLEWRAP)
    for name in CLIENTS:
        try:
            Containers(name, "core")
        except MachineError as error:
            print(f"{name}: not measured ({error.message})")
            continue
        ulimits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        start = [name, "run", "--rm", "--network", "none", *ulimits, reference("core")]
        found[f"{name} run, bare"] = [*start, "/opt/venv/bin/python", "-c", "pass"]
        found[f"whaledo {name}"] = whaledo(folder, name)
    if image is not None:
        found["docker run, unzip"] = docker_with_unzip(folder, image)
    return found


def whaledo(folder: Path, engine: str) -> list[str]:
    """The run, from its zip to a checked csv that isn't there."""
    places = ["--data", str(folder / "data"), "--output", str(folder / "output")]
    start = [str(WHALEDO), "run", str(folder / "submission.zip"), *places]
    return [*start, "--engine", engine, "--profile", "core"]


def docker_with_unzip(folder: Path, image: str) -> list[str]:
    """The same as people do it by hand, in an image with python3 and unzip."""
    mounts = [f"{folder / 'submission.zip'}:/submission.zip:ro", f"{folder / 'data'}:/code_execution/data:ro"]
    mounts += [f"{folder / 'output'}:/code_execution/submission"]
    binds = [part for mount in mounts for part in ("--volume", mount)]
    options = ["--rm", "--network", "none", "--workdir", "/code_execution", *binds]
    return ["docker", "run", *options, image, "sh", "-c", "unzip -q /submission.zip && exec python3 main.py"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="counted runs of each (default 20)")
    parser.add_argument("--image", help="Docker image with python3 and unzip")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "main.py").write_text("pass\n")
        (folder / "output").mkdir()
        with zipfile.ZipFile(folder / "submission.zip", "w") as archive:
            archive.write(folder / "main.py", "main.py")
        write_challenge(folder / "data")
        ways = commands(folder, options.image)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(options.runs + 1):
            for name, command in ways.items():
                began = time.perf_counter()
                subprocess.run(command, capture_output=True, check=False)
                if turn:  # the first of each warms the caches
                    seconds[name].append(time.perf_counter() - began)
    plain = statistics.median(seconds["plain python"])
    print(f"a main.py that does nothing, medians of {options.runs}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(f"  {name:<20}{median:7.3f} s   over plain: {median - plain:+7.3f} s")


if __name__ == "__main__":
    main()
