"""The contract of a run, point by point, with every engine; the tests' names are the points.

Written from `contract.py` and docs/running.md, not from any engine: what passes here is what a competitor may rely
on wherever their submission runs. How a run ends and what is attacked is tested with every engine too, in
`test_endings`, `test_walls`, `test_honest`, `test_misbehaviour` and `test_hostile_output`.
"""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from whaledo.execution import contract
from whaledo.execution.records import Guarantee
from whaledo.resources import quickstart_folder

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import Ran, RunMain

MIB = 1024**2
SHM_BYTES, DISK_BYTES = 16 * MIB, 24 * MIB
LOOK = {
    "main.py": Path(__file__).with_name("look.py").read_text(),
    "package/__init__.py": "",
    "package/inner.py": "NAME = 'inner'\n",
}
DONE, READ_ONLY = "done", "Read-only file system"


@pytest.fixture(scope="module")
def ran(run_main: RunMain) -> Ran:
    """One run that looks at everything."""
    looked = run_main(LOOK, shm_bytes=SHM_BYTES, disk_bytes=DISK_BYTES)
    assert looked.code == "no_output", (looked.verdict, looked.log)
    return looked


@pytest.fixture(scope="module")
def found(ran: Ran) -> dict[str, Any]:
    """What it found."""
    return ran.findings


Found = dict[str, Any]


def test_the_code_is_in_the_working_directory(found: Found) -> None:
    assert (found["working directory"], found["own module"]) == (contract.HOME, "inner")


def test_the_code_folder_can_be_written(found: Found) -> None:
    assert (found["write code"], found["change code"]) == (DONE, DONE)


def test_data_is_read_only(found: Found) -> None:
    assert {found["write data"], found["change data"], found["remove data"]} == {READ_ONLY}


def test_data_is_the_public_view(found: Found) -> None:
    assert found["metadata"] == "image_id,path,height,width,viewpoint,date"
    assert [name for name in found["data"] if "label" in name or "notes" in name] == []
    assert "data/images/a.jpg" in found["data"]


def test_the_submission_folder_is_empty(found: Found) -> None:
    assert found["submission folder"] == []


def test_nothing_else_can_be_written(found: Found) -> None:
    assert set(found["elsewhere"]) <= {READ_ONLY, "Permission denied", "No such file or directory"}


def test_python_and_packages_are_the_profiles(found: Found) -> None:
    assert found["python"] == [f"{contract.PYTHON_FOLDER}/bin/python", [3, 11]]
    assert found["packages"] == ["numpy", "pandas"]


def test_the_environment_is_the_contracts_alone(found: Found) -> None:
    assert found["environment"] == contract.ENVIRONMENT


def test_the_user_is_an_ordinary_one(found: Found) -> None:
    assert found["user"] == [contract.USER, True, True, contract.HOME]
    assert (found["capabilities"], found["no new privileges"]) == (["0000000000000000"], "1")


def test_system_calls_are_filtered(found: Found) -> None:
    assert found["seccomp"] == "2"


def test_there_is_no_network(found: Found) -> None:
    assert found["interfaces"] == ["lo"]
    assert {found["IPv4"], found["IPv6"]} == {"Network is unreachable"}


def test_loopback_works(found: Found) -> None:
    assert found["loopback"] == ["whale"] * 3


def test_the_host_has_a_name_that_resolves(found: Found) -> None:
    assert (found["host name"], found["own name"]) == (contract.HOSTNAME, "127.0.0.1")


def test_multiprocessing_works(found: Found) -> None:
    assert found["workers"] == [0, 2, 4]


def test_no_other_process_is_in_sight(found: Found) -> None:
    assert found["processes"] <= 3


def test_shared_memory_has_the_stated_size(found: Found) -> None:
    assert found["/dev/shm"] == [SHM_BYTES, DONE]


def test_tmp_is_private_and_limited(found: Found) -> None:
    size, files, written = found["/tmp"]
    assert (size <= DISK_BYTES, files, written) == (True, ["plug"], DONE)


def test_open_files_and_core_dumps_are_limited(found: Found) -> None:
    assert found["open files"] == [contract.OPEN_FILES] * 2
    assert found["core dumps"] == [0, 0]


def test_standard_input_is_empty(found: Found) -> None:
    assert found["standard input"] == ""


def test_the_record_names_all_that_made_the_run(ran: Ran, run_main: RunMain) -> None:
    assert ran.record["engine"]["name"] == run_main.engine
    assert set(ran.record["engine"]["guarantees"]) == {each.value for each in Guarantee}
    environment = ran.record["environment"]
    assert (environment["profile"], len(environment["lock_sha256"])) == ("core", 64)
    assert (environment["image_id"] or "sha256:").startswith("sha256:")
    assert ran.record["limits"]["shm_bytes"] == SHM_BYTES


