"""Test an environment the way it is used: its tests are packed, and run walled in and offline on a small challenge.

An import that works outside proves little: inside there is no network, no home, another user, and a read-only
environment under another path.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from whaledo.challenge.demo.schedule import Plan
from whaledo.challenge.demo.write import write_demo
from whaledo.environment.self_test import write_submission
from whaledo.execution.contract import Limits
from whaledo.execution.records import RunRequest, RunResult
from whaledo.execution.runner import Listener, run
from whaledo.resources import state_folder
from whaledo.submission.pack import pack

LIMITS = Limits(wall_s=900.0)
"""Importing everything of `gpu` from a cold disk takes minutes, not hours."""

_CHALLENGE = Plan(images=40, whales=10, singletons=2)


def run_environment_test(
    profile: str,
    *,
    engine: str = "auto",
    image: str | None = None,
    gpu: bool | None = None,
    listener: Listener | None = None,
) -> RunResult:
    """Run the tests of a profile inside its environment; the result is `ok` where all of them pass.

    What they print goes to the listener.

    Args:
        profile: its name.
        engine: what runs them.
        image: the container image to test instead of the profile's own.
        gpu: whether the tests are shown the host's GPUs; False lets an image of `gpu` be tested without any.
        listener: whom to tell while they run.

    Raises:
        UsageError: there is no such profile.
        MachineError: it isn't built, or there is no engine.
    """
    state = state_folder()
    state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=state, prefix="testing-") as place:
        folder = Path(place)
        folder.chmod(0o755)  # a run started by root goes on as another user, who has to reach the photographs
        write_submission(profile, folder / "tests")
        packed = pack(folder / "tests", folder / "tests.zip")
        write_demo(folder / "data", plan=_CHALLENGE)
        output = str(folder / "output")
        data = str(folder / "data")
        request = RunRequest(str(packed.path), data, output, engine, profile, LIMITS, image=image, gpu=gpu)
        return run(request, listener)
