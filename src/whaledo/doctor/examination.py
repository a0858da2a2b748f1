"""Examine one engine: make every trial's run with it, and lay what was seen beside what the engine claimed.

The runs are ordinary ones, through `execution.runner.run` and a zipped `main.py`: what is examined is what every
submission gets, not a model of it.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whaledo.doctor.bait import Bait, bait
from whaledo.doctor.records import Attempt, EngineReport, Examined
from whaledo.doctor.trials import TRIALS, Seen, Trial, without_control
from whaledo.errors import MachineError
from whaledo.execution.contract import LOG, MAIN
from whaledo.execution.engines import find_engine
from whaledo.execution.records import Guarantee, Held, Level, RunRequest, RunResult
from whaledo.execution.runner import Listener, run
from whaledo.execution.supervisor import Progress
from whaledo.resources import state_folder

PROBE = Path(__file__).with_name("probe.py")

CONTROL_PATIENCE_S = 20.0

_IMAGES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Room:
    """Where trials are made.

    Attributes:
        folder: holds the challenge, the bait, and the zips and outputs of the trials.
        bait: what the host holds out.
        control: by attack, whether it succeeds on the bare host; only of those that harm nothing.
    """

    folder: Path
    bait: Bait
    control: Mapping[str, bool]


@contextmanager
def room() -> Iterator[Room]:
    """Make a room for the trials of all engines; it goes when the block is left.

    Raises:
        MachineError: there is no place for it.
    """
    state = state_folder()
    try:
        state.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(dir=state, prefix="doctor-")
    except OSError as error:
        raise MachineError(
            f"can't make a folder in {state}: {error.strerror}",
            hint="free some space there, or set WHALEDO_HOME to a folder that you can write",
        ) from error
    with place:
        folder = Path(place.name)
        folder.chmod(0o755)  # a run started by root goes on as another user
        data = folder / "data"
        write_challenge(data)
        with bait(folder, data / "labels.csv") as held_out:
            yield Room(folder, held_out, _control(folder, held_out))


def write_challenge(folder: Path) -> None:
    """Write the smallest challenge that a run takes: two photographs of one animal."""
    import PIL.Image

    (folder / "images").mkdir(parents=True)
    for part in ("queries", "databases"):
        (folder / part).mkdir()
    rows = ["image_id,path,height,width,viewpoint,date,timestamp"]
    for number, name in enumerate(_IMAGES):
        PIL.Image.new("RGB", (16, 16)).save(folder / f"images/{name}.jpg")
        rows.append(f"{name},images/{name}.jpg,16,16,top,2019-08-0{number + 1},")
    (folder / "metadata.csv").write_text("\n".join([*rows, ""]))
    (folder / "queries/one.csv").write_text("query_id,query_image_id\nq1,first\n")
    (folder / "databases/one.txt").write_text("first\nsecond\n")
    (folder / "labels.csv").write_text("query_id,database_image_id\nq1,second\n")


def _control(folder: Path, held_out: Bait) -> dict[str, bool]:
    """Have the probe attack from outside the walls, with what harms nothing."""
    outside = folder / "control"
    outside.mkdir()
    (outside / PROBE.name).write_bytes(PROBE.read_bytes())
    (outside / "bait.json").write_text(json.dumps({**held_out.facts, "image": ""}))
    words = [sys.executable, "-I", "-S", str(outside / PROBE.name), "control"]
    try:
        asked = subprocess.run(
            words, capture_output=True, timeout=CONTROL_PATIENCE_S, check=True, cwd=outside
        )
    except subprocess.SubprocessError as error:
        raise MachineError(
            f"the probe doesn't work outside of any walls: {error}",
            hint="please report it, with what `whaledo doctor --json` prints",
        ) from error
    return {each["what"]: each["broke"] for each in json.loads(asked.stdout)["attacks"]}


def examine(
    engine: str,
    room: Room,
    mend: Callable[[str, Guarantee, Held], str],
    on_trial: Callable[[str, str], None] = lambda _engine, _trial: None,
    trials: Sequence[Trial] = TRIALS,
) -> EngineReport:
    """Make every trial with one engine; a report also where the engine can't be used.

    Args:
        engine: its name.
        room: where.
        mend: says what line would have the engine enforce a guarantee, by what it claims of it.
        on_trial: called before each trial.
        trials: the trials.
    """
    began = time.monotonic()
    try:
        found = find_engine(RunRequest("", "", "", engine))
        version = found.version()
    except MachineError as error:
        return EngineReport(engine, absent=True, unusable=error.message, mend=error.hint)
    attempts: list[Attempt] = []
    claims: dict[Guarantee, Held] = {}
    for trial in trials:
        on_trial(engine, trial.name)
        seen = make_run(engine, trial, room)
        if not seen.result.engine:
            ended = seen.result.verdict
            return EngineReport(engine, version, unusable=ended.message, mend=ended.hint)
        for name in trial.guarantees:
            said = seen.result.engine["guarantees"][name.value]
            claim = Held(Level(said["level"]), said["by"])
            claims[name] = weaker(claims.get(name, claim), claim)
        attempts += trial.judge(seen)
    attempts = without_control(attempts, room.control)
    examined = tuple(
        Examined(
            name,
            claims[name],
            tuple(attempt for attempt in attempts if attempt.guarantee is name),
            mend(engine, name, claims[name]),
        )
        for name in Guarantee
        if name in claims
    )
    wall_s = time.monotonic() - began
    return EngineReport(engine, version, found.packages.profile, guarantees=examined, wall_s=round(wall_s, 3))


def weaker(first: Held, second: Held) -> Held:
    """Of two claims of one guarantee, in two runs, the one that promises less."""
    order = list(Level)
    return second if order.index(second.level) > order.index(first.level) else first


def make_run(engine: str, trial: Trial, room: Room) -> Seen:
    """Make the run of one trial."""
    token = f"wd-{secrets.token_hex(5)}"
    place = Path(tempfile.mkdtemp(dir=room.folder, prefix=f"{engine}-{trial.name}-"))
    place.chmod(0o755)
    told = {
        **room.bait.facts,
        **trial.bait,
        "trial": trial.name,
        "token": token,
        "image": f"data/images/{_IMAGES[0]}.jpg",
    }
    with zipfile.ZipFile(place / "probe.zip", "w") as archive:
        archive.writestr(MAIN, PROBE.read_text("utf-8"))
        archive.writestr("bait.json", json.dumps(told))
    watcher = _Watcher(token)
    zip_path, data, output = (
        str(each) for each in (place / "probe.zip", room.folder / "data", place / "out")
    )
    request = RunRequest(zip_path, data, output, engine, limits=trial.limits, check=False)
    result = run(request, Listener(progress=watcher.look))
    return _what_was_seen(result, place / "out", watcher, room)


def _what_was_seen(result: RunResult, output: Path, watcher: _Watcher, room: Room) -> Seen:
    log = output / LOG
    return Seen(
        result,
        said=last_document(log.read_bytes()) if log.exists() else None,
        log_bytes=log.stat().st_size if log.exists() else 0,
        alive=bool(processes_named(watcher.token)) if watcher.uid is not None else None,
        uid=watcher.uid,
        killed=room.bait.killed,
        processors=os.cpu_count() or 1,
    )


def last_document(log: bytes) -> Mapping[str, Any] | None:
    """The last line of a log that is a JSON document; None where none is."""
    for line in reversed(log.splitlines()):
        if line.startswith(b"{"):
            with suppress(ValueError):
                document: Mapping[str, Any] = json.loads(line)
                return document
    return None


class _Watcher:
    """Looks from the host for the run's processes, until it has seen one."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.uid: int | None = None

    def look(self, _: Progress) -> None:
        if self.uid is None:
            self.uid = next(iter(processes_named(self.token)), None)


def processes_named(token: str) -> list[int]:
    """The users of all processes on this host that call themselves so, dead ones left out."""
    users = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, LookupError):
            said = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if said["Name"] == token and not said["State"].startswith("Z"):
                users.append(int(said["Uid"].split()[0]))
    return users
