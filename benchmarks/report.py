"""What a report of the beluga challenge's full size costs: seconds, bytes, and how soon the page answers.

4,900 photographs of real size, 4,419 queries of 20 rows. The photographs are copies of real ones where those are
there (WHALEDO_REAL_DATA, or ../shared/beluga beside the repository), else of drawn ones; every copy is mirrored
or made darker, and encoded anew. Chromium's part is measured where Chromium and selenium are there.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from whaledo.challenge.demo.write import write_demo
from whaledo.report.write import ReportRequest, write_report
from whaledo.units import show_size

PHOTOGRAPHS, QUERIES, SCENARIOS, ANIMALS, ROWS = 4_900, 4_419, 10, 788, 20
CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

FILTER = """
const [id, value, done] = arguments;
const start = performance.now();
const control = document.getElementById(id);
control.value = value;
control.dispatchEvent(new Event("change"));
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def real_photographs(folder: Path) -> list[Path]:
    given = os.environ.get("WHALEDO_REAL_DATA")
    real = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "beluga"
    if not real.is_dir():
        real = folder / "drawn"
        write_demo(real)
    return sorted((real / "images").glob("*.jpg"))


def write_table(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def write_photographs(sources: list[Path], folder: Path) -> list[tuple[int, int]]:
    """Write all photographs, and give the size of each."""
    folder.mkdir(parents=True)

    def write(number: int) -> tuple[int, int]:
        with Image.open(sources[number % len(sources)]) as source:
            copy = ImageOps.mirror(source.convert("RGB")) if number % 2 else source.convert("RGB")
        copy = ImageEnhance.Brightness(copy).enhance(1 - number / PHOTOGRAPHS / 4)
        copy.save(folder / f"train{number:04}.jpg", quality=90)
        return copy.size

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(write, range(PHOTOGRAPHS)))


def write_challenge(folder: Path, output: Path, sources: list[Path]) -> None:
    """A data folder of full size, and rankings that are right now and then."""
    draw = np.random.default_rng(0)
    sizes = write_photographs(sources, folder / "images")
    names = np.array([f"train{number:04}" for number in range(PHOTOGRAPHS)])
    animal = draw.integers(0, ANIMALS, PHOTOGRAPHS)
    rows = (
        (
            name,
            f"images/{name}.jpg",
            height,
            width,
            "top",
            f"{2017 + of % 3}-08-{1 + of % 28:02}",
            f"whale{of:03}",
        )
        for name, (width, height), of in zip(names, sizes, animal.tolist(), strict=True)
    )
    columns = ("image_id", "path", "height", "width", "viewpoint", "date", "whale_id")
    write_table(folder / "metadata.csv", columns, rows)
    answers = []
    for scenario in range(SCENARIOS):
        asked = draw.permutation(PHOTOGRAPHS)[: (QUERIES + scenario) // SCENARIOS]
        name = f"scenario{scenario + 1:02}"
        write_table(
            folder / "queries" / f"{name}.csv",
            ("query_id", "query_image_id"),
            ((f"{name}-{image}", image) for image in names[asked]),
        )
        (folder / "databases").mkdir(exist_ok=True)
        (folder / "databases" / f"{name}.txt").write_text("\n".join(names) + "\n")
        for query in asked.tolist():
            scores = (
                draw.random(PHOTOGRAPHS) * 0.9 + (animal == animal[query]) * draw.random(PHOTOGRAPHS) * 0.2
            )
            scores[query] = -1
            best = np.argsort(-scores)[:ROWS]
            answers += [(f"{name}-{names[query]}", names[n], round(min(scores[n], 1), 6)) for n in best]
    write_table(output / "submission.csv", ("query_id", "database_image_id", "score"), answers)


def time_page(path: Path) -> dict[str, float] | None:
    """Milliseconds until the page is painted, until the gallery is there, and until filters have their effect."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver_path is None:
        return None
    try:
        from selenium import webdriver
    except ImportError:
        return None
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*CHROMIUM, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path))
        try:
            found: dict[str, list[float]] = {}
            for _ in range(3):
                for name, value in measure(driver, path).items():
                    found.setdefault(name, []).append(value)
        finally:
            driver.quit()
    return {name: statistics.median(values) for name, values in found.items()}


def measure(driver: Any, path: Path) -> dict[str, float]:
    driver.get(path.resolve().as_uri())
    times = driver.execute_script(
        "return [performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,"
        " performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart]"
    )
    return {
        "first paint": times[0],
        "gallery there": times[1],
        "filter by outcome": driver.execute_async_script(FILTER, "outcome", "later"),
        "order": driver.execute_async_script(FILTER, "order", "best"),
        "filter by scenario": driver.execute_async_script(FILTER, "scenario", "3"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="make everything in this folder, and leave it there")
    folder = parser.parse_args().keep or Path(tempfile.mkdtemp())
    try:
        output = folder / "output"
        if not output.exists():
            write_challenge(folder / "data", output, real_photographs(folder))
        start, start_cpu = time.perf_counter(), time.process_time()
        result = write_report(ReportRequest(str(output), str(folder / "data")))
        took, took_cpu = time.perf_counter() - start, time.process_time() - start_cpu
        print(f"{result.queries:,} queries, {result.images:,} photographs, {os.cpu_count()} processors")
        print(
            f"write_report        {took:6.1f} s, {took_cpu:.1f} s of processor time; {show_size(result.size_bytes)}"
        )
        for name, milliseconds in (time_page(Path(result.path)) or {}).items():
            print(f"{name:<20}{milliseconds:6.0f} ms")
    finally:
        if parser.parse_args().keep is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
