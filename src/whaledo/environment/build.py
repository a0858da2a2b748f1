"""Virtual environments built from a profile's lock: finding the one that is there, and building it.

An environment lies in `<state>/environments/<profile>-<digest of the lock>/`, so that a changed lock is a new
environment and a build can be taken as it is wherever it is found. It is built in a folder beside and renamed,
which makes a killed build worth nothing rather than half of something. Its scripts find their Python relative
to themselves, and its files are never links into uv's cache: both would break once it is seen under another path.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from whaledo.environment.accelerator import cuda_problem, find_gpu, needed_cuda
from whaledo.environment.access import closed_folder, links_out, open_for_all
from whaledo.environment.installed import Package, packages_in
from whaledo.environment.interpreter import VERSION, Interpreter, find_interpreter
from whaledo.environment.profiles import DEFAULT_PROFILE, Lock, exact, profiles, read_lock
from whaledo.environment.torch_builds import torch_arguments
from whaledo.environment.uv import run_uv, uv_environment
from whaledo.errors import MachineError
from whaledo.resources import HOME_VARIABLE, state_folder

AUTO = "auto"
"""The profile that is chosen by what is built and fits."""

RECORD = "whaledo-environment.json"
_EXACT = "exact.txt"
_SITE_PACKAGES = f"lib/python{VERSION}/site-packages"


@dataclass(frozen=True, slots=True)
class Environment:
    """A built virtual environment.

    Attributes:
        profile: the profile that it is of.
        lock_path: the lock that it was built from.
        lock_sha256: digest of that lock.
        folder: the virtual environment; the same file tree works under any path.
        base_python: the program that its `bin/python` links to, without links.
        base_prefix: the folder that this Python is installed in.
        site_packages: where its packages lie, below `folder`.
        packages: what it holds, by name.
    """

    profile: str
    lock_path: Path
    lock_sha256: str
    folder: Path
    base_python: Path
    base_prefix: Path
    site_packages: Path
    packages: tuple[Package, ...] = ()


def environments_folder() -> Path:
    """Where this user's environments are kept."""
    return state_folder() / "environments"


def find_environment(profile: str) -> Environment | None:
    """The environment of a profile's present lock; None where it isn't built, or its Python has gone.

    Raises:
        UsageError: there is no such profile.
    """
    lock = read_lock(profile)
    return _read(environments_folder() / lock.name, lock)


def choose_environment(profile: str) -> Environment:
    """The environment for a run.

    Args:
        profile: its name, or `auto` for the largest that is built here and whose CUDA this machine's driver runs.

    Raises:
        UsageError: there is no such profile.
        MachineError: it isn't built, or with `auto` none is that fits; says what to type.
    """
    if profile != AUTO:
        if found := find_environment(profile):
            return found
        raise MachineError(f"the environment `{profile}` isn't built yet", hint=_how_to_build(profile))
    unfit: MachineError | None = None
    for name in reversed(profiles()):
        found = find_environment(name)
        # The GPU is only asked where an environment needs it: nvidia-smi can take seconds.
        needed = needed_cuda(read_lock(name)) if found else None
        problem = cuda_problem(needed, find_gpu()) if needed else None
        if found and problem is None:
            return found
        if problem:
            unfit = MachineError(
                f"only the environment `{name}` is built, and {problem.message}", hint=problem.hint
            )
    raise unfit or MachineError("no environment is built yet", hint=_how_to_build(DEFAULT_PROFILE))


def _how_to_build(profile: str) -> str:
    setup = "`make setup` builds it, or " if profile == DEFAULT_PROFILE else ""
    return f"{setup}type `whaledo env build --profile {profile}`"


def build_environment(profile: str, on_output: Callable[[str], None] = lambda _: None) -> Environment:
    """Build the environment of a profile's present lock, unless it is there.

    Args:
        profile: its name.
        on_output: called with each line that tells how the build goes on.

    Raises:
        UsageError: there is no such profile.
        MachineError: it can't be built here; says why, and what to do.
    """
    lock = read_lock(profile)
    folder = environments_folder() / lock.name
    if found := _read(folder, lock):
        return found
    try:
        _make_folder(folder.parent)
        with _only_builder(folder, on_output) as turn:
            if not _read(folder, lock):
                _build(lock, folder, on_output, turn)
    except OSError as error:
        raise MachineError(
            f"couldn't build the environment {profile}: {error}",
            hint=f"set {HOME_VARIABLE} to a folder that this user may write to, to build it there",
        ) from error
    if found := _read(folder, lock):
        return found
    raise MachineError(f"couldn't build the environment {profile}: {folder} was changed meanwhile")


