#!/usr/bin/env python3
"""Set up this checkout: `.venv` with whaledo and its tools, the core environment, and bubblewrap.

Any Python 3.11 or later starts it, with nothing installed: it uses the standard library, and those modules of
whaledo that need no more. `.venv` is always made whole in a folder beside and then put in place, so a set-up
that is killed, or that fails offline, leaves the old one working. What is there already is left alone.
"""

# ruff: noqa: E402, UP036 - an older Python is sent away before it meets whaledo's modules, which it can't read

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def start_again_with_newer_python() -> None:
    """Replace this process by one of a Python that is new enough, or say that there is none."""
    for minor in range(11, 20):
        if newer := shutil.which(f"python3.{minor}"):
            os.execv(newer, [newer, *sys.argv])  # the same script, found on PATH just now
    sys.exit(
        f"✗ whaledo needs Python 3.11 or later, and this is {sys.version.split()[0]}\n  → install python3.11"
    )


if sys.version_info < (3, 11):
    start_again_with_newer_python()

sys.path.insert(0, str(ROOT / "src"))

from whaledo.environment.distribution import BUBBLEWRAP, PackageManager, how_to_install, package_manager
from whaledo.environment.interpreter import Interpreter, find_interpreter
from whaledo.environment.uv import run_uv
from whaledo.errors import MachineError, WhaledoError

STAMP = "whaledo-setup.json"
BY_SHELL = "\n' '''\n"
"""Ends the lines by which a script of a relocatable environment finds its Python."""

FIRST_LINE_CHARS = 127
"""Of a script's first line, older kernels read no more; and they end the program's name at a blank (execve(2))."""

UV_PIN = re.compile(r"^uv==.*?(?=^[a-z]|\Z)", re.MULTILINE | re.DOTALL)
IS_BUILT = "from whaledo.environment.build import find_environment as f; raise SystemExit(f('core') is None)"


