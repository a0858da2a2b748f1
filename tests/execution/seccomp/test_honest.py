"""Honest programs run as they would without the filters: each file of honest/ is one.

Those of honest/packages run with the libraries that the tests themselves are run with.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from whaledo.environment.access import closed_folder

Walled = Callable[..., "subprocess.CompletedProcess[str]"]

HONEST = Path(__file__).with_name("honest")


@pytest.mark.parametrize("program", sorted(HONEST.glob("*.py")), ids=lambda path: path.stem)
def test_an_honest_program_passes(program: Path, walled: Walled) -> None:
    done = walled(program.read_text())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", sorted(HONEST.glob("packages/*.py")), ids=lambda path: path.stem)
def test_an_honest_program_with_libraries_passes(program: Path, walled: Walled) -> None:
    packages = Path(numpy.__file__).parents[1]
    if os.geteuid() == 0 and (closed := closed_folder(packages)):
        pytest.skip(f"the sandbox's user can't enter {closed}, which the libraries lie below")
    options = ("--ro-bind", str(packages), "/packages", "--setenv", "PYTHONPATH", "/packages")
    version = walled("import sys; print(*sys.version_info[:2])").stdout.split()
    if version != [str(part) for part in sys.version_info[:2]]:
        pytest.skip(f"the sandbox has Python {'.'.join(version)}, the libraries are for another")
    done = walled(program.read_text(), *options)
    assert done.returncode == 0, done.stderr
