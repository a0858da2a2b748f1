"""A disk that is full at any moment of a run is said to be so, blames nobody else, and costs no earlier result."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import VALID_CSV, WRITE_VALID_CSV

from whaledo.errors import Fault, MachineError
from whaledo.execution.records import Code, RunRequest

if TYPE_CHECKING:
    from tests.conftest import Rooms

PAGE = 4096
DISK_BYTES = 128 * PAGE
FREE_PAGES = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
"""What is left free when a run begins: it gets a little further each time."""

EARLIER = VALID_CSV.replace("0.9", "0.8")
MAIN = f"import os\nfor _ in range(16): os.write(1, b'whale\\n' * 300)\n{WRITE_VALID_CSV}"


@pytest.fixture
def disk(rooms: Rooms) -> Iterator[Path]:
    """A disk of half a megabyte."""
    place = rooms.folder / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs", str(place)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        place.rmdir()
        pytest.skip(f"only root can mount a small disk: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


def fill(disk: Path, free_pages: int) -> Path:
    """Write a file that leaves so much free; return it."""
    filler = disk / "filler"
    filler.write_bytes(bytes(PAGE))  # with the page that the folder needs for it, if any
    room = os.statvfs(disk).f_bavail * PAGE + PAGE - free_pages * PAGE
    filler.write_bytes(bytes(room))
    return filler


def run_on_a_full_disk(rooms: Rooms, request: RunRequest) -> str:
    """Run it; return how it ended, which has to be well or as our own failure, for want of space."""
    error = None
    try:
        verdict = rooms.run(request).verdict
    except MachineError as raised:
        error = raised
    if error is not None:
        assert "No space left on device" in error.message
        return "raised"
    if verdict.code is not Code.OK:
        assert (verdict.code, verdict.fault) == (Code.PLATFORM_ERROR, Fault.MACHINE), verdict
        assert re.search("No space left on device|there is no room", verdict.message)
        assert verdict.hint
    return verdict.code.value


def test_where_results_go(rooms: Rooms, disk: Path) -> None:
    ends = []
    for free_pages in FREE_PAGES:
        output = disk / f"out-{free_pages}"
        output.mkdir()
        (output / "submission.csv").write_text(EARLIER)
        request = RunRequest.from_json({**rooms.request(MAIN).to_json(), "output": str(output)})
        filler = fill(disk, free_pages)
        ends.append(run_on_a_full_disk(rooms, request))
        present = [
            path for path in (output / "submission.csv", output / "previous/submission.csv") if path.exists()
        ]
        texts = [path.read_text() for path in present]
        assert EARLIER in texts
        assert set(texts) <= {EARLIER, VALID_CSV}
        assert [path.name for path in output.glob(".*.part")] == []
        filler.unlink()
        assert rooms.run(request).verdict.code is Code.OK, "with room again it goes well"
        assert list((rooms.home / "runs").iterdir()) == []
        shutil.rmtree(output)
    assert ends[0] == "raised"
    assert ends[-1] == "ok"


def test_where_runs_are_made(rooms: Rooms, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whaledo.execution.runner.state_folder", lambda: disk / "home")
    ends = []
    for free_pages in FREE_PAGES:
        request = rooms.request(MAIN)
        filler = fill(disk, free_pages)
        ends.append(run_on_a_full_disk(rooms, request))
        filler.unlink()
        runs = disk / "home" / "runs"
        assert not runs.exists() or list(runs.iterdir()) == []
    assert ends[0] == "platform_error"
    assert ends[-1] == "ok"
