"""`whaledo image`: what a person reads and a program gets of the images."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from whaledo.cli import image

DOCUMENT = {
    "Id": f"sha256:{'a' * 64}",
    "RepoTags": ["whaledo/runtime:core"],
    "Config": {"Labels": {"whaledo.profile": "core", "whaledo.lock": "5" * 64, "whaledo.version": "0.1.0"}},
    "Size": 3 * 1024**2,
}
PULL_FAILED = (
    "Error response from daemon: Get https://registry.invalid/v2/: dial tcp: lookup registry.invalid: "
    "no such host"
)


def invoke(*arguments: str) -> Result:
    app = typer.Typer()
    for command in (image.build, image.pull, image.shell):
        app.command()(command)
    app.command("list")(image.list_here)
    return CliRunner().invoke(app, list(arguments), env={"SUBMISSION_IMAGE": "", "BASE_IMAGE": ""})


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes the only engine: it has the image of core, and does all else by this script."""

    def make(script: str = "exit 0") -> Path:
        program, told = tmp_path / "docker", tmp_path / "told"
        there = f"echo {shlex.quote(json.dumps([DOCUMENT]))}; exit 0"
        program.write_text(f'#!/bin/sh\necho "$*" >> {told}\ncase "$1" in image) {there} ;; esac\n{script}\n')
        program.chmod(0o755)
        return told

    monkeypatch.setenv("PATH", str(tmp_path))
    return make


def test_the_images_that_are_here_are_listed_with_their_size_and_lock(docker: Callable[[str], Path]) -> None:
    docker("")
    said = invoke("list")
    assert said.exit_code == 0, said.output
    assert said.stdout.split() == ["docker", "whaledo/runtime:core", "3.0", "MiB", "lock", "5" * 12]


def test_the_list_as_json_names_everything(docker: Callable[[str], Path]) -> None:
    docker("")
    [found] = json.loads(invoke("list", "--json").stdout)["images"]
    assert found == {
        "engine": "docker",
        "image": "whaledo/runtime:core",
        "image_id": f"sha256:{'a' * 64}",
        "profile": "core",
        "lock_sha256": "5" * 64,
        "version": "0.1.0",
        "bytes": 3 * 1024**2,
    }


def test_without_images_the_list_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = invoke("list")
    assert said.exit_code == 0
    assert "`make build` builds one" in said.stdout


def test_a_build_shows_how_it_goes_on_and_what_came_of_it(docker: Callable[[str], Path]) -> None:
    told = docker("echo 'Step 1/9 : FROM base'")
    said = invoke("build", "--base-image", "ana/base:1")
    assert said.exit_code == 0, said.output
    assert "Step 1/9" in said.stdout
    assert "whaledo/runtime:core was built: 3.0 MiB, profile core, lock 555555555555" in said.stdout
    assert "--build-arg BASE_IMAGE=ana/base:1" in told.read_text()


def test_a_build_that_fails_is_told_by_its_last_line(docker: Callable[[str], Path]) -> None:
    docker("echo 'Step 9/9 : RUN sh'; echo 'returned a non-zero code: 2' >&2; exit 1")
    said = invoke("build")
    assert said.exit_code == 3
    assert "docker couldn't build the image whaledo/runtime:core: returned a non-zero code: 2" in said.stderr
    assert "Step 9/9" in said.stdout
    assert "Traceback" not in said.output


@pytest.mark.parametrize("command", ["build", "pull"])
def test_a_profile_that_nobody_knows_is_refused_before_the_engine_is_asked(
    command: str, docker: Callable[[str], Path]
) -> None:
    told = docker("")
    said = invoke(command, "--profile", "cor")
    assert said.exit_code == 2
    assert "there is no profile `cor`" in said.stderr
    assert not told.exists()


def test_a_registry_that_cant_be_reached_has_a_way_out(docker: Callable[[str], Path]) -> None:
    docker(f"echo {shlex.quote(PULL_FAILED)} >&2; exit 1")
    said = invoke("pull", "--json")
    assert said.exit_code == 3
    error = json.loads(said.stdout)["error"]
    assert error["message"].endswith("no such host")
    assert "make build" in error["hint"]


def test_a_registry_that_really_cant_be_reached_has_one_too(need_engine: Callable[[str], str]) -> None:
    """A name that can't be (RFC 2606), asked by the Docker that is here."""
    need_engine("docker")
    said = invoke("pull", "--image", "registry.invalid/whaledo/runtime:core")
    assert said.exit_code == 3
    assert "docker couldn't pull the image registry.invalid/whaledo/runtime:core: " in said.stderr
    assert "→ is this machine online?" in said.stderr


def test_a_shell_without_a_terminal_is_refused_and_told_how_to_get_one(
    docker: Callable[[str], Path],
) -> None:
    told = docker("")
    said = invoke("shell")
    assert said.exit_code == 2
    assert "a shell needs a terminal" in said.stderr
    assert "script -qec" in said.stderr
    assert not told.exists()


def test_another_image_than_the_profiles_own_is_pulled_by_its_name(docker: Callable[[str], Path]) -> None:
    told = docker("")
    said = invoke("pull", "--image", "ana/whales:2")
    assert said.exit_code == 0, said.output
    assert told.read_text().startswith("pull ana/whales:2\n")
    assert "ana/whales:2 was fetched" in said.stdout
