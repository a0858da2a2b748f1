"""The core environment as it is built on this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from whaledo.environment.access import links_out
from whaledo.environment.build import Environment, find_environment, import_names
from whaledo.resources import runtime_folder


@pytest.fixture(scope="module")
def core() -> Environment:
    environment = find_environment("core")
    if environment is None:
        if os.environ.get("WHALEDO_REQUIRE_ENGINES"):
            pytest.fail("the core environment isn't built: make setup")
        pytest.skip("the core environment isn't built: make setup")
    return environment


def test_it_does_what_submissions_count_on(core: Environment, tmp_path: Path) -> None:
    tests = runtime_folder() / "tests"
    done = subprocess.run(
        [core.folder / "bin" / "python", "-I", "-B", "-m", "unittest", "discover", tests],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_it_has_the_names_that_submissions_import(core: Environment) -> None:
    names = import_names(core)

    assert names["cv2"] == "opencv-python-headless"
    assert names["PIL"] == "pillow"
    assert names["sklearn"] == "scikit-learn"
    assert names["faiss"] == "faiss-cpu"


def test_every_module_that_it_imports_is_compiled(core: Environment) -> None:
    for name in ("numpy", "pandas", "cv2"):
        assert list((core.site_packages / name / "__pycache__").glob("__init__.cpython-311.pyc"))


def test_no_file_of_it_lies_elsewhere(core: Environment) -> None:
    assert links_out(core.site_packages) == []
