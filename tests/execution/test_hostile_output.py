"""What a submission leaves in its output folder: only a plain submission.csv comes out, and nothing else hurts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import RunMain

pytestmark = pytest.mark.usefixtures("nothing_left")

CSV = "submission/submission.csv"


@dataclass(frozen=True)
class Left:
    """What lies where the csv should be: the code that puts it there, and what is said of it."""

    code: str
    says: str
    verdict: str = "invalid_output"


LEFT = {
    "a link to a valid csv": Left(
        f"open('submission/x', 'w').write(CSV)\nos.symlink('x', '{CSV}')", "it is a symbolic link"
    ),
    "a link to nowhere": Left(f"os.symlink('nowhere', '{CSV}')", "it is a symbolic link"),
    "a name that isn't UTF-8": Left("open(b'submission/\\xff', 'w')", r"'\udcff'", "no_output"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_isnt_a_plain_file_is_refused(name: str, run_here: RunMain, valid_csv: str) -> None:
    left = LEFT[name]
    ran = run_here(f"import os\nCSV = {valid_csv!r}\n{left.code}")
    assert ran.code == left.verdict, ran.verdict
    assert ran.verdict["step"] == "collect"
    assert left.says in ran.verdict["message"]
    assert sorted(path.name for path in ran.output.iterdir()) == [".whaledo.lock", "log.txt", "run.json"]


TRASH = """
import os
depth = 0
os.chdir('submission')
for _ in range(5000):
    os.mkdir('d')
    os.chdir('d')
os.chdir('/code_execution/submission')
for name in ('a\\nb', '-rf', b'\\xff\\xfe', ' ', '\\x1b[31m', 'ü' * 120):
    open(name, 'w').close()
    os.makedirs(os.path.join('closed', *[os.fsdecode(name)] * 2))
os.chmod('closed', 0)
os.symlink('/', 'root')
os.mkfifo('fifo')
for name in ('run.json', 'log.txt', '.whaledo.lock', 'sitecustomize.py', 'previous'):
    open(name, 'w').write('{"verdict": {"code": "ok"}}')
for name in ('/code_execution/data2', '/tmp/x', '/dev/shm/x'):
    os.makedirs(name)
    os.chmod(name, 0)
os.chdir('/code_execution')
"""


def test_trash_goes_too_where_the_host_has_no_mount_namespace_for_us(
    run_here: RunMain, without_private_mounts: None
) -> None:
    ran = run_here(TRASH.replace("5000", "1200"))  # on the host's own disk, where folders are slow
    assert ran.code == "no_output", ran.verdict
    assert ran.held("disk") == "best_effort"


def test_an_old_csv_is_never_taken_for_a_new_one_and_is_kept(rooms: Rooms, valid_csv_code: str) -> None:
    good = rooms.request(valid_csv_code)
    rooms.run(good)
    failing = rooms.request("print('no csv this time')")
    changed = type(failing).from_json({**failing.to_json(), "output": good.output})
    assert rooms.run(changed).verdict.code == "no_output"
    output = Path(good.output)
    assert not (output / "submission.csv").exists()
    assert (output / "previous" / "submission.csv").exists()
    assert json.loads((output / "previous" / "run.json").read_text())["verdict"]["code"] == "ok"
