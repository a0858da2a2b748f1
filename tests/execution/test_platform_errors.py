"""Our own failures: each is a `platform_error` or is raised before the run, says why, and blames nobody else."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.errors import BadData, Fault, MachineError, UsageError
from whaledo.execution import validation
from whaledo.execution.contract import Network
from whaledo.execution.engines import bubblewrap, find_engine
from whaledo.execution.records import Code, RunRequest, Step, Verdict
from whaledo.execution.runner import Listener

if TYPE_CHECKING:
    from tests.conftest import Rooms

pytestmark = pytest.mark.usefixtures("nothing_left")


class Bwrap:
    """Puts another program in bubblewrap's place."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch, self._real = folder, patch, shutil.which("bwrap")

    def does(self, script: str) -> None:
        """Make `bwrap` this shell script, in which `$REAL` is bubblewrap itself."""
        program = self._folder / "bwrap"
        program.write_text(f"#!/bin/sh\nREAL={self._real}\n{script}\n")
        program.chmod(0o755)
        self._patch.setenv("PATH", f"{self._folder}:{os.environ['PATH']}")


@pytest.fixture
def bwrap(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bwrap]:
    """Bubblewrap, to be replaced."""
    folder = rooms.folder / "bin"
    folder.mkdir()
    yield Bwrap(folder, monkeypatch)
    shutil.rmtree(folder)


def platform_error(rooms: Rooms, request: RunRequest) -> Verdict:
    """Run it; it has to end as a failure of ours, with a record."""
    ended = rooms.run(request).verdict
    assert (ended.code, ended.fault) == (Code.PLATFORM_ERROR, Fault.MACHINE), ended
    record = json.loads(Path(request.output, "run.json").read_text())
    assert record["verdict"]["code"] == "platform_error"
    return ended


