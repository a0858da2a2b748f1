"""Talking to a container engine: what it says when something is wrong, and what a person is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from whaledo.environment import containers
from whaledo.environment.containers import Client, Question, failure, find_client, hint, tell
from whaledo.errors import MachineError, UsageError

MakeClient = Callable[[str], Client]


@pytest.fixture
def client(tmp_path: Path) -> MakeClient:
    """Makes an engine from a shell script."""

    def make(script: str) -> Client:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return Client("docker", str(program))

    return make


def test_a_program_is_found_on_the_path_and_by_its_whole_path(
    client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started from another folder than the one that a relative PATH counts from."""
    client("exit 0")
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("PATH", tmp_path.name)
    assert find_client("docker") == Client("docker", str(tmp_path / "docker"))


@pytest.mark.parametrize(("name", "package"), [("docker", "docker.io"), ("podman", "podman")])
def test_a_program_that_isnt_there_is_named_with_its_package(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MachineError, match=f"no `{name}` on the PATH") as caught:
        find_client(name)
    assert f"apt install {package}`" in caught.value.hint


def test_an_engine_that_nobody_knows_is_a_slip_of_the_pen() -> None:
    with pytest.raises(UsageError, match="no container engine `dokcer`") as caught:
        find_client("dokcer")
    assert "docker, podman" in caught.value.hint


def test_a_question_is_worked_on_while_we_do_other_things(client: MakeClient, tmp_path: Path) -> None:
    asked = Question(client(f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; echo $*"), "image", "x y")
    (tmp_path / "go").touch()
    assert asked.hear() == (0, "image x y\n", "")


def test_an_answer_that_isnt_utf_8_is_read_all_the_same(client: MakeClient) -> None:
    assert (
        Question(client(r"printf 'caf\351'"), "info").answer("say what it is")
        == "caf\N{REPLACEMENT CHARACTER}"
    )


def test_a_failed_question_says_what_it_was_for_and_the_engines_last_word(client: MakeClient) -> None:
    asked = Question(client("echo 'WARNING: old' >&2; echo 'permission denied: x' >&2; exit 1"), "info")
    with pytest.raises(MachineError, match=r"^docker couldn't say what it is: permission denied: x$"):
        asked.answer("say what it is")


def test_a_question_that_is_never_answered_is_given_up(
    client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "PATIENCE_S", 0.2)
    asked = Question(client("exec sleep 20"), "image", "inspect")
    began = time.monotonic()
    with pytest.raises(MachineError, match="`docker image` gave no answer") as caught:
        asked.hear()
    assert "restart" in caught.value.hint
    assert time.monotonic() - began < 10, "it is killed, not waited for"
    assert asked._process.poll() is not None


def test_what_takes_long_is_told_line_by_line_while_it_goes_on(client: MakeClient, tmp_path: Path) -> None:
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        (tmp_path / line.strip()).touch()

    script = f"echo first; while [ ! -e {tmp_path}/first ]; do sleep 0.01; done; echo second >&2"
    tell(client(script), ["build"], "build it", hear)
    assert heard == ["first", "second"]


def test_what_is_told_has_no_colours_and_the_program_has_the_variables_it_was_given(
    client: MakeClient,
) -> None:
    lines: list[str] = []
    tell(client(r'printf "\033[91m$MODE\033[0m\n"'), ["build"], "x", lines.append, {"MODE": "plain"})
    assert lines == ["plain"]


def test_what_failed_after_long_is_told_by_its_last_line(client: MakeClient) -> None:
    script = "for n in 1 2 3; do echo step $n; done; echo 'ERROR: no space left on device'; echo; exit 3"
    with pytest.raises(MachineError, match=r"couldn't build it: ERROR: no space left on device$") as caught:
        tell(client(script), ["build"], "build it", lambda _: None)
    assert "docker system df" in caught.value.hint


def test_interrupted_it_takes_the_program_with_it(client: MakeClient, tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        (tmp_path / "pid").write_text(line)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell(client("echo $$; exec sleep 60"), ["build"], "build it", interrupt)
    assert not Path("/proc", (tmp_path / "pid").read_text()).exists()


def test_an_engine_that_says_nothing_is_said_to(client: MakeClient) -> None:
    assert failure("podman", "start", "\n").message == "podman couldn't start: it said nothing"


# What the programs really say.
SAID = {
    "Cannot connect to the Docker daemon at unix:///nowhere. Is the docker daemon running?": "systemctl",
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct": "start it",
    "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock": "usermod",
    "Cannot connect to Podman. unable to connect to Podman socket: dial unix": "podman machine start",
    "dial tcp: lookup registry-1.docker.io: no such host": "online",
    "Error response from daemon: manifest unknown: manifest unknown": "has the registry such an image",
    "pull access denied for x, repository does not exist: denied: requested access": "login",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority": "certificate",
    "write /var/lib/docker/tmp/x: no space left on device": "make room",
    "cgroups in hybrid mode not supported": "runc",
    "Error response from daemon: invalid mount config: bind source path does not exist: /x": "this machine",
    "potentially insufficient UIDs: cannot find UID/GID for user ana": "add-subuids",
}


@pytest.mark.parametrize("said", SAID)
def test_known_words_have_a_way_out(said: str) -> None:
    assert SAID[said] in hint(f"something before\n{said}\n")


def test_unknown_words_have_none_made_up() -> None:
    assert hint("the moon is in the wrong place") == ""
