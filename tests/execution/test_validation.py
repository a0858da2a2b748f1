"""Holding a fetched csv to the rules, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from whaledo.errors import MachineError
from whaledo.execution import validation
from whaledo.execution.validation import validate_csv

HEADER = "query_id,database_image_id,score\n"
RUN = "runpy.run_module('whaledo.scoring.validate', run_name='__main__')"
SLEEPER = validation._CHECKER.replace(RUN, "import time; time.sleep(60)")
"""A checker that never comes to an end."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A challenge of two queries; images aren't looked at here."""
    folder = tmp_path / "data"
    for name, text in {
        "metadata.csv": "image_id,path,whale_id\na,images/a.jpg,ada\nb,images/b.jpg,ada\nc,images/c.jpg,bo\n",
        "queries/one.csv": "query_id,query_image_id\nq1,a\nq2,b\n",
        "databases/one.txt": "a\nb\nc\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def checkers() -> list[psutil.Process]:
    """Checkers of ours that are still there."""
    return [child for child in psutil.Process().children() if SLEEPER in child.cmdline()]


def write(folder: Path, text: str) -> Path:
    path = folder / "submission.csv"
    path.write_text(text)
    return path


def test_a_valid_csv_is_counted(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "csv.py").write_text("raise SystemExit('imported from the folder we were started in')")
    (tmp_path / "whaledo").mkdir()
    (tmp_path / "whaledo" / "__init__.py").write_text("raise SystemExit('a fake whaledo')")
    monkeypatch.chdir(tmp_path)
    found = validate_csv(write(tmp_path, f"{HEADER}q1,b,0.9\nq1,c,0.5\n"), data)
    assert found is not None
    assert (found.rows, found.queries, found.unanswered, found.errors) == (2, 2, 1, 0)
    assert found.details == ()
    assert len(found.warnings) == 1
    assert "q2" in found.warnings[0]


def test_every_broken_rule_is_named_with_its_line_and_its_fix(data: Path, tmp_path: Path) -> None:
    rows = "".join(f"q1,nothing{number},0.5\n" for number in range(30))
    found = validate_csv(write(tmp_path, f"{HEADER}q1,b,1.5\nq9,b,0.5\n{rows}"), data)
    assert found is not None
    assert found.errors == 1 + 1 + 30 + 1, found.details
    assert [line for line in found.details if line.startswith("line 2: the score 1.5 ")]
    assert [line for line in found.details if line.startswith("line 3: ") and "'q9'" in line]
    assert "… and 10 more like these" in found.details


def test_a_checker_that_fails_is_our_failure(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_CHECKER", "raise SystemExit('out of order')")
    with pytest.raises(MachineError, match="could not be checked: out of order"):
        validate_csv(write(tmp_path, HEADER), data)


def test_data_that_went_away_meanwhile_are_named_with_what_to_do(data: Path, tmp_path: Path) -> None:
    (data / "metadata.csv").unlink()
    with pytest.raises(MachineError, match=r"data has changed since the run began .*metadata\.csv") as caught:
        validate_csv(write(tmp_path, HEADER), data)
    assert "Traceback" not in caught.value.message
    assert "run it once more" in caught.value.hint


def test_threads_that_outlive_the_answer_dont_spoil_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pyarrow's do at times: an end of the interpreter in due form would wait for them, or abort."""
    late = "import threading, time; threading.Thread(target=time.sleep, args=(30,)).start()"
    monkeypatch.setattr(validation, "_CHECKER", validation._CHECKER.replace(RUN, f"{RUN}; {late}"))
    began = time.monotonic()
    assert validate_csv(write(tmp_path, f"{HEADER}q1,b,0.9\n"), data) is not None
    assert time.monotonic() - began < 25


def test_a_checker_that_hangs_is_given_up(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_CHECKER", SLEEPER)
    monkeypatch.setattr(validation, "PATIENCE_S", 0.3)
    with pytest.raises(MachineError, match="within 0 s"):
        validate_csv(write(tmp_path, HEADER), data)
    assert checkers() == []


def test_a_cancelled_check_ends_at_once(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_CHECKER", SLEEPER)
    began = time.monotonic()
    assert validate_csv(write(tmp_path, HEADER), data, lambda: True) is None
    assert time.monotonic() - began < 5
    assert checkers() == []


def test_the_memory_of_the_checker_is_limited(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_CHECKER", "import time; time.sleep(0.3); bytearray(300 << 20)")
    monkeypatch.setattr(validation, "MEMORY_BYTES", 200 << 20)
    with pytest.raises(MachineError, match="MemoryError"):
        validate_csv(write(tmp_path, HEADER), data)


def test_the_checker_ends_with_us(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\nfrom whaledo.execution import validation\n"
        f"validation._CHECKER = {SLEEPER!r}\nvalidation.validate_csv(Path('x'), Path('y'))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as caller:
        deadline = time.monotonic() + 20
        while not (children := psutil.Process(caller.pid).children()) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)  # for it to come past its first line
        caller.kill()
    _, alive = psutil.wait_procs(children, timeout=1)
    assert children
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
