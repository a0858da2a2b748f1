"""The folder that a run leaves its results in: one run at a time, and no earlier result lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whaledo.errors import MachineError, UsageError
from whaledo.execution.output import open_log, output_folder, set_aside, write_record

RESULTS = ("submission.csv", "log.txt", "run.json")


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    with output_folder(tmp_path / "a" / "b") as folder:
        assert folder.is_dir()


def test_a_second_run_is_refused_and_the_folder_is_free_afterwards(tmp_path: Path) -> None:
    with (
        output_folder(tmp_path),
        pytest.raises(UsageError, match="another run is writing to") as caught,
        output_folder(tmp_path),
    ):
        pass
    assert "--output" in caught.value.hint
    with output_folder(tmp_path):
        pass


def test_a_whaledo_that_is_killed_lets_the_folder_go(tmp_path: Path) -> None:
    hold = "import sys, time\nfrom pathlib import Path\nfrom whaledo.execution.output import output_folder\n"
    hold += "with output_folder(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(UsageError), output_folder(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with output_folder(tmp_path):
        pass


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/whaledo", "/dev/null"])
def test_a_folder_that_cant_be_is_said_with_a_way_out(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="can't be used") as caught, output_folder(tmp_path / place):
        pass
    assert "--output" in caught.value.hint


def test_a_file_system_without_locks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("whaledo.execution.output.fcntl.flock", flock)
    with pytest.raises(MachineError, match="No locks available"), output_folder(tmp_path):
        pass


def test_results_move_to_previous_and_replace_those_of_the_run_before(tmp_path: Path) -> None:
    for text in ("first", "second"):
        for name in RESULTS:
            (tmp_path / name).write_text(text)
        set_aside(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["previous"]
    assert {(tmp_path / "previous" / name).read_text() for name in RESULTS} == {"second"}


def test_a_run_that_left_less_doesnt_leave_older_results_beside_its_own(tmp_path: Path) -> None:
    for name in RESULTS:
        (tmp_path / name).write_text("first")
    set_aside(tmp_path)
    (tmp_path / "log.txt").write_text("second")
    set_aside(tmp_path)
    assert [path.name for path in (tmp_path / "previous").iterdir()] == ["log.txt"]


def test_other_files_stay_where_they_are_and_an_empty_folder_stays_empty(tmp_path: Path) -> None:
    set_aside(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "submission.zip").write_text("zip")
    (tmp_path / "log.txt").write_text("log")
    set_aside(tmp_path)
    assert (tmp_path / "submission.zip").exists()


def test_a_result_that_is_a_dead_link_is_moved_too(tmp_path: Path) -> None:
    (tmp_path / "submission.csv").symlink_to("nowhere")
    set_aside(tmp_path)
    assert (tmp_path / "previous" / "submission.csv").is_symlink()


def test_what_cant_be_moved_is_said(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("log")
    (tmp_path / "previous").write_text("a file where the folder should be")
    with pytest.raises(MachineError, match="can't be used"):
        set_aside(tmp_path)
    assert (tmp_path / "log.txt").read_text() == "log"


@pytest.mark.parametrize("there", ["file", "link"])
def test_the_log_is_never_written_over_or_through_what_is_there(there: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    if there == "link":
        (tmp_path / "log.txt").symlink_to(target)
    else:
        target.rename(tmp_path / "log.txt")
    with pytest.raises(MachineError):
        open_log(tmp_path)
    assert (tmp_path / "log.txt").read_text() == "kept"


def test_the_record_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_record(tmp_path, {"run": "first"})

    def fail(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(MachineError, match="No space left"):
            write_record(tmp_path, {"run": "second"})
    assert json.loads((tmp_path / "run.json").read_text()) == {"run": "first"}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_record_with_a_path_that_isnt_utf8_reads_back(tmp_path: Path) -> None:
    record = {"path": os.fsdecode(b"whale\xff"), "text": "Ünïcødé 🐋"}
    write_record(tmp_path, record)
    assert json.loads((tmp_path / "run.json").read_text("utf-8")) == record