def test_the_log_begins_with_the_same(ran: Ran) -> None:
    head = (ran.output / "log.txt").read_text().splitlines()[:4]
    environment = ran.record["environment"]
    for word in (
        ran.record["run_id"],
        environment["lock_sha256"],
        ran.record["engine"]["name"],
        "memory_bytes",
    ):
        assert any(word in line for line in head), word
    assert environment["image_id"] is None or environment["image_id"] in "".join(head)


def test_what_was_used_is_counted(ran: Ran, run_main: RunMain) -> None:
    usage = ran.record["usage"]
    assert usage["wall_s"] > 0
    assert usage["log_bytes"] == len(ran.log)
    assert usage["output_bytes"] >= 2 * 1024  # new.txt and the like, in blocks
    if run_main.root or run_main.engine != "bubblewrap":
        assert usage["cpu_s"] > 0.05
        assert usage["peak_memory_bytes"] > 10 * MIB


def test_results_belong_to_who_started_it(run_main: RunMain, valid_csv_code: str) -> None:
    good = run_main(valid_csv_code)
    owner = good.output.stat()
    for name in ("submission.csv", "log.txt", "run.json"):
        file = (good.output / name).stat()
        assert (file.st_uid, file.st_gid) == (owner.st_uid, owner.st_gid)
        assert stat.S_IMODE(file.st_mode) == 0o644


def test_an_old_csv_is_never_taken_for_a_new_one(run_main: RunMain, valid_csv_code: str) -> None:
    good = run_main(valid_csv_code)
    again = run_main("print('nothing written')", output=str(good.output))
    assert again.code == "no_output"
    assert not (good.output / "submission.csv").exists()
    assert (good.output / "previous" / "submission.csv").exists()


def test_memory_is_limited(run_main: RunMain) -> None:
    ran = run_main("block = bytearray(400 * 1024**2)", memory_bytes=128 * MIB)
    assert ran.code == "out_of_memory", ran.verdict


def test_shared_memory_counts_as_memory(run_main: RunMain) -> None:
    code = "with open('/dev/shm/big', 'wb') as file:\n    for _ in range(400): file.write(bytes(1024**2))"
    ran = run_main(code, memory_bytes=128 * MIB, shm_bytes=1024 * MIB, disk_bytes=1024 * MIB)
    assert ran.code == "out_of_memory", ran.verdict


def test_processes_are_limited(run_main: RunMain) -> None:
    code = "import subprocess\nall = [subprocess.Popen(['sleep', '60']) for _ in range(200)]"
    ran = run_main(code, processes=40)
    assert ran.code == "too_many_processes", ran.verdict


def test_disk_is_limited(run_main: RunMain) -> None:
    code = (
        "with open('submission/big', 'wb') as file:\n    while True: file.write(bytes(1024**2)); file.flush()"
    )
    ran = run_main(code, disk_bytes=DISK_BYTES)
    assert ran.code == "disk_full", ran.verdict


def test_processors_are_limited(run_main: RunMain) -> None:
    code = (
        "import time, os\nended = time.monotonic() + 1.5\n"
        "while time.monotonic() < ended: pass\nprint(sum(os.times()[:2]))"
    )
    ran = run_main(code, cpus=0.5)
    if ran.held("cpus") == "enforced":
        assert float(ran.log.split()[-1]) < 1.3


def test_time_is_limited_and_everything_ends_at_once(run_main: RunMain) -> None:
    code = (
        "import os, signal, subprocess, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "if os.fork() == 0:\n    os.setsid()\n"
        "while True: time.sleep(1)"
    )
    began = time.monotonic()
    ran = run_main(code, wall_s=2.0)
    assert ran.code == "timeout", ran.verdict
    assert time.monotonic() - began < 20


def test_a_long_log_keeps_its_head_and_tail(run_main: RunMain) -> None:
    ran = run_main("print('first')\nfor _ in range(3000): print('x' * 1000)\nprint('last')", log_bytes=MIB)
    assert ran.log.startswith(b"first\n")
    assert ran.log.endswith(b"last\n")
    assert ran.record["usage"]["log_dropped_bytes"] > MIB


def test_nothing_is_left(run_main: RunMain, rooms: Rooms) -> None:
    run_main("import subprocess\nsubprocess.Popen(['sleep', '600'])\nprint('left')")
    for home in (rooms.home, rooms.folder / "ordinary"):
        assert list((home / "runs").glob("*")) == []


def test_a_deterministic_csv_is_the_same_to_the_byte(run_main: RunMain) -> None:
    ran = run_main((quickstart_folder() / "main.py").read_text())
    assert ran.code == "ok", (ran.verdict, ran.log)
    expected = EXPECTED.setdefault("csv", (ran.output / "submission.csv").read_bytes())
    assert (ran.output / "submission.csv").read_bytes() == expected


EXPECTED: dict[str, bytes] = {}
"""What the first engine made of the quickstart; all others have to make the same."""
