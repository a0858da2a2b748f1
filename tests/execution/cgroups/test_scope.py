"""Asking systemd for a scope, without one: what goes wrong is said in its words, and nothing is left running."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whaledo.errors import MachineError
from whaledo.execution.cgroups import scope
from whaledo.execution.cgroups.base import Unavailable
from whaledo.execution.cgroups.means import Systemd
from whaledo.execution.cgroups.scope import KEEP, Scope, scope_command

FakeProgram = Callable[[str, str], str]


@pytest.fixture
def fake_program(tmp_path: Path) -> FakeProgram:
    """Makes a program from a name and a shell script."""

    def make(name: str, script: str) -> str:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def asleep() -> Iterator[subprocess.Popen[bytes]]:
    """A process that sleeps."""
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        yield process
        process.kill()


def a_scope(run_group: Path, keeper: subprocess.Popen[bytes] | None = None) -> Scope:
    """A scope as it is once it has started."""
    made = Scope.__new__(Scope)
    made.unit, made.run_group = "whaledo-r1.scope", run_group
    if keeper is not None:
        made._keeper = keeper
    return made


def test_the_command_has_nothing_that_systemd_run_might_expand() -> None:
    command = scope_command("whaledo-r1.scope", Systemd(Path("/"), ("systemd-run", "--user"), {}))
    assert command[:3] == ["systemd-run", "--user", "--scope"]
    assert "--property=Delegate=yes" in command
    assert "--unit=whaledo-r1.scope" in command
    assert not any(sign in word for word in command for sign in "$%")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            "echo 'Warning: a' >&2; echo 'Failed to connect to bus: No medium found' >&2; exit 1",
            "systemd-run: Failed to connect to bus: No medium found",
        ),
        ("exit 1", "systemd-run: ended without a word"),
        ("exec /bin/sh", "but its process is in /"),
        ("exec sleep 60", r"systemd-run gave no answer within 0\.\d s|no answer"),
    ],
    ids=["says why", "says nothing", "makes none", "hangs"],
)
def test_a_systemd_that_gives_no_scope_is_quoted_and_left_at_once(
    script: str, says: str, fake_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "PATIENCE_S", 0.5)
    monkeypatch.setattr(scope, "REMOVAL_PATIENCE_S", 0.5)
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def remember(*args: object, **kwargs: object) -> subprocess.Popen[bytes]:
        started.append(popen(*args, **kwargs))  # type: ignore[call-overload]  # passed on as it is
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=says):
        Scope("r1", Systemd(Path("/sys/fs/cgroup"), (fake_program("systemd-run", script),), {}))
    assert time.monotonic() - began < 3
    assert [process.returncode is None for process in started] == [False]


def test_no_more_of_the_environment_is_passed_on_than_systemd_run_needs(
    fake_program: FakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    program = fake_program("systemd-run", f"env > {tmp_path}/seen; exit 1")
    with pytest.raises(Unavailable):
        Scope("r1", Systemd(Path("/"), (program,), {"XDG_RUNTIME_DIR": "/run/user/1"}))
    names = {line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "XDG_RUNTIME_DIR"}


def test_the_keeper_waits_for_the_end_of_the_line_and_then_kills_what_is_left(
    asleep: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    procs = tmp_path / "it's a group"
    procs.write_text(f"{asleep.pid}\n")
    commands = KEEP.format(procs=shlex.quote(str(procs)))
    keeper = subprocess.Popen(["/bin/sh"], stdin=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"})
    assert keeper.stdin is not None
    try:
        keeper.stdin.write(commands.encode())
        keeper.stdin.flush()
        time.sleep(0.1)
        assert asleep.poll() is None
        keeper.stdin.close()
        assert asleep.wait(5) == -signal.SIGKILL
        assert keeper.poll() is None, "it looks again whether all are gone"
        procs.unlink()
        assert keeper.wait(5) == 0
    finally:
        keeper.kill()
        keeper.wait()


USER_GROUP = "user.slice/user-1501.slice/user@1501.service/app.slice/whaledo-r1.scope/run"


def test_a_process_from_outside_is_moved_by_the_hosts_systemd(
    fake_program: FakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / USER_GROUP
    group.mkdir(parents=True)
    move = f'echo "$@" > {tmp_path}/asked; for pid; do :; done; echo $pid > {group}/cgroup.procs'
    fake_program("busctl", move)
    monkeypatch.setattr(scope, "_SYSTEM_PATH", str(tmp_path))
    a_scope(group).attach(4242)
    asked = (tmp_path / "asked").read_text()
    path = "/app.slice/whaledo-r1.scope/run"
    assert asked.endswith(f"AttachProcessesToUnit ssau user@1501.service {path} 1 4242\n")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'Call failed: Access denied' >&2; exit 1", "doesn't move .*: Call failed: Access denied"),
        ("exit 0", "doesn't move the run's first process"),
        ("exec sleep 9", "gave no answer"),
    ],
    ids=["refuses", "says yes and does nothing", "hangs"],
)
def test_a_process_that_systemd_does_not_move_is_noticed(
    script: str, says: str, fake_program: FakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / USER_GROUP
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text("7\n42421\n")
    fake_program("busctl", f"PATH=/usr/bin:/bin; {script}")
    monkeypatch.setattr(scope, "_SYSTEM_PATH", str(tmp_path))
    monkeypatch.setattr(scope, "PATIENCE_S", 0.5)
    with pytest.raises(Unavailable, match=says):
        a_scope(group).attach(4242)


def test_without_the_means_of_moving_a_process_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "_SYSTEM_PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="no means of moving"):
        a_scope(tmp_path / USER_GROUP).attach(os.getpid())


def test_a_scope_that_systemd_has_ended_is_the_machines_fault(
    asleep: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    kept = a_scope(tmp_path, asleep)
    kept.check()
    asleep.terminate()
    asleep.wait()
    with pytest.raises(MachineError, match=r"whaledo-r1\.scope was stopped"):
        kept.check()
