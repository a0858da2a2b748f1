"""Write the synthetic challenge into a folder: photographs, metadata.csv and scenarios.

The folder comes into being whole or not at all: everything is written beside it and then moved there. The bytes
follow from the seed, the layout and the releases of numpy and Pillow; not from the processor, the system or how
many processes draw.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from whaledo.challenge.demo.photographs import photograph_animal
from whaledo.challenge.demo.scenarios import choose_scenarios
from whaledo.challenge.demo.schedule import Plan, Shot, draw_schedule
from whaledo.challenge.load import METADATA_FILE
from whaledo.challenge.model import Layout
from whaledo.challenge.settings import FILE as SETTINGS_FILE
from whaledo.challenge.writing import write_scenarios, write_table
from whaledo.errors import MachineError, UsageError

IMAGES = "images"

WORTH_A_PROCESS = 75
"""So many photographs take longer to draw than one more process takes to start."""

MOST_PROCESSES = 4


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written.

    Attributes:
        images: how many photographs.
        whales: how many animals.
        scenarios: how many scenarios.
        queries: how many queries, in all scenarios together.
    """

    images: int
    whales: int
    scenarios: int
    queries: int


def write_demo(
    folder: Path,
    *,
    seed: int = 0,
    layout: Layout = Layout.A,
    plan: Plan | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> DemoSummary:
    """Draw synthetic belugas into a new or empty folder, as a challenge to try things with.

    Several processes draw a large plan, and each imports the main module: a script that calls this needs the
    usual `if __name__ == "__main__":`.

    Args:
        folder: where to; it and the folders above it are made where they aren't there.
        seed: which animals, photographs and scenarios; 0 or more.
        layout: how the scenarios are laid out.
        plan: how many animals and photographs.
        on_progress: called with the number of photographs drawn so far, and of all.

    Raises:
        UsageError: if the folder holds anything or is a file, or the seed is negative; nothing is touched.
        MachineError: if the folder can't be written or a drawing process is ended; nothing is left.
    """
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative", hint="give a whole number, 0 or more")
    shots = draw_schedule(seed, plan or Plan())
    scenarios = choose_scenarios(seed, shots, layout)
    try:
        _require_room(folder)
        with _whole(folder) as made:
            rows: list[dict[str, object]] = []
            for drawn in _draw(seed, shots, made):
                rows += drawn
                if on_progress is not None:
                    on_progress(len(rows), len(shots))
            rows.sort(key=lambda row: str(row["image_id"]))
            write_table(made, METADATA_FILE, rows[0].keys(), (row.values() for row in rows))
            write_scenarios(made, scenarios, layout)
            settings = f'name = "Synthetic belugas (seed {seed})"\n'
            (made / SETTINGS_FILE).write_text(settings, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MachineError(
            f"the demo challenge can't be written to {folder}: {error.strerror or error}",
            hint="name a folder in a place where you may write, with 20 MB to spare",
        ) from error
    except BrokenExecutor as error:
        raise MachineError(
            "the demo challenge can't be drawn: a process that drew photographs was ended from outside",
            hint="try again; the machine may be short of memory",
        ) from error
    return DemoSummary(
        images=len(shots),
        whales=len({shot.whale_id for shot in shots}),
        scenarios=len(scenarios),
        queries=sum(len(scenario.queries) for scenario in scenarios),
    )


def _require_room(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder", hint="name a new folder")
    if folder.is_dir() and (there := sorted(path.name for path in folder.iterdir())):
        raise UsageError(
            f"the folder {folder} isn't empty: {there[0]} is in it",
            hint="name a new folder: the demo challenge is never written over anything",
        )


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `folder` when the block ends well, and vanishes when it doesn't."""
    target = folder.resolve()
    was_there = target.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}-{uuid4().hex[:8]}")
    made.mkdir()
    try:
        yield made
        if was_there:
            _move_into(target, made)
        else:
            made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _move_into(target: Path, made: Path) -> None:
    """Move what was made into an empty folder, which stays the same one for whoever works in it; all or nothing."""
    moved = []
    try:
        for entry in sorted(made.iterdir()):
            moved.append(target / entry.name)
            shutil.move(entry, moved[-1])
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def _draw(seed: int, shots: Sequence[Shot], folder: Path) -> Iterator[list[dict[str, object]]]:
    """Draw all photographs into the folder, animal by animal, and give each animal's rows of metadata.csv."""
    (folder / IMAGES).mkdir()
    by_animal: defaultdict[int, list[Shot]] = defaultdict(list)
    for shot in shots:
        by_animal[shot.encounter.animal].append(shot)
    processes = min(MOST_PROCESSES, os.cpu_count() or 1, len(shots) // WORTH_A_PROCESS)
    if processes < 2:
        yield from (_draw_animal(seed, taken, folder) for taken in by_animal.values())
        return
    # Not forked: the caller may have threads, and a fork copies their locks as they are.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=fresh, initializer=_leave_interrupts_to_parent) as pool:
        jobs = [pool.submit(_draw_animal, seed, taken, folder) for taken in by_animal.values()]
        try:
            yield from (job.result() for job in as_completed(jobs))
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _draw_animal(seed: int, shots: Sequence[Shot], folder: Path) -> list[dict[str, object]]:
    """Save the photographs of one animal, and give their rows of metadata.csv, columns as in the real one."""
    rows: list[dict[str, object]] = []
    for photograph in photograph_animal(seed, shots):
        shot = photograph.shot
        path = f"{IMAGES}/{shot.image_id}.jpg"
        (folder / path).write_bytes(photograph.jpeg)
        rows.append(
            {
                "image_id": shot.image_id,
                "path": path,
                "height": photograph.height,
                "width": photograph.width,
                "viewpoint": shot.view.value,
                "date": shot.moment.date().isoformat(),
                "timestamp": shot.moment.isoformat(sep=" "),
                "whale_id": shot.whale_id,
                "encounter_id": shot.encounter_id,
            }
        )
    return rows
