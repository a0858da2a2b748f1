"""How runs end: real submissions behind bubblewrap, and the verdict that each gets."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from whaledo.environment.containers import DOCKER
from whaledo.execution import contract
from whaledo.execution.engines import BUBBLEWRAP
from whaledo.execution.records import Code
from whaledo.execution.runner import Listener

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import RunMain

MIB = 1024**2

pytestmark = pytest.mark.usefixtures("nothing_left")


@dataclass(frozen=True)
class Ending:
    """A submission and how it has to end.

    Attributes:
        code: the verdict.
        main: its main.py, or its files by name.
        says: what the message holds.
        hints: what the hint holds.
        proven: whether the cause is proven.
        limits: what it is run with.
        needs_counters: whether the cause is only inferred where the run has no control group.
    """

    code: Code
    main: str | Mapping[str, str]
    says: str = ""
    hints: str = ""
    proven: bool = True
    limits: Mapping[str, Any] = field(default_factory=dict)
    needs_counters: bool = False


SLEEP = "import time\nwhile True: time.sleep(1)\n"

ENDINGS = {
    "no main.py": Ending(
        Code.NO_MAIN, {"predict.py": ""}, "there is no main.py, only predict.py", "rename predict.py"
    ),
    "main.py one folder down": Ending(Code.NO_MAIN, {"src/main.py": ""}, "in src/", "pack the folder"),
    "a package that isn't there": Ending(
        Code.MISSING_IMPORT,
        "import timm",
        "`timm` can't be imported (main.py, line 1)",
        "`core`",
        proven=False,
    ),
    "an exception": Ending(
        Code.CRASHED,
        {"main.py": "import model\nmodel.rank()", "model.py": "def rank():\n    raise ValueError('no fins')"},
        "ValueError: no fins (model.py, line 2)",
        proven=False,
    ),
    "broken indentation": Ending(
        Code.CRASHED, "def rank():\nreturn 1", "IndentationError: expected an indented block", proven=False
    ),
    "identities that a run doesn't see": Ending(
        Code.CRASHED,
        "import csv\nfor row in csv.DictReader(open('data/metadata.csv')):\n    print(row['whale_id'])",
        "KeyError: 'whale_id'",
        "metadata.csv has no column `whale_id`",
        proven=False,
    ),
    "labels that a run doesn't see": Ending(
        Code.CRASHED,
        "open('data/labels.csv')",
        "FileNotFoundError",
        "`labels.csv` is not there",
        proven=False,
    ),
    "a file that wasn't packed": Ending(
        Code.CRASHED, "open('weights.pt')", "FileNotFoundError", "pack the file", proven=False
    ),
    "a download": Ending(
        Code.CRASHED,
        "from urllib.request import urlopen\nurlopen('http://example.org/weights.pt')",
        "URLError",
        "no network",
        proven=False,
    ),
    "writing to the data": Ending(
        Code.CRASHED, "open('data/metadata.csv', 'a')", "OSError", "./data is read-only", proven=False
    ),
    "a status without a word": Ending(Code.CRASHED, "raise SystemExit(3)", "status 3; it printed nothing"),
    "half a csv, and then a signal": Ending(
        Code.CRASHED,
        "import os\nopen('submission/submission.csv', 'w').write('query_id,data')\nos.kill(os.getpid(), 9)",
        "ended with status 137, as after SIGKILL",
    ),
    "a status that looks like an out-of-memory kill": Ending(
        Code.CRASHED, "import os\nos._exit(137)", "ended with status 137"
    ),
    "a crash of the interpreter": Ending(
        Code.CRASHED,
        "import ctypes\nprint('here', flush=True)\nctypes.string_at(0)",
        "SIGSEGV; its last words: here",
    ),
    "main.py that never ends": Ending(Code.TIMEOUT, SLEEP, "time limit of 0.8 s", limits={"wall_s": 0.8}),
    "main.py that never ends and is busy": Ending(
        Code.TIMEOUT, "while True: pass", "time limit of 0.8 s", "--timeout", limits={"wall_s": 0.8}
    ),
    "main.py that reads its input": Ending(Code.CRASHED, "input()", "EOFError", proven=False),
    "memory, at once": Ending(
        Code.OUT_OF_MEMORY,
        f"x = bytearray(b'x') * (300 << 20)\n{SLEEP}",
        "of 96.0 MiB",
        "--memory",
        limits={"memory_bytes": 96 * MIB},
    ),
    "memory of a child that its parent waits for": Ending(
        Code.OUT_OF_MEMORY,
        "import os\nif os.fork() == 0:\n    x = bytearray(b'x') * (300 << 20)\n    import time; time.sleep(60)\n"
        f"os.wait()\n{SLEEP}",
        limits={"memory_bytes": 96 * MIB},
    ),
    "memory in /dev/shm": Ending(
        Code.OUT_OF_MEMORY,
        f"open('/dev/shm/x', 'wb').write(bytes(160 << 20))\n{SLEEP}",
        limits={"memory_bytes": 96 * MIB, "shm_bytes": 256 * MIB},
    ),
    "memory in files": Ending(
        Code.OUT_OF_MEMORY,
        f"open('/tmp/x', 'wb').write(bytes(160 << 20))\n{SLEEP}",
        limits={"memory_bytes": 96 * MIB, "disk_bytes": 256 * MIB},
    ),
    "too many processes": Ending(
        Code.TOO_MANY_PROCESSES,
        "import os, time\nfor _ in range(100):\n    if os.fork() == 0: time.sleep(60)",
        "limit of 20 processes and threads",
        "--pids",
        limits={"processes": 20},
        needs_counters=True,
    ),
    "too many threads": Ending(
        Code.TOO_MANY_PROCESSES,
        "import time\nfrom threading import Thread\n"
        "for _ in range(100): Thread(target=time.sleep, args=(60,), daemon=True).start()",
        limits={"processes": 20},
        needs_counters=True,
    ),
    "too much written in one place": Ending(
        Code.DISK_FULL,
        "with open('submission/x', 'wb') as f:\n    for _ in range(99): f.write(bytes(1 << 20))",
        "wrote 8.0 MiB of 8.0 MiB",
        "--disk",
        limits={"disk_bytes": 8 * MIB},
    ),
    "too much written in all places together": Ending(
        Code.DISK_FULL,
        "for name in ('x', '/tmp/x', 'submission/x'): open(name, 'wb').write(bytes(3 << 20))",
        limits={"disk_bytes": 8 * MIB},
    ),
    "more asked for than there is, nothing written": Ending(
        Code.DISK_FULL,
        "import os\nos.posix_fallocate(os.open('x', os.O_CREAT | os.O_RDWR), 0, 9 << 20)",
        "No space left on device",
        "--disk",
        proven=False,
        limits={"disk_bytes": 8 * MIB},
    ),
    "shared memory that is too small": Ending(
        Code.DISK_FULL,
        "open('/dev/shm/x', 'wb').write(bytes(5 << 20))",
        "No space left on device",
        "--shm-size",
        proven=False,
        limits={"shm_bytes": 4 * MIB},
    ),
    "a flood of output": Ending(
        Code.LOG_LIMIT,
        "import os\nwhile True: os.write(1, b'whale ' * 10_000)",
        "500 times the log limit",
        limits={"log_bytes": 10_000},
    ),
    "no csv": Ending(
        Code.NO_OUTPUT,
        "import os\nos.mkdir('submission/old')\nopen('submission/result\\n.csv', 'w')",
        "holds 'old', 'result\\n.csv'",
        "./submission/submission.csv",
    ),
    "a csv against the rules": Ending(
        Code.INVALID_OUTPUT,
        "open('submission/submission.csv', 'w').write('query_id,database_image_id,score\\nq1,b,1.5\\n')",
        "breaks the rules in 1 place",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_run_ends_with_the_verdict_that_it_deserves(name: str, run_here: RunMain) -> None:
    check(ENDINGS[name], run_here)


WITHOUT_COUNTERS = [
    name for name, ending in ENDINGS.items() if ending.needs_counters or ending.code is Code.OUT_OF_MEMORY
]
"""Endings whose evidence is another where there is no control group, as an ordinary user may have none."""


@pytest.mark.parametrize("name", WITHOUT_COUNTERS)
def test_limits_hold_for_an_ordinary_user_too(name: str, run_ordinary: RunMain) -> None:
    check(ENDINGS[name], run_ordinary)


def check(ending: Ending, run_main: RunMain) -> None:
    """Run it, and hold its end against what is expected."""
    ran = run_main(ending.main, check=False, **ending.limits)  # test_check.py has what isn't even started
    verdict = ran.verdict
    assert ran.code == ending.code, verdict
    assert verdict["fault"] == "submission"
    assert ending.says in verdict["message"]
    assert ending.hints in verdict["hint"]
    counted = ran.record["engine"] and ran.held("memory") == "enforced"
    inferred = not ending.proven or (ending.needs_counters and not counted)
    assert verdict["proven"] is not inferred
    assert not (ran.output / "submission.csv").exists() or ran.code == "invalid_output"
    assert (ran.output / "log.txt").exists() or verdict["step"] == "unpack"
    if ran.code == "out_of_memory" and counted:
        assert "the kernel killed" in verdict["message"]
        assert verdict["used"] <= verdict["limit"]
    if verdict["limit"] is not None:
        assert verdict["used"] > 0
        assert ran.record["usage"]["wall_s"] < 5


def test_a_good_run_is_ok_and_its_csv_is_delivered(
    run_main: RunMain, valid_csv_code: str, rooms: Rooms
) -> None:
    ran = run_main(f"print('ranking')\n{valid_csv_code}")
    assert ran.code == "ok", ran.verdict
    assert ran.verdict["fault"] is None
    assert ran.verdict["message"] == "submission.csv is valid: 2 of 2 queries answered"
    assert ran.log == b"ranking\n"
    assert (
        (ran.output / "submission.csv").read_text().startswith("query_id,database_image_id,score\nq1,b,0.9\n")
    )
    assert ran.record["rankings"]["rows"] == 3
    assert ran.record["data"]["hidden_columns"] == ["timestamp", "whale_id", "encounter_id"]
    assert ran.record["data"]["hidden_files"] == ["labels.csv", "notes/"]
    assert set(ran.record["steps"]) == {"check", "unpack", "start", "run", "collect", "validate"}
    weak = {name for name in ran.record["engine"]["guarantees"] if ran.held(name) != "enforced"}
    without_root = set() if run_main.root or run_main.engine == DOCKER else {"memory", "process_count"}
    assert weak <= without_root | (set() if run_main.engine == BUBBLEWRAP else {"disk"})


def test_a_text_file_called_zip_is_a_bad_archive(rooms: Rooms) -> None:
    request = rooms.request("")
    Path(request.submission).write_text("this is no zip")
    ended = rooms.run(request).verdict
    assert ended.code == Code.BAD_ARCHIVE
    assert "s.zip" in ended.message


def test_a_cancelled_run_leaves_its_log(rooms: Rooms) -> None:
    request = rooms.request(f"print('started', flush=True)\n{SLEEP}")
    seen: list[bytes] = []
    began = time.monotonic()
    result = rooms.run(request, Listener(output=seen.append, cancelled=lambda: bool(seen)))
    assert result.verdict.code == Code.CANCELLED
    assert result.verdict.fault is None
    assert rooms.printed(request.output) == b"started\n"
    assert time.monotonic() - began < 5


def test_a_run_that_is_cancelled_while_its_csv_is_checked_keeps_the_csv(
    rooms: Rooms, valid_csv_code: str
) -> None:
    request = rooms.request(valid_csv_code)
    steps: list[str] = []
    result = rooms.run(request, Listener(step=steps.append, cancelled=lambda: "validate" in steps))
    assert result.verdict.code == Code.CANCELLED
    assert Path(request.output, "submission.csv").exists()


def test_too_many_files_are_a_full_disk(run_here: RunMain, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("contract", "supervisor", "verdict"):
        monkeypatch.setattr(f"whaledo.execution.{module}.WRITABLE_ENTRIES", 500)
    ran = run_here("for number in range(1000): open(f'/tmp/{number}', 'w')")
    assert ran.code == "disk_full"
    assert "500 files and folders" in ran.verdict["message"]
    assert ran.verdict["limit_name"] == "entries"


def test_every_verdict_of_the_closed_list_is_reached_by_some_test_here() -> None:
    elsewhere = {Code.OK, Code.BAD_ARCHIVE, Code.CANCELLED, Code.PLATFORM_ERROR}
    assert {ending.code for ending in ENDINGS.values()} | elsewhere == set(Code)
    assert contract.OUTPUT_CSV == "submission.csv"
