"""Real runs behind bubblewrap: by whoever runs the tests and, where that is root, by an ordinary user too."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

import whaledo
from whaledo.environment.access import closed_folder
from whaledo.environment.containers import PODMAN
from whaledo.environment.image import reference
from whaledo.execution.engines import BUBBLEWRAP
from whaledo.execution.engines.base import Order
from whaledo.execution.engines.bubblewrap import Bubblewrap, BubblewrapSandbox
from whaledo.execution.records import RunRequest
from whaledo.execution.workspace import remove_tree
from whaledo.resources import HOME_VARIABLE

if TYPE_CHECKING:
    from tests.conftest import Rooms

ORDINARY_UID = 60_951
"""The ordinary user of the tests: a number that nobody has."""

SECRET = "XyZZy-8d1f"

DOCKER_SOCKET = Path("/var/run/docker.sock")

PATIENCE_S = 120


@dataclass(frozen=True)
class Ran:
    """One run, as its record and its output folder tell it."""

    rooms: Rooms
    output: Path
    record: Mapping[str, Any]

    @property
    def verdict(self) -> Mapping[str, Any]:
        """The verdict, as run.json has it."""
        verdict: Mapping[str, Any] = self.record["verdict"]
        return verdict

    @property
    def code(self) -> str:
        """How it ended."""
        return str(self.verdict["code"])

    @property
    def log(self) -> bytes:
        """What it printed, as far as it was kept."""
        return self.rooms.printed(self.output)

    @property
    def findings(self) -> dict[str, Any]:
        """The JSON document that the submission printed as its last line."""
        assert self.log, self.verdict
        document: dict[str, Any] = json.loads(self.log.splitlines()[-1])
        return document

    def held(self, guarantee: str) -> str:
        """The level at which a guarantee held."""
        return str(self.record["engine"]["guarantees"][guarantee]["level"])


@dataclass
class RunMain:
    """Runs a main.py and returns how it went.

    Attributes:
        rooms: where.
        root: whether the runs are started by root.
        engine: what they are run with.
        worker: the process that runs them as an ordinary user; None where they run in this process.
    """

    rooms: Rooms
    root: bool
    engine: str = BUBBLEWRAP
    worker: subprocess.Popen[str] | None = None

    def __call__(self, code: str | Mapping[str, str | bytes], **changes: Any) -> Ran:
        request = self.rooms.request(code, engine=self.engine, **changes)
        record = self.rooms.run(request).to_json() if self.worker is None else self._ask(self.worker, request)
        ran = Ran(self.rooms, Path(request.output), json.loads(json.dumps(record)))
        assert ran.record == json.loads((ran.output / "run.json").read_text())
        return ran

    def _ask(self, worker: subprocess.Popen[str], request: RunRequest) -> Mapping[str, Any]:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(request.to_json()) + "\n")
        worker.stdin.flush()
        assert select.select([worker.stdout], [], [], PATIENCE_S)[0], "the run doesn't end"
        record: Mapping[str, Any] = json.loads(worker.stdout.readline())
        return record


@pytest.fixture(scope="session")
def secret() -> str:
    """What the worker's environment holds, and no submission may learn."""
    return SECRET


@dataclass(frozen=True)
class OrdinaryUser:
    """How to be one.

    Attributes:
        become: what to put before a command.
        home: a state folder of that user's own.
        variables: its environment, for the engines' programs.
    """

    become: tuple[str, ...]
    home: Path
    variables: Mapping[str, str]

    def has_own_image(self) -> bool:
        """Whether there is Podman with the image of `core` in a store of this user's own."""
        asking = [*self.become, PODMAN, "image", "exists", reference("core")]
        try:
            return subprocess.run(asking, env=self.variables, capture_output=True, cwd="/").returncode == 0
        except OSError:
            return False


