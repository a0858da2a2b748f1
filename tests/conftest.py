"""What every test may ask for."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import PIL.Image
import pytest

from whaledo.environment.build import environments_folder, find_environment
from whaledo.errors import MachineError
from whaledo.execution.contract import LOG, Limits
from whaledo.execution.engines import BUBBLEWRAP
from whaledo.execution.engines.containers import Containers
from whaledo.execution.records import RunRequest, RunResult
from whaledo.execution.runner import Listener, run
from whaledo.execution.workspace import remove_tree
from whaledo.resources import HOME_VARIABLE

REPOSITORY = Path(__file__).resolve().parents[1]
REQUIRE_ENGINES = "WHALEDO_REQUIRE_ENGINES"
"""The environment variable that makes a test fail where it would be skipped for want of an engine."""


def _real(name: str) -> Path:
    """The folder `name` of the real data, if present; the test is skipped with the reason where it isn't."""
    given = os.environ.get("WHALEDO_REAL_DATA")
    beluga = Path(given) if given else REPOSITORY.parent / "shared" / "beluga"
    folder = beluga if name == "beluga" else beluga.parent / name
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} isn't there (set WHALEDO_REAL_DATA to the photographs' folder)")
    return folder


@pytest.fixture(scope="session")
def beluga() -> Path:
    """The folder of real beluga photographs (layout B, with labels.csv)."""
    return _real("beluga")


@pytest.fixture(scope="session")
def scoring_cases() -> Path:
    """The folder of the metric's edge cases, with the published scorer's answers."""
    return _real("scoring_cases")


VALID_CSV = "query_id,database_image_id,score\nq1,b,0.9\nq1,c,0.1\nq2,a,0.5\n"
"""Answers to both queries of the tiny challenge, by the rules."""

WRITE_VALID_CSV = f"from pathlib import Path\nPath('submission/submission.csv').write_text({VALID_CSV!r})\n"
"""A main.py, or the end of one, that does what a submission has to."""


def _missing(reason: str) -> NoReturn:
    if os.environ.get(REQUIRE_ENGINES) == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _write_tiny_challenge(folder: Path) -> None:
    """Three photographs of two animals, two queries; with labels, and notes that nobody is to see."""
    (folder / "images").mkdir(parents=True)
    rows = ["image_id,path,height,width,viewpoint,date,timestamp,whale_id,encounter_id"]
    for number, (image_id, whale) in enumerate({"a": "ada", "b": "ada", "c": "bo"}.items()):
        PIL.Image.new("RGB", (16, 16), (60 * number, 90, 120)).save(folder / f"images/{image_id}.jpg")
        rows.append(f"{image_id},images/{image_id}.jpg,16,16,top,2019-08-0{number + 1},,{whale},e{number}")
    files = {
        "metadata.csv": "\n".join([*rows, ""]),
        "queries/one.csv": "query_id,query_image_id\nq1,a\nq2,b\n",
        "databases/one.txt": "a\nb\nc\n",
        "labels.csv": "query_id,database_image_id\nq1,b\nq2,a\n",
        "notes/who.txt": "ada is the one with the scar\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def write_zip(path: Path, code: str | Mapping[str, str | bytes]) -> Path:
    """Zip a main.py, or several files by name."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in ({"main.py": code} if isinstance(code, str) else code).items():
            archive.writestr(name, content)
    return path


@dataclass(frozen=True)
class Rooms:
    """Where tests run submissions: a state folder of their own, and the tiny challenge.

    It all lies where another user can reach it, because a run started by root goes on as one.
    """

    folder: Path

    @property
    def home(self) -> Path:
        """What `WHALEDO_HOME` is set to."""
        return self.folder / "home"

    @property
    def data(self) -> Path:
        """The tiny challenge."""
        return self.folder / "data"

    def request(self, code: str | Mapping[str, str | bytes], **changes: Any) -> RunRequest:
        """A request to run this code (main.py, or several files by name) with small limits.

        The zip and the results go to a new folder that every user may write to; `changes` are other fields of
        `Limits` or `RunRequest`.
        """
        place = Path(tempfile.mkdtemp(dir=self.folder))
        place.chmod(0o777)
        limits: dict[str, Any] = {
            "wall_s": 30.0,
            "memory_bytes": 1024**3,
            "processes": 64,
            "disk_bytes": 32 * 1024**2,
            "shm_bytes": 32 * 1024**2,
            "log_bytes": 1024**2,
        }
        limits |= {name: changes.pop(name) for name in [*changes] if name in Limits.__dataclass_fields__}
        given = {
            "submission": str(write_zip(place / "s.zip", code)),
            "data": str(self.data),
            "engine": BUBBLEWRAP,
            "profile": "core",
        }
        return RunRequest(**{**given, "output": str(place / "out"), "limits": Limits(**limits), **changes})

    def printed(self, output: Path | str) -> bytes:
        """What a run printed, as far as it was kept: its log.txt without our own first lines."""
        lines: list[bytes] = Path(output, LOG).read_bytes().splitlines(keepends=True)
        return b"".join(itertools.dropwhile(lambda line: bytes(line).startswith(b"[whaledo: "), lines))

    def run(self, request: RunRequest, listener: Listener | None = None) -> RunResult:
        """Call `run()` in this process, with the state folder of the tests."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(HOME_VARIABLE, str(self.home))
            return run(request, listener)


@pytest.fixture(scope="session")
def rooms() -> Iterator[Rooms]:
    """The rooms, made once; skips, or fails where engines are required, on a host that can't run submissions."""
    if shutil.which("bwrap") is None:
        _missing("needs bubblewrap: there is no `bwrap` on the PATH")
    if find_environment("core") is None:
        _missing("needs the environment `core`: `make setup` builds it")
    rooms = Rooms(Path(tempfile.mkdtemp(prefix="whaledo-tests-")))
    rooms.folder.chmod(0o755)
    rooms.home.mkdir()
    (rooms.home / "environments").symlink_to(environments_folder())
    _write_tiny_challenge(rooms.data)
    try:
        ended = rooms.run(rooms.request("print('up')")).verdict
        if ended.code == "platform_error":
            _missing(f"bubblewrap doesn't work on this host: {ended.message}")
        yield rooms
    finally:
        remove_tree(rooms.folder)


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Skips the test for a reason, or fails it where engines are required."""
    return _missing


@pytest.fixture(scope="session")
def need_engine() -> Callable[[str], str]:
    """Takes an engine's name and returns it; skips, or fails where engines are required, where it can't be used."""
    known: dict[str, str] = {}

    def need(name: str) -> str:
        if name != BUBBLEWRAP and name not in known:
            try:
                Containers(name, "core")
                known[name] = ""
            except MachineError as error:
                known[name] = f"needs {name} with the image of `core`: {error.message}"
        if reason := known.get(name):
            _missing(reason)
        return name

    return need


@pytest.fixture(scope="session")
def valid_csv() -> str:
    """Answers to both queries of the tiny challenge, by the rules."""
    return VALID_CSV


@pytest.fixture(scope="session")
def valid_csv_code() -> str:
    """A main.py, or the end of one, that does what a submission has to."""
    return WRITE_VALID_CSV
