"""What a run costs beyond the submission itself: `whaledo run` and `docker run`, over plain `python main.py`.

The submission does nothing, so all that is measured is the way there and back. The commands take turns, so that
a machine that grows slow slows all of them; medians and their differences are printed. Docker is measured where
a daemon answers and an image with python3 and unzip is named by --image.
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
    """The same nothing, in each of the ways."""
    archive, data, output = folder / "submission.zip", folder / "data", folder / "output"
    environment = find_environment("core")
    if environment is None:
        sys.exit("the core environment isn't built: `make setup` builds it")
    found = {
        "plain python": [str(environment.folder / "bin" / "python"), str(folder / "main.py")],
        "whaledo run": [str(WHALEDO), "run", str(archive), "--data", str(data), "--output", str(output)],
    }
    if image is not None:
        inside = "unzip -q /submission.zip && exec python3 main.py"
        mounts = [f"{archive}:/submission.zip:ro", f"{data}:/code_execution/data:ro"]
        mounts += [f"{output}:/code_execution/submission"]
        options = ["--rm", "--network", "none", "--workdir", "/code_execution"]
        binds = [part for mount in mounts for part in ("--volume", mount)]
        found["docker run"] = ["docker", "run", *options, *binds, image, "sh", "-c", inside]
    return found


def docker_image(name: str | None) -> str | None:
    """The image to measure, if a daemon answers and has it; else say why not."""
    if name is None or shutil.which("docker") is None:
        print("docker run: not measured (name an image with python3 and unzip: --image NAME)")
        return None
    found = subprocess.run(["docker", "image", "inspect", name], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        print(f"docker run: not measured ({found.stderr.strip()})")
        return None
    return name


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
        ways = commands(folder, docker_image(options.image))
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
        print(f"  {name:<14}{median:7.3f} s   over plain: {median - plain:+7.3f} s")


if __name__ == "__main__":
    main()