class Checkout:
    """The files of one checkout that its set-up reads and makes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        self.making = root / ".venv.making"
        self.tool_lock = root / "requirements" / "whaledo.lock"
        self.lock = root / "requirements" / "dev.lock"
        self.project = root / "pyproject.toml"

    def key(self, python: Interpreter) -> str:
        """What a finished `.venv` was made from; another key means that it is to be made anew."""
        facts = [str(self.root), str(python.executable), python.version]
        contents = [
            path.read_text("utf-8") for path in (self.tool_lock, self.lock, self.project, Path(__file__))
        ]
        return hashlib.sha256("\0".join(facts + contents).encode()).hexdigest()

    def is_current(self, key: str) -> bool:
        """Whether `.venv` is whole and made from that."""
        try:
            stamp = json.loads((self.venv / STAMP).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return bool(stamp == {"key": key}) and all(
            (self.venv / "bin" / p).exists() for p in ("python", "whaledo")
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left to do; returns the exit status."""
    parser = argparse.ArgumentParser(description="Set up this checkout; what is there already is left alone.")
    parser.add_argument("--tool", action="store_true", help="only .venv: no core environment, no bubblewrap")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    checkout = Checkout(ROOT)
    try:
        with only_one(checkout) as turn:
            set_up_tool(checkout, turn)
        if options.tool:
            return 0
        status = build_core(checkout)
        ensure_bubblewrap()
    except WhaledoError as error:
        print(f"✗ {error.message}" + (f"\n  → {error.hint}" if error.hint else ""), file=sys.stderr)
        return error.fault.exit_status
    except KeyboardInterrupt:
        return 130
    if status == 0:
        print(f"whaledo is set up ({time.monotonic() - started:.1f} s).")
    return status


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and at its end how long it took."""
    print(f"{what} ...", end=" ", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)


@contextmanager
def only_one(checkout: Checkout) -> Iterator[int]:
    """Wait until no other set-up of this checkout runs; yields the lock, for uv to inherit."""
    descriptor = os.open(checkout.project, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def tool_python() -> Interpreter:
    """The Python for `.venv`: the one that environments are made from, else the one that runs this."""
    try:
        return find_interpreter()
    except MachineError:
        version = ".".join(map(str, sys.version_info[:3]))
        base: str = getattr(sys, "_base_executable", sys.executable)
        return Interpreter(Path(base).resolve(), Path(sys.base_prefix), version)


def set_up_tool(checkout: Checkout, turn: int) -> None:
    """Make `.venv` anew unless it is current.

    Raises:
        MachineError: it can't be made; the old one is untouched.
    """
    python = tool_python()
    key = checkout.key(python)
    if checkout.is_current(key):
        return
    try:
        shutil.rmtree(checkout.making, ignore_errors=True)
        checkout.making.mkdir()
        (checkout.making / ".gitignore").write_text("*\n", "utf-8")
        uv = find_or_fetch_uv(checkout, python, turn)
        with step(f"Making .venv with Python {python.version}"):
            fill_venv(checkout, python, uv, turn)
            put_in_place(checkout, key)
    except OSError as error:
        raise MachineError(
            f"couldn't make {checkout.venv}: {error}",
            hint="if another user made it, remove .venv and .venv.making as that user, or run this as that user",
        ) from error
    finally:
        shutil.rmtree(checkout.making, ignore_errors=True)


def find_or_fetch_uv(checkout: Checkout, python: Interpreter, turn: int) -> Path:
    """The uv that makes `.venv`: that of the old `.venv`, else one fetched by pip, pinned by the lock."""
    old = checkout.venv / "bin" / "uv"
    if succeeds(old, "--version"):
        return old
    # Debian splits off what lets virtual environments have pip.
    if not succeeds(python.executable, "-I", "-c", "import ensurepip"):
        if on_path := shutil.which("uv"):
            return Path(on_path)
        get_pip(python)
    pin = UV_PIN.search(checkout.lock.read_text("utf-8"))
    if pin is None:
        raise MachineError(
            f"{checkout.lock} doesn't pin uv", hint="run `make lock` on a checkout that is set up"
        )
    requirements, bootstrap = checkout.making / "uv.lock", checkout.making / "bootstrap"
    requirements.write_text(pin[0], "utf-8")
    with step("Fetching uv with pip"):
        call([python.executable, "-I", "-m", "venv", bootstrap], "make a virtual environment", turn)
        flags = ("--disable-pip-version-check", "--no-input", "--quiet", "--require-hashes", "--no-deps")
        pip = (bootstrap / "bin" / "python", "-I", "-m", "pip", "install", *flags)
        call([*pip, "-r", requirements], "fetch uv with pip", turn)
    return bootstrap / "bin" / "uv"


def get_pip(python: Interpreter) -> None:
    """Install Debian's package with ensurepip, where this user may.

    Raises:
        MachineError: this user may not, or the distribution is another.
    """
    package = f"python{python.version.rpartition('.')[0]}-venv"
    manager = package_manager()
    if manager is None or manager.program != "apt-get":
        raise MachineError(f"{python.executable} lacks ensurepip, so it can't make .venv", hint="install uv")
    if (privilege := without_password()) is None:
        raise MachineError(
            f"{python.executable} lacks ensurepip, so it can't make .venv",
            hint=f"type `sudo apt-get install {package}`, or install uv; then `make setup` again",
        )
    with step(f"Installing {package}"):
        install(manager, package, privilege)


def fill_venv(checkout: Checkout, python: Interpreter, uv: Path, turn: int) -> None:
    """Make the virtual environment beside `.venv`, with exactly the lock's packages and this checkout."""
    new = checkout.making / "venv"

    def run(*arguments: str | Path) -> None:
        run_uv(
            arguments,
            folder=checkout.making,
            on_output=lambda _: None,
            doing="make .venv",
            keep_open=(turn,),
            uv=uv,
        )

    run("venv", "--no-project", "--relocatable", "--python", python.executable, new)
    into = ("--python", new / "bin" / "python")
    exactly = ("pip", "sync", *into, "--require-hashes", "--no-build")
    # Compiled, because where PYTHONDONTWRITEBYTECODE is set every command would compile them anew: 0.25 s.
    run(*exactly, "--compile-bytecode", checkout.tool_lock)
    run(*exactly, checkout.lock)
    run("pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", checkout.root)
    name_python(checkout)
    compile_own_modules(checkout)


