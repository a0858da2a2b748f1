"""The submission that tests an environment from inside: which of the tests in `runtime/tests` a profile gets.

Only chooses and writes files; whoever runs it walls it in like any other submission.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from whaledo.environment.profiles import profiles, read_lock
from whaledo.errors import MachineError
from whaledo.resources import runtime_folder

MAIN = "main.py"


def own_tests(profile: str) -> tuple[Path, ...]:
    """The files of tests for a profile: its own, and those of the smaller profiles, which it holds.

    Raises:
        UsageError: there is no such profile.
        MachineError: the installation lacks the tests.
    """
    read_lock(profile)
    smaller = profiles()[: profiles().index(profile) + 1]
    found = [path for name in smaller if (path := runtime_folder() / "tests" / f"test_{name}.py").is_file()]
    if not found:
        raise MachineError(
            f"there are no tests for the environment {profile} in {runtime_folder() / 'tests'}"
        )
    return tuple(found)


def write_submission(profile: str, folder: Path) -> None:
    """Write the tests of a profile into a new folder, as a submission to pack.

    Raises:
        UsageError: there is no such profile.
        MachineError: the installation lacks the tests.
    """
    folder.mkdir()
    for path in (runtime_folder() / "tests" / MAIN, *own_tests(profile)):
        shutil.copy(path, folder)
