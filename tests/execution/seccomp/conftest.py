"""A bubblewrap sandbox for one small Python program, with and without the seccomp filter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

import pyseccomp  # type: ignore[import-untyped]  # it has no stubs
import pytest

from whaledo.execution.seccomp import load_filter
from whaledo.execution.seccomp.table import ALLOWED, REFUSED

PYTHON = "/usr/bin/python3"
NOBODY = 65534
EVERY_CAPABILITY = ["--uid", "0", "--gid", "0", "--cap-add", "ALL"]
"""Root, with all capabilities, of its own user namespace: more than a submission ever is."""

Walled = Callable[..., "subprocess.CompletedProcess[str]"]


def system_call_numbers() -> dict[str, int]:
    """This processor's number of each call in the table that it has."""
    names = (call for group in (*ALLOWED, *REFUSED) for call in group.calls)
    numbers = {name: pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) for name in names}
    return {name: number for name, number in numbers.items() if number >= 0}


def walled_in(
    program: str, *options: str, filtered: bool = True, capable: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a Python program, which may import `attempt`, in bubblewrap as an unprivileged user.

    Args:
        program: its text.
        options: further options of bwrap.
        filtered: load the seccomp filter.
        capable: make it root with every capability inside.
    """
    arguments = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib64"):
        if (link := Path("/", name)).is_symlink():
            arguments += ["--symlink", str(link.readlink()), str(link)]
        elif link.exists():
            arguments += ["--ro-bind", str(link), str(link)]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", *options]
    given = {
        "/main.py": program.encode(),
        "/attempt.py": Path(__file__).with_name("attempt.py").read_bytes(),
        "/numbers.json": json.dumps(system_call_numbers()).encode(),
    }
    files = [_holding(content) for content in given.values()]
    for path, file in zip(given, files, strict=True):
        arguments += ["--perms", "0444", "--ro-bind-data", str(file), path]
    if filtered and (content := load_filter(counted=True)) is not None:
        files.append(_holding(content))
        arguments += ["--seccomp", str(files[-1])]
    arguments += EVERY_CAPABILITY if capable else []
    root = os.geteuid() == 0
    try:
        return subprocess.run(
            [*arguments, "--", PYTHON, "/main.py"],
            env={"LANG": "C.UTF-8"},
            user=NOBODY if root else None,
            group=NOBODY if root else None,
            extra_groups=[] if root else None,
            pass_fds=files,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        for file in files:
            os.close(file)


def _holding(content: bytes) -> int:
    """A descriptor of a file without a name, at its start."""
    with TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return os.dup(file.fileno())


def _missing(what: str) -> NoReturn:
    if os.environ.get("WHALEDO_REQUIRE_ENGINES") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def walled() -> Walled:
    """`walled_in`; skips, or fails where engines are required, on a host that can't do it."""
    if load_filter(counted=True) is None:
        pytest.skip("there is no filter for this processor")
    if shutil.which("bwrap") is None or not Path(PYTHON).exists():
        _missing(f"needs bwrap and {PYTHON}")
    tried = walled_in("print('up')", filtered=False)
    if tried.stdout != "up\n":
        _missing(f"bubblewrap doesn't work on this host: {tried.stderr.strip()}")
    return walled_in
