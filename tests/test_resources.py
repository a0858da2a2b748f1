from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from whaledo import resources
from whaledo.errors import MachineError
from whaledo.resources import quickstart_folder, repository_root, runtime_folder, state_folder

REPOSITORY = Path(__file__).resolve().parents[1]


def test_in_a_checkout_the_folders_are_those_that_a_competitor_edits() -> None:
    assert repository_root() == REPOSITORY
    assert runtime_folder() == REPOSITORY / "runtime"
    assert quickstart_folder() == REPOSITORY / "submission_quickstart"


def test_in_a_wheel_they_are_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "whaledo"
    (package / "_runtime").mkdir(parents=True)
    (package / "_examples" / "quickstart").mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", package)

    assert repository_root() is None
    assert runtime_folder() == package / "_runtime"
    assert quickstart_folder() == package / "_examples" / "quickstart"


def test_an_installation_without_them_is_said_to_be_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "site-packages" / "whaledo")

    with pytest.raises(MachineError, match="_runtime"):
        runtime_folder()


def test_state_lies_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHALEDO_HOME", "state")

    assert state_folder() == tmp_path / "state"


def test_the_state_of_root_lies_where_its_runs_can_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHALEDO_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert state_folder() == Path("/var/lib/whaledo")


def test_the_state_of_an_ordinary_user_is_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WHALEDO_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/ada/.cache")

    assert state_folder() == Path("/home/ada/.cache/whaledo")


def no_home(_: str) -> Path:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("answer", [no_home, lambda name: Path("~/.cache", name)])
def test_a_user_without_a_home_is_told_what_to_set(
    answer: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHALEDO_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 4_242_424)
    monkeypatch.setattr(platformdirs, "user_cache_path", answer)

    with pytest.raises(MachineError, match="4242424") as caught:
        state_folder()

    assert "WHALEDO_HOME" in caught.value.hint