def _read(folder: Path, lock: Lock) -> Environment | None:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        environment = Environment(
            profile=lock.profile,
            lock_path=lock.path,
            lock_sha256=record["lock_sha256"],
            folder=folder,
            base_python=Path(record["base_python"]),
            base_prefix=Path(record["base_prefix"]),
            site_packages=folder / _SITE_PACKAGES,
            packages=tuple(Package(p["name"], p["version"], tuple(p["imports"])) for p in record["packages"]),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    whole = environment.lock_sha256 == lock.sha256 and environment.site_packages.is_dir()
    return environment if whole and environment.base_python.exists() else None


def _make_folder(folder: Path) -> None:
    """Make the folder of environments; root's can be entered by the user that root's runs drop to."""
    for each in reversed((folder, *folder.parents)):
        if not each.exists():
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
    if os.geteuid() == 0 and (closed := closed_folder(folder)):
        raise MachineError(
            f"environments can't be kept in {folder}: the user that submissions run as can't enter {closed}",
            hint=f"set {HOME_VARIABLE} to a folder that everybody may enter, or `chmod o+x {closed}`",
        )


@contextmanager
def _only_builder(folder: Path, on_output: Callable[[str], None]) -> Iterator[int]:
    """Wait for the turn to build `folder`; yields the lock's descriptor, which uv inherits.

    So when whaledo is killed and its uv goes on for a while, the next build still waits for that uv.
    """
    descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_output(f"Waiting: another whaledo is building {folder.name}.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _build(lock: Lock, folder: Path, on_output: Callable[[str], None], turn: int) -> None:
    """Build in a folder beside, which whoever has the turn may throw away, and put it in place."""
    interpreter = find_interpreter()
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    doing = f"build the environment {lock.profile}"
    try:
        text = lock.path.read_text("utf-8")
        (building / _EXACT).write_text(exact(text), "utf-8")
        torch = torch_arguments(text, uv_environment(os.environ))
        for arguments in (venv_arguments(interpreter), (*install_arguments(lock), *torch)):
            run_uv(arguments, folder=building, on_output=on_output, doing=doing, keep_open=(turn,))
        site_packages = building / _SITE_PACKAGES
        if links := links_out(site_packages):
            raise MachineError(
                f"couldn't {doing}: {links[0].name} in it is a link that leads out of it, to {links[0].resolve()}",
                hint="a walled-in run couldn't follow it; say so to whoever added that package",
            )
        _write_record(building, lock, interpreter, packages_in(site_packages))
        (building / _EXACT).unlink()
        (building / ".lock").unlink(missing_ok=True)  # uv's, and everybody may write to it
        open_for_all(building)
        _put_in_place(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def venv_arguments(interpreter: Interpreter) -> tuple[str | Path, ...]:
    """What uv is asked to do to make the working directory an empty virtual environment."""
    flags = ("--quiet", "--no-project", "--relocatable", "--allow-existing")
    return ("venv", *flags, "--python", interpreter.executable, ".")


def install_arguments(lock: Lock) -> tuple[str | Path, ...]:
    """What uv is asked to do to install a lock into it.

    Compiled, because a run sees the environment read-only and would compile every import again.
    """
    flags = ("--require-hashes", "--no-deps", "--no-build", "--link-mode", "hardlink", "--compile-bytecode")
    files = ("--requirements", lock.path, "--constraints", _EXACT)
    return ("pip", "install", "--python", "bin/python", *flags, *files)


def _write_record(
    building: Path, lock: Lock, interpreter: Interpreter, packages: tuple[Package, ...]
) -> None:
    record: dict[str, Any] = {
        "profile": lock.profile,
        "lock_sha256": lock.sha256,
        "python_version": interpreter.version,
        "base_python": str(interpreter.executable),
        "base_prefix": str(interpreter.prefix),
        "packages": [asdict(package) for package in packages],
    }
    (building / RECORD).write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def _put_in_place(building: Path, folder: Path) -> None:
    if folder.exists():
        old = folder.with_name(f"{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        building.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        building.rename(folder)
