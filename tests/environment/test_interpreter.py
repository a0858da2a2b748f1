from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from whaledo.environment import interpreter
from whaledo.environment.interpreter import VERSION, Interpreter, examine, find_interpreter
from whaledo.errors import MachineError


def fake_python(path: Path, *, kind: str = "cpython", version: str = f"{VERSION}.2") -> Path:
    """A program that answers like a Python of that kind and version."""
    answer = json.dumps([kind, version, str(path.parent), str(path)])
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the tests run on another Python than submissions"
)
def test_a_virtual_environment_leads_to_the_python_behind_it() -> None:
    found = examine(Path(sys.executable), for_others=False)

    assert isinstance(found, Interpreter)
    assert found.executable == Path(getattr(sys, "_base_executable", "")).resolve()
    assert found.prefix == Path(sys.base_prefix).resolve()
    assert found.version == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"kind": "pypy"}, "which is pypy 3.11.2"),
        ({"version": "3.12.1"}, "which is cpython 3.12.1"),
        ({"version": "3.110.0"}, "which is cpython 3.110.0"),
    ],
)
def test_another_python_is_refused_with_what_it_is(
    tmp_path: Path, answer: dict[str, str], reason: str
) -> None:
    found = examine(fake_python(tmp_path / "python", **answer), for_others=False)

    assert found == f"{tmp_path}/python, {reason}"


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho hello\n", "no program at all"])
def test_what_does_not_answer_like_a_python_is_refused(tmp_path: Path, script: str) -> None:
    broken = tmp_path / "python3.11"
    broken.write_text(script)
    broken.chmod(0o755)

    assert examine(broken, for_others=False) == f"{broken}, which doesn't start"


def test_a_python_below_a_closed_folder_will_do_for_its_owner_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    python = fake_python(home / "python3.11")

    assert isinstance(examine(python, for_others=False), Interpreter)
    assert "other users can't reach" in str(examine(python, for_others=True))


def test_where_there_is_none_the_error_says_what_was_found_and_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = [fake_python(tmp_path / "old", version="3.9.1"), tmp_path / "gone"]
    monkeypatch.setattr(interpreter, "_candidates", lambda: iter(candidates))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(MachineError) as caught:
        find_interpreter()

    assert f"{tmp_path}/old, which is cpython 3.9.1" in caught.value.message
    assert f"{tmp_path}/gone, which doesn't start" in caught.value.message
    assert f"uv python install {VERSION}" in caught.value.hint


def test_root_is_told_to_install_where_submissions_can_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_candidates", lambda: iter(()))
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(MachineError) as caught:
        find_interpreter()

    assert "UV_PYTHON_INSTALL_DIR=/opt/python" in caught.value.hint


def test_the_distributions_python_comes_first() -> None:
    found = find_interpreter()

    if Path(f"/usr/bin/python{VERSION}").exists():
        assert found.executable == Path(f"/usr/bin/python{VERSION}").resolve()
    assert found.version.startswith(f"{VERSION}.")
