"""The core environment as it is built on this machine."""

from __future__ import annotations

import os

import pytest

from whaledo.environment.access import links_out
from whaledo.environment.build import Environment, find_environment
from whaledo.environment.installed import owners
from whaledo.environment.names import import_names


@pytest.fixture(scope="module")
def core() -> Environment:
    environment = find_environment("core")
    if environment is None:
        if os.environ.get("WHALEDO_REQUIRE_ENGINES"):
            pytest.fail("the core environment isn't built: make setup")
        pytest.skip("the core environment isn't built: make setup")
    return environment


def test_it_lets_one_import_exactly_what_was_said_before_it_was_built(core: Environment) -> None:
    assert owners(core.packages) == import_names("core")


def test_every_module_that_it_imports_is_compiled(core: Environment) -> None:
    for name in ("numpy", "pandas", "cv2"):
        assert list((core.site_packages / name / "__pycache__").glob("__init__.cpython-311.pyc"))


def test_no_file_of_it_lies_elsewhere(core: Environment) -> None:
    assert links_out(core.site_packages) == []
