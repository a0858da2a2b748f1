"""`auto` takes an engine that starts runs on this host, not the first that is merely installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whaledo.environment.accelerator import Gpu
from whaledo.errors import MachineError
from whaledo.execution import engines, trial
from whaledo.execution.engines import BUBBLEWRAP, choose_engine
from whaledo.execution.engines.base import Engine, Packages
from whaledo.execution.records import RunRequest
from whaledo.execution.runner import Listener
from whaledo.execution.trial import whats_wrong

if TYPE_CHECKING:
    from tests.conftest import Rooms

FORBIDDEN = "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"


@pytest.fixture
def bwrap_does(rooms: Rooms, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts a shell script in bubblewrap's place, in which `$REAL` is bubblewrap itself."""
    real = shutil.which("bwrap")
    folder = rooms.folder / tmp_path.name
    folder.mkdir()

    def does(script: str) -> None:
        program = folder / "bwrap"
        program.write_text(f"#!/bin/sh\nREAL={real}\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return does


class Fake:
    """An engine that is there."""

    def __init__(self, name: str, profile: str = "core") -> None:
        self.name = name
        self.packages = Packages(profile, "f00", "image", "id")

    def version(self) -> str:
        """Some version."""
        return "1"

    def start(self, _: object) -> None:
        """Say that it was asked."""
        raise MachineError(f"{self.name} was to start it")


@pytest.fixture
def with_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host on which Docker answers and Podman isn't there."""
    real = engines._engine

    def engine(name: str, request: RunRequest) -> object:
        if name == "podman":
            raise MachineError("podman isn't installed", hint="install it")
        return Fake(name) if name == "docker" else real(name, request)

    monkeypatch.setattr(engines, "_engine", engine)


@pytest.fixture
def without_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that has neither Docker nor Podman."""
    real = engines._engine

    def engine(name: str, request: RunRequest) -> Engine:
        if name != BUBBLEWRAP:
            raise MachineError(f"{name} isn't installed", hint=f"install {name}")
        return real(name, request)

    monkeypatch.setattr(engines, "_engine", engine)


@pytest.mark.usefixtures("with_docker")
def test_where_bubblewrap_may_not_do_its_work_the_next_engine_is_taken_and_told(
    rooms: Rooms, bwrap_does: Callable[[str], None]
) -> None:
    bwrap_does(FORBIDDEN)
    told: list[str] = []
    result = rooms.run(rooms.request("", engine="auto"), Listener(told=told.extend))
    assert result.verdict.message == "docker was to start it"
    (warning,) = result.warnings
    assert warning.startswith("the engine is docker, because bubblewrap: the run's walls can't be built here")
    assert "setting up uid map: Permission denied" in warning
    assert "apparmor" in warning
    assert told == [warning]


@pytest.mark.usefixtures("without_containers")
def test_where_none_works_each_says_why(rooms: Rooms, bwrap_does: Callable[[str], None]) -> None:
    bwrap_does(FORBIDDEN)
    with pytest.raises(MachineError, match="no engine can run") as caught:
        rooms.run(rooms.request("", engine="auto"))
    said = [str(problem) for problem in caught.value.problems]
    assert "setting up uid map" in said[0]
    assert said[1:] == [
        "docker: docker isn't installed (install docker)",
        "podman: podman isn't installed (install podman)",
    ]


@pytest.mark.usefixtures("with_docker")
def test_an_engine_that_was_named_is_never_exchanged(rooms: Rooms, bwrap_does: Callable[[str], None]) -> None:
    bwrap_does(FORBIDDEN)
    result = rooms.run(rooms.request(""))
    assert (result.verdict.code, result.engine) == ("platform_error", {})
    assert "setting up uid map" in result.verdict.message


@pytest.mark.usefixtures("with_docker", "nothing_left")
def test_a_look_that_fails_where_runs_start_passes_nobody_over(
    rooms: Rooms, bwrap_does: Callable[[str], None], valid_csv_code: str
) -> None:
    bwrap_does('case "$*" in *true) exit 1;; esac; exec $REAL "$@"')
    result = rooms.run(rooms.request(valid_csv_code, engine="auto"))
    assert (result.verdict.code, result.engine["name"], result.warnings) == ("ok", BUBBLEWRAP, ())


def test_where_bubblewrap_works_only_the_quick_look_is_made(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, valid_csv_code: str
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(trial, "start_nothing", never)
    assert rooms.run(rooms.request(valid_csv_code, engine="auto")).engine["name"] == BUBBLEWRAP


@pytest.mark.parametrize("script", ["exit 1", "exec sleep 60", "kill -9 $$"])
def test_bubblewrap_that_falls_or_hangs_is_looked_at_closely(
    rooms: Rooms, bwrap_does: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(trial, "PATIENCE_S", 0.2)
    asked: list[str] = []

    def start(engine: Engine, *_: object) -> None:
        asked.append(engine.name)
        raise MachineError("it fell", hint="mend it")

    monkeypatch.setattr(trial, "start_nothing", start)
    bwrap_does(script)
    request = rooms.request("")
    assert whats_wrong(Fake(BUBBLEWRAP), request, Path("runs"), "id") == "it fell (mend it)"  # type: ignore[arg-type]  # never started
    assert asked == [BUBBLEWRAP]


def test_container_engines_are_not_tried(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_passes_quick_look", lambda: False)
    assert whats_wrong(Fake("docker"), rooms.request(""), Path("runs"), "id") == ""  # type: ignore[arg-type]  # never started


def test_the_first_engine_that_is_there_needs_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(name: str, _: RunRequest) -> object:
        if name == BUBBLEWRAP:
            raise MachineError("bubblewrap isn't installed")
        return Fake(name)

    monkeypatch.setattr(engines, "_engine", engine)
    chosen = choose_engine(RunRequest("s", "d", "o"), lambda _: "")
    assert (chosen.engine.name, chosen.instead_of) == ("docker", ())


@pytest.mark.parametrize(
    ("profile", "gpu", "is_there", "chosen"),
    [
        ("gpu", None, True, "docker"),
        ("gpu", None, False, BUBBLEWRAP),
        ("gpu", False, True, BUBBLEWRAP),
        ("core", None, True, BUBBLEWRAP),
    ],
)
def test_packages_for_a_gpu_go_to_an_engine_that_shows_it(
    profile: str, gpu: bool | None, is_there: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bubblewrap shows none: a submission would compute on the processor, and nobody would know why it is slow."""
    found = Gpu("NVIDIA A100", "550.54", "12.4") if is_there else None
    monkeypatch.setattr(engines, "find_gpu", lambda: found)
    monkeypatch.setattr(engines, "_engine", lambda name, _: Fake(name, profile))
    request = RunRequest("s", "d", "o", profile=profile, gpu=gpu)
    assert choose_engine(request).engine.name == chosen
