"""Which program builds an image, on machines that have one, several, or an old one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from whaledo.environment.builder import SWITCH, Builder, find_builder
from whaledo.environment.containers import Client

Install = Callable[..., Client]
BUILDKIT = {SWITCH: "1"}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a `docker` that is a shell script into the next folder of the PATH."""
    folders: list[str] = []

    def make(version: str, *, buildx: bool = False, name: str = "docker") -> Client:
        folder = tmp_path / f"bin{len(folders)}"
        folder.mkdir()
        program = folder / name
        program.write_text(
            '#!/bin/sh\ncase "$*" in\n'
            f"--version) echo 'Docker version {version}, build 297e128' ;;\n"
            f"'buildx version') {'echo v0.17' if buildx else 'echo no such command >&2; exit 1'} ;;\n"
            "*) exit 3 ;;\nesac\n"
        )
        program.chmod(0o755)
        folders.append(str(folder))
        monkeypatch.setenv("PATH", ":".join(folders))
        return Client(name, str(program))

    monkeypatch.delenv(SWITCH, raising=False)
    return make


def test_a_docker_with_the_plugin_builds_by_buildkit(install: Install) -> None:
    first = install("28.2.2", buildx=True)
    install("20.10.24+dfsg1")
    assert find_builder(first) == Builder(first, BUILDKIT)


def test_a_docker_that_carries_buildkit_is_asked_to_use_it(install: Install) -> None:
    first = install("20.10.24+dfsg1")
    assert find_builder(first) == Builder(first, BUILDKIT)


def test_without_the_plugin_another_docker_on_the_path_builds(install: Install) -> None:
    first, second = install("28.2.2"), install("20.10.24+dfsg1")
    assert find_builder(first) == Builder(second, BUILDKIT)


@pytest.mark.parametrize("version", ["28.2.2", "17.12.1", "what is that"])
def test_where_none_has_buildkit_the_engine_builds_as_it_does(version: str, install: Install) -> None:
    """Told to use what it lacks, Docker 23 and later fail."""
    first = install(version)
    assert find_builder(first) == Builder(first)


def test_a_builder_that_somebody_chose_stays(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    first = install("20.10.24")
    monkeypatch.setenv(SWITCH, "0")
    assert find_builder(first) == Builder(first)


def test_podman_builds_by_itself(install: Install) -> None:
    first = install("4.3.1", name="podman")
    assert find_builder(first) == Builder(first)