def name_python(checkout: Checkout) -> None:
    """Let `whaledo` name its Python where the kernel can read that: to find it, the shell starts two programs."""
    script = checkout.making / "venv" / "bin" / "whaledo"
    first_line = f"#!{checkout.venv / 'bin' / 'python'}"
    _, by_shell, program = script.read_text("utf-8").partition(BY_SHELL)
    if by_shell and len(first_line) <= FIRST_LINE_CHARS and " " not in first_line:
        script.write_text(f"{first_line}\n{program}", "utf-8")


def compile_own_modules(checkout: Checkout) -> None:
    """Compile this checkout's modules too, if they can be: 0.1 s of each command."""
    python = checkout.making / "venv" / "bin" / "python"
    succeeds(python, "-m", "compileall", "-q", checkout.root / "src")
    # pyarrow takes modules of the development tools along, which aren't compiled otherwise.
    succeeds("env", "-u", "PYTHONDONTWRITEBYTECODE", python, "-c", "import pyarrow.csv")


def put_in_place(checkout: Checkout, key: str) -> None:
    """Let the new virtual environment take the old one's place."""
    new = checkout.making / "venv"
    (new / STAMP).write_text(json.dumps({"key": key}), "utf-8")
    if checkout.venv.exists():
        checkout.venv.rename(checkout.making / "old")
    new.rename(checkout.venv)


def build_core(checkout: Checkout) -> int:
    """Build the core environment unless it is there; returns the exit status."""
    if succeeds(checkout.venv / "bin/python", "-c", IS_BUILT):
        return 0
    return subprocess.run([checkout.venv / "bin/whaledo", "env", "build", "--profile", "core"]).returncode


def ensure_bubblewrap() -> None:
    """Install bubblewrap where it is missing and this user may.

    Raises:
        MachineError: it is missing, and can't be installed from here.
    """
    if shutil.which("bwrap") or not sys.platform.startswith("linux"):
        return
    manager = package_manager()
    privilege = without_password()
    if manager is not None and privilege is not None:
        with step("Installing bubblewrap"):
            install(manager, manager.packages[BUBBLEWRAP], privilege)
        return
    command = how_to_install(BUBBLEWRAP, manager)
    raise MachineError(
        "bubblewrap is missing: `bwrap` isn't on PATH, and without it submissions can't be walled in",
        hint=f"type `{command}`" if command else "install your distribution's package bubblewrap",
    )


def without_password() -> tuple[str, ...] | None:
    """What to put before a command to run it as root; None where that would ask for a password."""
    if os.geteuid() == 0:
        return ()
    return ("sudo", "-n") if succeeds("sudo", "-n", "true") else None


def install(manager: PackageManager, package: str, privilege: tuple[str, ...]) -> None:
    """Install a package of the distribution; with fresh lists where the present ones don't do.

    Raises:
        MachineError: the package manager failed; with its last lines.
    """
    prefix = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive"]
    command = [*prefix, *manager.install, package]
    if manager.refresh is not None:
        if succeeds(*command):
            return
        call([*prefix, *manager.refresh], f"refresh the lists of {manager.program}")
    call(command, f"install {package} with {manager.program}")


def succeeds(*command: str | Path) -> bool:
    """Run a program whose output is of no interest; False too where it can't be started."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    except OSError:
        return False


def call(command: Sequence[str | Path], doing: str, *keep_open: int) -> None:
    """Run a program to its end, with these file descriptors.

    Raises:
        MachineError: it failed; with its last lines.
    """
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    done = subprocess.run(
        command,
        env={**environ, "PIP_USER": "0"},
        pass_fds=keep_open,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if not line.startswith("WARNING: ")]
        last = "\n".join(f"  {line}" for line in lines[-8:])
        raise MachineError(
            f"couldn't {doing}: {Path(command[0]).name} ended with {done.returncode}:\n{last}",
            hint="the lines above say why; proxies and mirrors are in docs/environment.md",
        )


if __name__ == "__main__":
    sys.exit(main())