@pytest.fixture(scope="session")
def ordinary_user(rooms: Rooms) -> OrdinaryUser:
    """An ordinary user that root can become; skips where whoever runs the tests is one already."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root, with setpriv, can become another user")
    for needed in (Path(sys.executable), Path(__file__), Path(whaledo.__file__)):
        if closed := closed_folder(needed.parent):
            pytest.skip(f"an ordinary user can't enter {closed}, which {needed.name} lies below")
    home = rooms.folder / "ordinary"
    home.mkdir()
    (home / "environments").symlink_to(rooms.home / "environments")
    os.chown(home, ORDINARY_UID, ORDINARY_UID)
    groups = "--clear-groups"
    if DOCKER_SOCKET.exists():
        groups = f"--groups={DOCKER_SOCKET.stat().st_gid}"
    become = (setpriv, f"--reuid={ORDINARY_UID}", f"--regid={ORDINARY_UID}", groups)
    variables = {HOME_VARIABLE: str(home), "PATH": os.environ["PATH"]}
    with contextlib.suppress(KeyError):
        variables["HOME"] = pwd.getpwuid(ORDINARY_UID).pw_dir
    return OrdinaryUser(become, home, variables)


@pytest.fixture(scope="session")
def worker(rooms: Rooms, ordinary_user: OrdinaryUser) -> Iterator[subprocess.Popen[str]]:
    """A process that runs submissions as an ordinary user, who may talk to Docker."""
    labels = os.open(rooms.data / "labels.csv", os.O_RDONLY)  # for walls to keep from the submission
    started = subprocess.Popen(
        [*ordinary_user.become, sys.executable, str(Path(__file__).with_name("worker.py"))],
        env={**ordinary_user.variables, "API_KEY": SECRET},
        pass_fds=[labels],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    os.close(labels)
    yield started
    started.kill()
    started.communicate()


@pytest.fixture(scope="session")
def run_here(rooms: Rooms) -> RunMain:
    """Runs a main.py in this process, as whoever runs the tests."""
    return RunMain(rooms, root=os.geteuid() == 0)


@pytest.fixture(scope="session")
def run_ordinary(rooms: Rooms, worker: subprocess.Popen[str]) -> RunMain:
    """Runs a main.py as an ordinary user; skips where whoever runs the tests is one."""
    return RunMain(rooms, root=False, worker=worker)


EVERYWHERE = (
    *("bubblewrap-us", "bubblewrap-ordinary"),
    *("docker-us", "docker-ordinary"),
    *("podman-us", "podman-ordinary"),
)
"""Engines, and who runs them: whoever runs the tests and, if that is root, an ordinary user too."""


@pytest.fixture(scope="session", params=EVERYWHERE)
def run_main(
    request: pytest.FixtureRequest,
    need_engine: Callable[[str], str],
    missing: Callable[[str], NoReturn],
) -> RunMain:
    """Runs a main.py; each test does it with every engine, and each engine is started by whoever may start it."""
    name, who = request.param.split("-")
    if request.param == "podman-ordinary":
        ordinary: OrdinaryUser = request.getfixturevalue("ordinary_user")
        if not ordinary.has_own_image():
            missing(
                f"needs a user {ORDINARY_UID} with subordinate ids, and the image of `core` in its own store"
            )
    runner: RunMain = request.getfixturevalue("run_here" if who == "us" else "run_ordinary")
    return replace(runner, engine=need_engine(name))


@pytest.fixture
def nothing_left(rooms: Rooms) -> Iterator[None]:
    """After the test nothing of a run is left: no folder and no lock."""
    yield
    for home in (rooms.home, rooms.folder / "ordinary"):
        assert list((home / "runs").glob("*")) == []


@pytest.fixture
def without_private_mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that refuses a mount namespace around bubblewrap, so that the walls stand without one."""

    def start(engine: Bubblewrap, order: Order) -> BubblewrapSandbox | None:
        return engine._attempt(order, "not on this host")[0]

    monkeypatch.setattr(Bubblewrap, "start", start)


@pytest.fixture
def tree() -> Iterator[Path]:
    """A folder to be made and filled, in memory where it can be: thousands of folders on a disk are slow."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="whaledo-tests-", dir=memory if memory.is_dir() else None))
    yield folder / "tree"
    remove_tree(folder)
