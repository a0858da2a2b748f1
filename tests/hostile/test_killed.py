"""Killed at any moment, whaledo leaves no process, mount, container or half a csv; the next run clears the rest.

Nobody can catch SIGKILL, so what is tested is the order in which things are done. Each run here goes over an earlier
result, which must be there whatever the moment.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from whaledo.execution.engines import BUBBLEWRAP
from whaledo.execution.records import RunRequest
from whaledo.resources import HOME_VARIABLE

if TYPE_CHECKING:
    from tests.execution.conftest import RunMain

PR_SET_CHILD_SUBREAPER = 36
PARTS = 6
"""A run makes some two hundred changes; so many of them, evenly spread, are tried beside the steps' beginnings."""

MOMENTS = (
    *("check", "unpack", "smoke", "start", "run", "output", "collect", "validate"),
    *("start+0.01", "start+0.03", "start+0.1", "start+0.3"),
    *map(str, range(1, PARTS + 1)),
)
"""Beginnings of steps, seconds after one, and parts of all changes."""

CODE_S = 1
"""How long code of the run may go on."""

PATIENCE_S = {BUBBLEWRAP: 1, "docker": 3, "podman": 3}
"""How long anything else may be there: an engine of containers has its own work to do first."""

EARLIER = "query_id,database_image_id,score\nq1,b,0.5\n"
RANKED = "query_id,database_image_id,score\nq1,b,0.5\nq1,c,0.25\nq2,a,0.5\nq2,c,0.25\n"
MAIN = """
import csv, pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print('up', flush=True)
time.sleep({longer_s})
rows = ['query_id,database_image_id,score']
for queries in sorted(pathlib.Path('data/queries').iterdir()):
    database = pathlib.Path('data/databases', queries.stem + '.txt').read_text().split()
    for query in csv.DictReader(queries.open()):
        others = [image for image in database if image != query['query_image_id']]
        rows += [f"{{query['query_id']}},{{image}},{{0.5 ** rank}}" for rank, image in enumerate(others, 1)]
pathlib.Path('submission/submission.csv').write_text('\\n'.join(rows) + '\\n')
"""


@dataclass(frozen=True)
class Dying:
    """Makes runs that end in the middle.

    Attributes:
        run_main: with what engine, and as whom.
        become: what comes before a command for that.
        home: where that user's whaledo keeps its runs.
        variables: that user's environment.
    """

    run_main: RunMain
    become: tuple[str, ...]
    home: Path
    variables: Mapping[str, str]

    def request(self, longer_s: int = 0) -> RunRequest:
        """A run that goes through every step, over an earlier result; its code takes so many seconds longer."""
        main = MAIN.format(longer_s=longer_s)
        request = self.run_main.rooms.request(main, engine=self.run_main.engine, smoke=1)
        output = Path(request.output)
        output.mkdir(exist_ok=True)
        (output / "submission.csv").write_text(EARLIER)
        if self.become:
            for path in (output, output / "submission.csv"):
                os.chown(path, self.home.stat().st_uid, self.home.stat().st_gid)
        return request

    def go(self, request: RunRequest, moment: str) -> subprocess.CompletedProcess[str]:
        """Run it up to this moment."""
        program = Path(__file__).with_name("killed.py")
        return subprocess.run(
            [*self.become, sys.executable, str(program), json.dumps(request.to_json()), moment],
            env=self.variables,
            cwd="/",
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )

    def runs(self) -> set[str]:
        """Names of the runs that left something."""
        return {path.stem for path in (self.home / "runs").iterdir()}

    def containers(self, runs: set[str]) -> list[str]:
        """The containers of these runs that are still there, stopped ones too."""
        if self.run_main.engine == BUBBLEWRAP:
            return []
        words = [*self.become, self.run_main.engine, "ps", "--all", "--format", "{{.Names}}"]
        asked = subprocess.run(words, env=self.variables, cwd="/", capture_output=True, text=True, check=True)
        return [name for name in asked.stdout.split() if any(name.endswith(run) for run in runs)]


@pytest.fixture(scope="session")
def dying(run_main: RunMain, request: pytest.FixtureRequest) -> Dying:
    """Makes runs that end in the middle, with each engine, as each user."""
    if run_main.worker is None:
        home = run_main.rooms.home
        return Dying(run_main, (), home, {**os.environ, HOME_VARIABLE: str(home)})
    user = request.getfixturevalue("ordinary_user")
    return Dying(run_main, user.become, user.home, user.variables)


@pytest.fixture(scope="session")
def changes(dying: Dying) -> int:
    """How many changes a run makes that nobody kills."""
    request = dying.request()
    done = dying.go(request, "never")
    number, code = done.stdout.split()[-2:]
    assert code == "ok", done.stdout
    assert Path(request.output, "submission.csv").read_text() == RANKED
    return int(number)


@pytest.fixture
def orphans(changes: int) -> Iterator[Callable[[], list[psutil.Process]]]:
    """Makes us the parent of whatever a dead whaledo leaves; says what of it is alive."""
    ours = set(psutil.Process().children(recursive=True))
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)

    def alive() -> list[psutil.Process]:
        children = psutil.Process().children(recursive=True)
        return [child for child in children if child not in ours and not is_dead(child)]

    yield alive
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def is_dead(process: psutil.Process) -> bool:
    """Whether it is no more, or only waits for somebody to notice."""
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            process.wait(0)
            return True
    except psutil.Error:
        return True
    return False


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_it_leaves_nothing_that_the_next_run_doesnt_clear(
    moment: str, dying: Dying, changes: int, orphans: Callable[[], list[psutil.Process]]
) -> None:
    request = dying.request(longer_s=1 if "+" in moment else 0)
    at = str(changes * int(moment) // PARTS) if moment.isdigit() else moment
    done = dying.go(request, at)
    assert done.returncode < 0 or moment == str(PARTS), done.stdout
    name, began = dying.run_main.rooms.folder.name, time.monotonic()
    while (going_on := programs(name)) and time.monotonic() < began + CODE_S:
        time.sleep(0.02)
    assert going_on == []
    runs, deadline = dying.runs(), began + PATIENCE_S[dying.run_main.engine]
    while (left := [*orphans(), *dying.containers(runs)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == []
    assert [pid for pid in psutil.pids() if name in mounts_of(pid)] == []
    whole_csvs(Path(request.output))
    no_zip = Path(request.submission).with_name("none.zip")
    no_zip.write_text("this is none")
    assert dying.run_main("", submission=str(no_zip)).code == "bad_archive"
    assert dying.runs() == set()
    groups = [name for _, folders, _ in os.walk("/sys/fs/cgroup") for name in folders]
    assert [name for name in groups if any(run in name for run in runs)] == []


def programs(name: str) -> list[int]:
    """What runs `main.py`, or was started by it, in the walls of a run below a folder of this name."""
    alive = psutil.process_iter(["name"])
    return [
        each.pid for each in alive if each.info["name"].startswith("python") and name in mounts_of(each.pid)
    ]


def whole_csvs(output: Path) -> None:
    """The earlier csv is in its place or in the folder of what was set aside, and any other is whole."""
    present = [
        path for path in (output / "submission.csv", output / "previous/submission.csv") if path.exists()
    ]
    texts = [path.read_text() for path in present]
    assert EARLIER in texts
    assert set(texts) <= {EARLIER, RANKED}


def mounts_of(pid: int) -> str:
    """What a process sees of the host's file systems; nothing if it is dead or not ours to look at."""
    try:
        return Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ""
