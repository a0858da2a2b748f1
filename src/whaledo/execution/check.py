"""The check before a run: what would fail is found before anything is unpacked or started.

The code that is read was written by somebody nobody trusts, so that a process of its own reads it, with a limit on
its memory and time: whatever a zip was built to do to a reader costs a warning, never the run. That process is
started first of all, and this module imports nothing heavy: it comes up while others look for data and engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import whaledo
from whaledo.errors import MachineError
from whaledo.execution.contract import Network
from whaledo.execution.records import Check, RunRequest

if TYPE_CHECKING:
    from whaledo.execution.engines.base import Packages

MEMORY_BYTES = 1024**3
PROCESSOR_S = 15
PATIENCE_S = 30.0
"""The check reads for 3 s of processor time at most; a busy machine takes several times that by the clock."""

TICK_S = 0.1

_READER = (
    "import os, sys, _thread\n"
    "folder, alive = sys.argv[1:]\n"
    "_thread.start_new_thread(lambda: os._exit(len(os.read(int(alive), 1))), ())\n"
    "sys.path.append(folder)\n"
    "from whaledo.submission.preflight import apart\n"
    "apart.main()\n"
)
"""The process that reads; a pipe that nobody writes to ends with us, and it with the pipe.

It needs whaledo and Python's own library, so it is spared looking for packages (-S), and safe from an `ast.py` in the
folder that whaledo was started in (-I).
"""


class Cancelled(Exception):
    """Somebody stopped the check by hand."""


class Checker:
    """A process that waits for a submission to check. Use as a context manager; it is asked once."""

    def __init__(self) -> None:
        """Start it.

        Raises:
            MachineError: this host starts no further process.
        """
        self._profile: str | None = None
        folder = str(Path(whaledo.__file__).parents[1])
        alive, self._alive = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _READER, folder, str(alive)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                pass_fds=[alive],
                start_new_session=True,  # Ctrl-C is for us to act on
            )
        except OSError as error:
            os.close(self._alive)
            raise MachineError(
                f"no process can be started to check the submission: {error.strerror}",
                hint="end some of what runs here, or try again with --no-check",
            ) from error
        finally:
            os.close(alive)
        for limit, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, PROCESSOR_S)):
            resource.prlimit(self._process.pid, limit, (most, most))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        os.close(self._alive)

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, request: RunRequest, packages: Packages) -> None:
        """Have a run's submission checked, for `answer` to say what was found.

        Args:
            request: the run.
            packages: what it will run with.
        """
        self._profile = known_profile(request, packages)
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        question = json.dumps(_question(request, self._profile))
        # Where the process has ended, `answer` says so.
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            pipe.write(question)
        self._process.stdin = None

    def answer(self, cancelled: Callable[[], bool] = lambda: False) -> Check | None:
        """What was found; None where unpacking the zip will refuse it and explain.

        Args:
            cancelled: asked now and then; true ends the check.

        Raises:
            Cancelled: it was stopped by hand.
        """
        said = self._wait(cancelled)
        if said is None:
            return Check(self._profile, not_checked=self._how_it_ended())
        document: dict[str, Any] = json.loads(said)
        if "refused" in document:
            return None
        return Check(self._profile, len(document["modules"]), tuple(document["problems"]))

    def _wait(self, cancelled: Callable[[], bool]) -> str | None:
        """What the process says; None if it was ended first."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                said, _ = self._process.communicate(timeout=TICK_S)
                return said if self._process.returncode == 0 else None
            if cancelled():
                self._end()
                raise Cancelled
            if time.monotonic() > deadline:
                self._end()
                return None

    def _how_it_ended(self) -> str:
        status = self._process.returncode
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"whoever read it {how}, within {PATIENCE_S:.0f} s and {MEMORY_BYTES >> 20} MiB of memory"


def known_profile(request: RunRequest, packages: Packages) -> str | None:
    """The profile whose packages a run surely has; None where an image, or an older build, may have others."""
    from whaledo.environment.profiles import profiles, read_lock

    if request.image is not None or packages.profile not in profiles():
        return None
    return packages.profile if packages.lock_sha256 == read_lock(packages.profile).sha256 else None


def _question(request: RunRequest, profile: str | None) -> dict[str, Any]:
    """The fields of the `PreflightRequest` for a run."""
    from whaledo.environment.names import import_names
    from whaledo.environment.profiles import profiles

    return {
        "submission": request.submission,
        "profiles": {name: dict(import_names(name)) for name in profiles()} if profile else {},
        "profile": profile,
        "offline": request.network is Network.NONE,
        "shows_identities": request.show_identities,
    }
