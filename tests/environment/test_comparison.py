from __future__ import annotations

import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.environment.build import build_environment
from whaledo.environment.comparison import frozen, packages_named
from whaledo.errors import BadData, UsageError


def test_a_profile_is_named_by_its_name(runtime: Any) -> None:
    assert packages_named("tiny") == {"tiny-whale": "1.0"}


def test_a_lock_and_a_freeze_are_files(runtime: Any, tmp_path: Path) -> None:
    (tmp_path / "freeze.txt").write_text("# mine\nTiny_Whale==1.1\n-e git+https://example.org/x#egg=x\n")

    assert packages_named(str(runtime.lock)) == {"tiny-whale": "1.0"}
    assert packages_named(str(tmp_path / "freeze.txt")) == {"tiny-whale": "1.1"}


def test_a_virtual_environment_is_a_folder(runtime: Any) -> None:
    built = build_environment("tiny")

    assert packages_named(str(built.folder)) == {"tiny-whale": "1.0"}
    assert packages_named(str(built.site_packages)) == {"tiny-whale": "1.0"}


def test_here_is_the_active_environment(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(build_environment("tiny").folder))

    assert packages_named("here") == {"tiny-whale": "1.0"}


def test_here_without_an_active_environment_says_how_to_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(variable, raising=False)

    with pytest.raises(UsageError, match="none is active") as caught:
        packages_named("here")
    assert "activate" in caught.value.hint


@pytest.mark.parametrize(
    "reference", ["whaledo:core", "registry.example.org:5000/whales/runtime:gpu-1", "whaledo@sha256:00ff"]
)
def test_what_is_written_like_an_image_is_asked_of_the_image(
    runtime: Any, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    fake = types.ModuleType("whaledo.environment.image")
    monkeypatch.setattr(fake, "packages_of_image", lambda asked: {asked: "1"}, raising=False)
    monkeypatch.setitem(sys.modules, "whaledo.environment.image", fake)

    assert packages_named(reference) == {reference: "1"}


@pytest.mark.parametrize("missing", ["orca", "./environment-gone.lock", "/nowhere/venv", "gone/freeze.txt"])
def test_what_is_not_there_is_never_taken_for_an_image(runtime: Any, missing: str) -> None:
    with pytest.raises(UsageError, match="no profile, file, folder or image") as caught:
        packages_named(missing)
    assert "tiny" in caught.value.hint


def test_a_folder_without_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="is no environment"):
        packages_named(str(tmp_path))


def test_a_source_is_no_lock_and_every_line_of_it_is_told() -> None:
    with pytest.raises(BadData) as caught:
        frozen("# why\nnumpy\npandas>=2\n", "environment.in")

    assert [str(problem.place) for problem in caught.value.problems] == [
        "environment.in:2",
        "environment.in:3",
    ]


def test_an_empty_file_is_no_lock() -> None:
    with pytest.raises(BadData, match="neither a lock"):
        frozen("\n", "empty.txt")


@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        ("torch @ file:///wheels/torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl", "torch", "2.13.0+cpu"),
        ("timm @ git+https://example.org/timm@0a1b", "timm", "unknown"),
        ("numpy @ file:///croot/numpy_1/work/dist", "numpy", "unknown"),
        ("uvicorn[standard]==0.30 ; python_version > '3'", "uvicorn", "0.30"),
        ("torch===2.13.0", "torch", "2.13.0"),
        ("\ufeffnumpy==2.0  # first", "numpy", "2.0"),
    ],
)
def test_lines_of_a_freeze_are_understood(line: str, name: str, version: str) -> None:
    assert frozen(line, "freeze.txt") == {name: version}


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(BadData):
        assert frozen(text, "x.txt")
