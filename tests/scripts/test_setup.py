"""`make setup`: on a checkout of the test's own, whose lock pins one package that the test makes."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from whaledo.environment.distribution import PackageManager
from whaledo.environment.interpreter import Interpreter
from whaledo.environment.uv import find_uv
from whaledo.errors import MachineError

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "scripts" / "setup.py"

BACKEND = '''
"""The smallest build backend: a wheel with one module, or one that leads to src/."""
import zipfile

def wheel(folder, name, files):
    info = f"{name}-1.0.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    files[f"{info}/RECORD"] = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(f"{folder}/{name}-1.0-py3-none-any.whl", "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return f"{name}-1.0-py3-none-any.whl"

def build_editable(folder, settings=None, metadata=None):
    import os
    return wheel(folder, "whaledo", {"whaledo.pth": os.path.abspath("src"),
                 "whaledo-1.0.dist-info/entry_points.txt": "[console_scripts]\\nwhaledo = whaledo:main\\n"})
'''

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "whaledo"
version = "1.0"
"""


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def setup() -> ModuleType:
    return load(SCRIPT, "setup_script")


@pytest.fixture
def checkout(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A checkout whose set-up needs neither the network nor pip."""
    made = setup.Checkout(tmp_path / "clone")
    (made.root / "src" / "whaledo").mkdir(parents=True)
    (made.root / "src" / "whaledo" / "__init__.py").write_text("def main(): print('whale')\n")
    (made.root / "backend.py").write_text(BACKEND)
    made.project.write_text(PYPROJECT)
    made.lock.parent.mkdir()
    lock(made, "krill", tmp_path)
    monkeypatch.setattr(setup, "ROOT", made.root)
    monkeypatch.setattr(setup, "find_or_fetch_uv", lambda *_: find_uv())
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return made


def lock(checkout: Any, package: str, wheels: Path) -> None:
    """Let the lock pin just this package."""
    wheel = load(checkout.root / "backend.py", "backend").wheel(wheels, package, {f"{package}.py": ""})
    digest = hashlib.sha256((wheels / wheel).read_bytes()).hexdigest()
    for lock in (checkout.tool_lock, checkout.lock):
        lock.write_text(f"{package}==1.0 \\\n    --hash=sha256:{digest}\n")


def works(checkout: Any, code: str = "import krill, whaledo") -> bool:
    python = checkout.venv / "bin" / "python"
    return subprocess.run([python, "-I", "-c", code], check=False, capture_output=True).returncode == 0


def command(checkout: Any) -> str:
    """What stands in the `whaledo` of a checkout, which works."""
    script = checkout.venv / "bin" / "whaledo"
    assert subprocess.run([script], capture_output=True, text=True, check=True).stdout == "whale\n"
    return str(script.read_text())


@pytest.mark.parametrize("name", ["a pod", "x" * 120])
def test_a_path_that_no_first_line_can_name_is_found_by_the_shell(
    setup: Any, checkout: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = setup.Checkout(checkout.root.with_name(name))
    checkout.root.rename(elsewhere.root)
    monkeypatch.setattr(setup, "ROOT", elsewhere.root)
    assert setup.main(["--tool"]) == 0
    assert command(elsewhere).startswith("#!/bin/sh\n")


def test_a_fresh_clone_gets_the_locked_packages_and_the_checkout_itself(setup: Any, checkout: Any) -> None:
    assert setup.main(["--tool"]) == 0

    assert works(checkout)
    assert command(checkout).startswith(f"#!{checkout.venv}/bin/python\n")
    assert list((checkout.root / "src").rglob("__init__.*.pyc")), "every command would compile it anew"
    assert sorted(path.name for path in checkout.root.iterdir() if path.name.startswith(".")) == [".venv"]


def test_the_second_time_nothing_is_done_in_less_than_two_seconds(
    setup: Any, checkout: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    setup.main(["--tool"])
    before = (checkout.venv.stat().st_ino, capfd.readouterr())
    started = time.monotonic()

    assert setup.main(["--tool"]) == 0

    assert time.monotonic() - started < 2
    assert checkout.venv.stat().st_ino == before[0]
    assert capfd.readouterr().out == ""


def test_each_step_says_how_long_it_took(
    setup: Any, checkout: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    setup.main(["--tool"])

    assert re.fullmatch(r"Making \.venv with Python 3\.\d+\.\d+ \.\.\. \d+\.\d s\n", capfd.readouterr().out)


def test_a_changed_lock_is_followed_to_the_letter(setup: Any, checkout: Any, tmp_path: Path) -> None:
    setup.main(["--tool"])
    lock(checkout, "plankton", tmp_path)
    setup.main(["--tool"])

    assert works(checkout, "import plankton, whaledo")
    assert not works(checkout, "import krill")


def test_what_no_longer_fits_is_not_current(setup: Any, checkout: Any, tmp_path: Path) -> None:
    setup.main(["--tool"])
    python = setup.tool_python()
    key = checkout.key(python)
    assert checkout.is_current(key)

    elsewhere = setup.Checkout(tmp_path / "elsewhere")
    shutil.copytree(checkout.root, elsewhere.root, symlinks=True)
    assert not elsewhere.is_current(elsewhere.key(python))
    assert not checkout.is_current(checkout.key(dataclasses.replace(python, version="3.11.99")))
    for part in (checkout.project, checkout.lock, checkout.tool_lock):
        content = part.read_text()
        part.write_text(content + "\n")
        assert not checkout.is_current(checkout.key(python))
        part.write_text(content)
    for name in ("bin/python", "bin/whaledo", setup.STAMP):
        (checkout.venv / name).rename(tmp_path / "away")
        assert not checkout.is_current(key)
        (tmp_path / "away").rename(checkout.venv / name)
    assert checkout.is_current(key)


def test_a_failure_is_said_and_leaves_the_old_one_working(
    setup: Any, checkout: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    setup.main(["--tool"])
    checkout.tool_lock.write_text(f"krill==1.0 --hash=sha256:{'0' * 64}\n")

    assert setup.main(["--tool"]) == 3

    error = capfd.readouterr().err
    assert error.startswith("✗ couldn't make .venv: uv failed:")
    assert "Hash mismatch" in error
    assert "  → " in error
    assert works(checkout)
    assert not checkout.making.exists()


@pytest.mark.parametrize("half", [".venv", ".venv.making"])
def test_what_a_killed_set_up_left_is_no_hindrance(setup: Any, checkout: Any, half: str) -> None:
    (checkout.root / half / "venv" / "bin").mkdir(parents=True)
    (checkout.root / half / "bin").mkdir()
    (checkout.root / half / "bin" / "python").symlink_to("/nowhere")

    assert setup.main(["--tool"]) == 0

    assert works(checkout)
    assert not checkout.making.exists()


def test_a_folder_in_which_nothing_can_be_made_is_said(
    setup: Any, checkout: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(checkout.making))

    monkeypatch.setattr(setup, "find_or_fetch_uv", refuse)

    assert setup.main(["--tool"]) == 3
    assert "Permission denied" in capfd.readouterr().err


def test_two_set_ups_at_once_take_turns(setup: Any, checkout: Any) -> None:
    with checkout.project.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=setup.main, args=(["--tool"],))
        second.start()
        time.sleep(0.3)
        assert not checkout.venv.exists()
    second.join()

    assert works(checkout)


def test_the_script_needs_nothing_but_the_standard_library(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", str(SCRIPT), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_an_old_python_hands_over_to_a_newer_one(
    setup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "python3.13").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["setup.py", "--tool"])
    started: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *call: started.append(call))
    monkeypatch.setattr(sys, "exit", lambda _: None)

    setup.start_again_with_newer_python()

    newer = f"{tmp_path}/python3.13"
    assert started == [(newer, [newer, "setup.py", "--tool"])]


def test_where_every_python_is_old_that_is_said(
    setup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or later"):
        setup.start_again_with_newer_python()


def test_the_lock_pins_the_uv_that_pip_fetches(setup: Any) -> None:
    pin = setup.UV_PIN.search((REPOSITORY / "requirements" / "dev.lock").read_text())

    first, *hashes = pin[0].splitlines()
    assert re.fullmatch(r"uv==[\d.]+ \\", first)
    assert hashes
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)


def test_an_old_uv_in_the_environment_does(setup: Any, checkout: Any) -> None:
    uv = checkout.venv / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.symlink_to(find_uv())

    assert load(SCRIPT, "another").find_or_fetch_uv(checkout, setup.tool_python(), 0) == uv


def fake_manager(folder: Path, *, fails: int) -> PackageManager:
    """A package manager that writes down its calls; the first `fails` of them fail."""
    program = folder / "manager"
    program.write_text(
        f'#!/bin/sh\necho "$DEBIAN_FRONTEND $@" >> {folder}/calls\n'
        f'[ "$(wc -l < {folder}/calls)" -gt {fails} ] || {{ echo "E: no package"; exit 100; }}\n'
    )
    program.chmod(0o755)
    return PackageManager("any", (str(program), "add"), (str(program), "refresh"), {"bubblewrap": "bwrap"})


@pytest.mark.parametrize(("fails", "calls"), [(0, ["add bwrap"]), (1, ["add bwrap", "refresh", "add bwrap"])])
def test_packages_are_installed_with_fresh_lists_only_where_needed(
    setup: Any, tmp_path: Path, fails: int, calls: list[str]
) -> None:
    setup.install(fake_manager(tmp_path, fails=fails), "bwrap", ())

    assert (tmp_path / "calls").read_text().splitlines() == [f"noninteractive {call}" for call in calls]


def test_what_a_package_manager_says_when_it_fails_is_shown(setup: Any, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="E: no package"):
        setup.install(fake_manager(tmp_path, fails=9), "bwrap", ())


@pytest.fixture
def without_bwrap(setup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux with apt-get, and no bwrap on PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "apt-get").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.usefixtures("without_bwrap")
def test_who_may_not_install_bubblewrap_is_told_what_to_type(
    setup: Any, checkout: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup, "build_core", lambda _: 0)
    monkeypatch.setattr(setup, "set_up_tool", lambda *_: None)

    assert setup.main([]) == 3

    error = capfd.readouterr().err
    assert "bubblewrap is missing" in error
    assert "sudo apt-get install -y --no-install-recommends bubblewrap" in error


@pytest.mark.usefixtures("without_bwrap")
def test_bubblewrap_is_seen_to_even_where_the_core_environment_cannot_be_built(
    setup: Any, checkout: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_to: list[bool] = []
    monkeypatch.setattr(setup, "set_up_tool", lambda *_: None)
    monkeypatch.setattr(setup, "build_core", lambda _: 3)
    monkeypatch.setattr(setup, "ensure_bubblewrap", lambda: seen_to.append(True))

    assert setup.main([]) == 3
    assert seen_to


@pytest.mark.usefixtures("without_bwrap")
@pytest.mark.parametrize("privilege", [(), ("sudo", "-n")])
def test_who_may_gets_bubblewrap_installed(
    setup: Any, monkeypatch: pytest.MonkeyPatch, privilege: tuple[str, ...]
) -> None:
    installed: list[Any] = []
    monkeypatch.setattr(setup, "without_password", lambda: privilege)
    monkeypatch.setattr(setup, "install", lambda _, *what: installed.append(what))

    setup.ensure_bubblewrap()

    assert installed == [("bubblewrap", privilege)]


@pytest.mark.usefixtures("without_bwrap")
def test_where_there_can_be_no_bubblewrap_none_is_asked_for(
    setup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    setup.ensure_bubblewrap()


@pytest.mark.usefixtures("without_bwrap")
def test_a_python_without_pip_is_said_with_the_package_that_mends_it(
    setup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "without_password", lambda: None)

    with pytest.raises(MachineError, match="ensurepip") as caught:
        setup.get_pip(Interpreter(Path("/usr/bin/python3.11"), Path("/usr"), "3.11.2"))

    assert "sudo apt-get install python3.11-venv" in caught.value.hint
