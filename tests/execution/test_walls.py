"""What the attack suite in tests/hostile/ doesn't ask, because it is of one engine, or is seen from outside only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pytest

from whaledo.execution.runner import Listener
from whaledo.execution.workspace import RUN_UID

if TYPE_CHECKING:
    from tests.conftest import Rooms
    from tests.execution.conftest import RunMain


def test_behind_bubblewrap_there_is_nothing_but_the_systems_programs_and_four_files_of_ours(
    run_here: RunMain,
) -> None:
    code = "import json, os\nprint(json.dumps({path: os.listdir(path) for path in ('/', '/etc')}))"
    found = run_here(code).findings
    system = {"bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"}
    assert set(found["/"]) - system == {"code_execution", "dev", "etc", "opt", "proc", "tmp"}
    ours = {"passwd", "group", "hosts", "nsswitch.conf"}
    assert set(found["/etc"]) - {"alternatives", "ld.so.cache"} == ours


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts runs as another user")
def test_started_by_root_it_is_an_unprivileged_user_on_the_host(rooms: Rooms) -> None:
    users: set[tuple[int, ...]] = set()

    def look(_: bytes) -> None:
        below = psutil.Process().children(recursive=True)
        programs = [process for process in below if "main.py" in process.cmdline()]
        users.update({(*process.uids(), *process.gids()) for process in programs})

    rooms.run(rooms.request("print('here', flush=True)\nimport time\ntime.sleep(0.3)"), Listener(output=look))
    assert users == {(RUN_UID,) * 6}