def test_bubblewrap_that_isnt_installed(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    request = rooms.request("")
    with pytest.raises(MachineError, match="bubblewrap isn't installed") as caught:
        rooms.run(request)
    assert "apt install bubblewrap" in caught.value.hint
    assert not Path(request.output).exists()


def test_bubblewrap_that_cant_build_its_walls_is_quoted_with_a_way_out(rooms: Rooms, bwrap: Bwrap) -> None:
    bwrap.does("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1")
    ended = platform_error(rooms, rooms.request("print('never')"))
    assert ended.step == Step.START
    assert "setting up uid map: Permission denied" in ended.message
    assert "apparmor" in ended.hint


def test_bubblewrap_that_is_too_old(rooms: Rooms, bwrap: Bwrap) -> None:
    bwrap.does("echo 'bwrap: Unknown option --disable-userns' >&2; exit 1")
    assert "newer" in platform_error(rooms, rooms.request("")).hint


def test_bubblewrap_that_starts_everything_but_submissions(rooms: Rooms, bwrap: Bwrap) -> None:
    bwrap.does('case "$*" in *main.py) exit 1;; esac; exec $REAL "$@"')
    assert platform_error(rooms, rooms.request("")).step == Step.START


def test_bubblewrap_that_hangs(rooms: Rooms, bwrap: Bwrap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "START_PATIENCE_S", 0.2)
    bwrap.does("exec sleep 60")
    began = time.monotonic()
    platform_error(rooms, rooms.request(""))
    assert time.monotonic() - began < 10


def test_a_stage_that_breaks(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whaledo.execution.stage.__file__", "/nowhere/stage.py")
    assert "can't open file '/nowhere/stage.py'" in platform_error(rooms, rooms.request("")).message


def test_a_log_that_cant_be_kept(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whaledo.execution.output.open_log", lambda _: os.open("/dev/full", os.O_WRONLY))
    ended = platform_error(rooms, rooms.request("print('whale')"))
    assert "No space left on device" in ended.message


def test_a_csv_that_cant_be_stored(
    rooms: Rooms, valid_csv_code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("whaledo.execution.collect._copy", full)
    request = rooms.request(valid_csv_code)
    ended = platform_error(rooms, request)
    assert ended.step == Step.COLLECT
    assert "No space left on device" in ended.message
    assert not Path(request.output, "submission.csv").exists()


def test_a_checker_that_breaks(rooms: Rooms, valid_csv_code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_CHECKER", "raise SystemExit('the checker is broken')")
    ended = platform_error(rooms, rooms.request(valid_csv_code))
    assert ended.step == Step.VALIDATE
    assert "the checker is broken" in ended.message


def test_data_that_go_away_while_a_run_goes_on(rooms: Rooms, tmp_path: Path, valid_csv_code: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(rooms.data, data)
    request = changed(rooms.request(f"{valid_csv_code}\nprint('written', flush=True)"), data=str(data))
    ended = rooms.run(request, Listener(output=lambda _: shutil.rmtree(data, ignore_errors=True))).verdict
    assert (ended.code, ended.step) == (Code.PLATFORM_ERROR, Step.VALIDATE)
    assert f"{data} has changed since the run began" in ended.message
    assert "run it once more" in ended.hint


def test_a_state_folder_that_cant_be_used(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whaledo.execution.runner.state_folder", lambda: Path("/dev/null"))
    ended = platform_error(rooms, rooms.request(""))
    assert "can't make the run's folder" in ended.message
    assert "WHALEDO_HOME" in ended.hint


def test_an_output_folder_that_cant_be_used(rooms: Rooms) -> None:
    request = rooms.request("")
    Path(request.output).write_text("a file")
    with pytest.raises(MachineError, match="can't be used"):
        rooms.run(request)


def changed(request: RunRequest, **changes: object) -> RunRequest:
    return RunRequest.from_json({**request.to_json(), **changes})


def test_what_is_wrong_with_a_request_is_raised_before_anything_is_touched(rooms: Rooms) -> None:
    request = rooms.request("")
    Path(request.output).mkdir()
    old = Path(request.output, "submission.csv")
    old.write_text("an earlier result")
    with pytest.raises(UsageError, match="there is no zip at") as caught:
        rooms.run(changed(request, submission="/nowhere/s.zip"))
    assert "whaledo pack" in caught.value.hint
    with pytest.raises(BadData):
        rooms.run(changed(request, data="/nowhere"))
    with pytest.raises(UsageError, match="no engine `qemu`"):
        rooms.run(changed(request, engine="qemu"))
    with pytest.raises(UsageError):
        rooms.run(changed(request, profile="whale"))
    assert old.read_text() == "an earlier result"
    assert [path.name for path in Path(request.output).iterdir()] == ["submission.csv"]


def test_data_whose_images_are_gone_is_the_datas_fault(rooms: Rooms, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(rooms.data, data)
    (data / "images" / "b.jpg").unlink()
    with pytest.raises(BadData) as caught:
        rooms.run(changed(rooms.request(""), data=str(data)))
    assert "b.jpg" in str([str(problem) for problem in caught.value.problems])


def test_the_network_of_the_host_is_given_only_when_asked_for_and_said(rooms: Rooms) -> None:
    code = "import socket, json; print(json.dumps(sorted(name for _, name in socket.if_nameindex())))"
    shared = rooms.request(code, network=Network.HOST)
    result = rooms.run(shared)
    assert result.engine["guarantees"]["network"]["level"] == "not_enforced"
    import socket

    seen = json.loads(rooms.printed(shared.output))
    assert seen == sorted(name for _, name in socket.if_nameindex())


def test_shown_identities_are_a_warning(rooms: Rooms) -> None:
    request = rooms.request("print(open('data/labels.csv').readline(), end='')", show_identities=True)
    result = rooms.run(request)
    assert rooms.printed(request.output) == b"query_id,database_image_id\n"
    assert "says nothing about a score" in result.warnings[0]
    assert result.data["hidden_columns"] == []


def test_engines_are_found_by_name(rooms: Rooms) -> None:
    assert find_engine(rooms.request("", engine="auto")).name == "bubblewrap"
    assert find_engine(rooms.request("", engine="bubblewrap")).name == "bubblewrap"
    with pytest.raises(UsageError) as caught:
        find_engine(rooms.request("", engine="docker-in-docker"))
    assert "bubblewrap" in caught.value.hint


def test_bubblewrap_refuses_to_run_an_image(rooms: Rooms) -> None:
    with pytest.raises(UsageError, match="has no images"):
        find_engine(rooms.request("", engine="bubblewrap", image="whaledo/runtime:core"))
