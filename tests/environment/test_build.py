from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from whaledo.environment import build
from whaledo.environment.accelerator import Gpu
from whaledo.environment.build import RECORD, build_environment, choose_environment, find_environment
from whaledo.environment.installed import owners
from whaledo.environment.interpreter import VERSION
from whaledo.errors import MachineError, UsageError


def test_what_is_not_built_is_not_found(runtime: Any) -> None:
    assert find_environment("tiny") is None


def test_an_unknown_profile_is_a_mistake_of_the_command(runtime: Any) -> None:
    with pytest.raises(UsageError):
        find_environment("orca")


def test_a_built_environment_is_found_and_imports_what_was_locked(runtime: Any) -> None:
    built = build_environment("tiny")

    assert find_environment("tiny") == built
    assert built.folder.parent == runtime.environments
    assert owners(built.packages) == {"tiny": "tiny-whale"}
    said = subprocess.run(
        [
            built.folder / "bin" / "python",
            "-I",
            "-c",
            "import sys, tiny; print(tiny.NAME, *sys.version_info[:2])",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split() == ["tiny", *VERSION.split(".")]


def test_it_is_compiled(runtime: Any) -> None:
    built = build_environment("tiny")

    assert list((built.site_packages / "tiny" / "__pycache__").glob("__init__.*.pyc"))


def test_it_works_under_another_path_scripts_included(runtime: Any, tmp_path: Path) -> None:
    built = build_environment("tiny")
    built.folder.rename(tmp_path / "venv")

    said = subprocess.run(
        [tmp_path / "venv" / "bin" / "tiny"], capture_output=True, text=True, check=True
    ).stdout

    assert Path(said.strip()).is_relative_to(tmp_path / "venv")


def test_its_python_is_the_program_that_it_names(runtime: Any) -> None:
    built = build_environment("tiny")

    assert (built.folder / "bin" / "python").resolve() == built.base_python
    assert built.base_python.is_relative_to(built.base_prefix)


def test_everybody_can_read_it_even_if_root_has_a_strict_umask(runtime: Any) -> None:
    before = os.umask(0o077)
    try:
        built = build_environment("tiny")
    finally:
        os.umask(before)

    closed = [
        path
        for path in (built.folder, *built.folder.rglob("*"))
        if not path.is_symlink() and (path.stat().st_mode & 0o444) != 0o444
    ]
    assert closed == []


def test_a_second_build_does_nothing(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_environment("tiny")
    monkeypatch.setattr(build, "_build", lambda *_: pytest.fail("built again"))

    assert build_environment("tiny") == built


def test_another_lock_is_another_environment(runtime: Any) -> None:
    first = build_environment("tiny")
    runtime.lock.write_text("# looked at again\n" + runtime.lock.read_text())

    assert find_environment("tiny") is None
    assert build_environment("tiny").folder != first.folder
    assert first.folder.exists()


def test_one_whose_python_has_gone_is_built_anew(runtime: Any) -> None:
    built = build_environment("tiny")
    record = json.loads((built.folder / RECORD).read_text())
    (built.folder / RECORD).write_text(json.dumps({**record, "base_python": "/nowhere/python3.11"}))

    assert find_environment("tiny") is None
    assert build_environment("tiny") == built


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"lock_sha256": 1, "packages": 2}'])
def test_a_damaged_record_is_no_environment(runtime: Any, content: str) -> None:
    built = build_environment("tiny")
    (built.folder / RECORD).write_text(content)

    assert find_environment("tiny") is None


def test_a_failed_build_leaves_nothing_and_says_why(runtime: Any) -> None:
    runtime.lock.write_text(f"tiny-whale==1.0 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(MachineError, match="Hash mismatch") as caught:
        build_environment("tiny")

    assert "another file than the one that was locked" in caught.value.hint
    assert [path.suffix for path in runtime.environments.iterdir()] == [".lock"]


def test_a_lock_without_hashes_is_refused(runtime: Any) -> None:
    runtime.lock.write_text("tiny-whale==1.0\n")

    with pytest.raises(MachineError, match="must have a hash"):
        build_environment("tiny")


def test_offline_with_nothing_at_hand_says_so(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_FIND_LINKS")

    with pytest.raises(MachineError) as caught:
        build_environment("tiny")

    assert "UV_OFFLINE" in caught.value.hint


def test_links_that_leave_it_are_refused(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_link(arguments: Any, *, folder: Path, **_: Any) -> None:
        (folder / build._SITE_PACKAGES).mkdir(parents=True, exist_ok=True)
        link = folder / build._SITE_PACKAGES / "tiny"
        if not link.is_symlink():
            link.symlink_to("/usr/share")

    monkeypatch.setattr(build, "run_uv", with_link)

    with pytest.raises(MachineError, match="tiny in it is a link that leads out of it, to /usr/share"):
        build_environment("tiny")
    assert find_environment("tiny") is None


def test_a_build_that_was_killed_is_taken_for_nothing_and_built_over(runtime: Any) -> None:
    code = (
        "import os, sys, whaledo.environment.build as b, whaledo.environment.profiles as p, pathlib\n"
        "p.runtime_folder = lambda: pathlib.Path(sys.argv[1])\n"
        "b.open_for_all = lambda _: os.kill(os.getpid(), 9)\n"
        "b.build_environment('tiny')"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(runtime.folder)], check=False)
    assert killed.returncode == -9
    assert list(runtime.environments.glob("*.building"))
    assert find_environment("tiny") is None

    assert build_environment("tiny") == find_environment("tiny")
    assert not list(runtime.environments.glob("*.building"))


def test_a_second_builder_waits_for_the_first_even_if_only_its_uv_is_left(
    runtime: Any, tmp_path: Path
) -> None:
    build_environment("tiny")
    lock_file = next(runtime.environments.glob("*.lock"))
    (next(runtime.environments.glob("tiny-*/")) / RECORD).unlink()
    with lock_file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        started = time.monotonic()
        orphan = subprocess.Popen(["sleep", "0.5"], pass_fds=[held.fileno()])
    told: list[str] = []

    build_environment("tiny", told.append)

    assert time.monotonic() - started >= 0.5
    assert told[0].startswith("Waiting: another whaledo is building tiny-")
    orphan.wait()


def test_uv_inherits_the_turn(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(build, "run_uv", lambda *_, keep_open, **__: kept.extend(keep_open))

    with pytest.raises(MachineError):
        build_environment("tiny")

    assert len(kept) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's runs drop to another user")
def test_root_does_not_build_where_its_runs_could_not_reach(
    runtime: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setenv("WHALEDO_HOME", str(closed / "home"))

    with pytest.raises(MachineError, match=f"can't enter {closed}") as caught:
        build_environment("tiny")

    assert "WHALEDO_HOME" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_said(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHALEDO_HOME", f"{runtime.lock}/below-a-file")

    with pytest.raises(MachineError, match="Not a directory") as caught:
        build_environment("tiny")

    assert "WHALEDO_HOME" in caught.value.hint


@pytest.fixture
def three(runtime: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Locks of core, cpu and gpu; gpu's needs CUDA 13.0. `three.built` are those that are built."""
    runtime.built = set()
    runtime.lock.unlink()
    for profile in ("core", "cpu", "gpu"):
        cuda = "nvidia-cuda-runtime==13.0.96 --hash=sha256:00\n" if profile == "gpu" else ""
        (runtime.folder / f"environment-{profile}.lock").write_text(cuda)
    monkeypatch.setattr(
        build,
        "find_environment",
        lambda name: SimpleNamespace(profile=name) if name in runtime.built else None,
    )
    monkeypatch.setattr(build, "find_gpu", lambda: pytest.fail("asked for the GPU without need"))
    return runtime


def make_pin(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def with_gpu(monkeypatch: pytest.MonkeyPatch, gpu: Gpu | None) -> None:
    monkeypatch.setattr(build, "find_gpu", lambda: gpu)


NEW_GPU = Gpu("NVIDIA T4", "580.65.06", "13.0")
OLD_GPU = Gpu("NVIDIA T4", "535.54.03", "12.2")


def test_auto_takes_the_largest_that_is_built_and_asks_for_no_gpu(three: Any) -> None:
    three.built = {"core"}
    assert choose_environment("auto").profile == "core"
    three.built = {"core", "cpu"}
    assert choose_environment("auto").profile == "cpu"


def test_auto_takes_gpu_only_where_the_driver_runs_its_cuda(
    three: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    three.built = {"core", "gpu"}
    for gpu, chosen in ((NEW_GPU, "gpu"), (OLD_GPU, "core"), (None, "core")):
        with_gpu(monkeypatch, gpu)
        assert choose_environment("auto").profile == chosen


def test_auto_says_why_the_only_environment_does_not_fit(three: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    three.built = {"gpu"}
    with_gpu(monkeypatch, OLD_GPU)

    with pytest.raises(
        MachineError, match=r"only the environment `gpu` is built.*535\.54\.03.*12\.2"
    ) as caught:
        choose_environment("auto")
    assert "CPU_OR_GPU=cpu" in caught.value.hint


def test_auto_without_any_says_how_to_build_one(three: Any) -> None:
    with pytest.raises(MachineError, match="no environment is built") as caught:
        choose_environment("auto")

    assert "make setup" in caught.value.hint
    assert "--profile core" in caught.value.hint


def test_a_named_profile_is_taken_as_it_is_or_not_at_all(three: Any) -> None:
    three.built = {"gpu"}
    assert choose_environment("gpu").profile == "gpu"
    with pytest.raises(MachineError, match="`cpu` isn't built") as caught:
        choose_environment("cpu")
    assert "whaledo env build --profile cpu" in caught.value.hint


def test_only_the_very_build_that_is_locked_is_installed(sources: Any) -> None:
    cuda, cpu = (path for path in sorted(sources.wheels.glob("torch-1.5*"), key=lambda path: len(path.name)))
    lock = sources.folder / "environment-gpu.lock"
    lock.write_text(make_pin(cuda))

    assert [package.version for package in build_environment("gpu").packages] == ["1.5"]
    lock.write_text(make_pin(cpu))
    assert [package.version for package in build_environment("gpu").packages] == ["1.5+cpu"]
