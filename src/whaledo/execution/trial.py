"""Whether an engine starts anything on this host: tried, because its being installed says little.

Bubblewrap is there on many hosts that forbid what it does. The quick look costs a hundredth of a second: bare
bubblewrap, as the user that runs are started as, with the namespaces that walls need. Only where that fails is a
`main.py` that does nothing started behind whole walls, whose word counts: no engine is passed over for a guess.
Container engines have answered by the time they are asked here, and aren't tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from whaledo.errors import MachineError
from whaledo.execution.contract import MAIN, RESERVED_NAMES
from whaledo.execution.engines import BUBBLEWRAP, remove_left
from whaledo.execution.engines.base import Engine, Order
from whaledo.execution.records import Guarantee, Held, RunRequest
from whaledo.execution.workspace import RUN_UID, hand_over, workspace

QUICK_LOOK = (
    *("bwrap", "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-net", "--die-with-parent"),
    *("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "/bin/true"),
)

PATIENCE_S = 2.0


def whats_wrong(engine: Engine, request: RunRequest, runs: Path, run_id: str) -> str:
    """Why an engine can't start a run here; empty where it can."""
    if engine.name != BUBBLEWRAP or _passes_quick_look():
        return ""
    try:
        start_nothing(engine, request, runs, run_id)
    except MachineError as error:
        return f"{error.message} ({error.hint})" if error.hint else error.message
    return ""


def start_nothing(engine: Engine, request: RunRequest, runs: Path, run_id: str) -> Mapping[Guarantee, Held]:
    """Start a `main.py` that does nothing as a run would be, and return how far its walls hold.

    Args:
        engine: what to start it with.
        request: the run that is to come.
        runs: where the folders of all runs are.
        run_id: that of the run to come.

    Raises:
        MachineError: the walls can't be built here.
    """
    probe_id = f"{run_id}-probe"
    with workspace(runs, probe_id, engine.name, remove_left) as place:
        place.data.mkdir()
        place.code.mkdir(mode=0o755)
        (place.code / MAIN).touch()
        for name in RESERVED_NAMES:
            (place.code / name).mkdir()
        hand_over(place.data, place.uid)
        hand_over(place.code, place.uid)
        sandbox = engine.start(Order(probe_id, place, (), request.limits, request.network))
        try:
            return sandbox.guarantees
        finally:
            sandbox.close()


def _passes_quick_look() -> bool:
    program = shutil.which(QUICK_LOOK[0])
    if program is None:
        return False
    user = RUN_UID if os.geteuid() == 0 else None
    try:
        looked = subprocess.run(
            [program, *QUICK_LOOK[1:]],
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return looked.returncode == 0
