"""The engine that needs no daemon: bubblewrap's namespaces, entered from a private stage.

`start` launches `stage.py`, which mounts the run's own places, leaves root and becomes bubblewrap. What is behind
the walls then says that it is there, and waits for us to let it begin. If it never says so, Python that does
nothing is sent the same way, to hear in bubblewrap's own words what is wrong with this host. Where a mount
namespace around bubblewrap is refused, the same walls stand without it, and the disk limit is watched instead of
enforced.

Started by root, bubblewrap alone would be no sandbox: the user inside would be root outside. The stage leaves
root first.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from whaledo.environment.build import Environment
from whaledo.errors import MachineError
from whaledo.execution import contract, stage
from whaledo.execution.cgroups import ControlGroup, control_group
from whaledo.execution.engines.base import Ending, Order, Packages, Sample
from whaledo.execution.engines.bubblewrap_plan import (
    Descriptors,
    arguments,
    command,
    find_places,
    guarantees,
    hint,
    small_files,
    stage_plan,
)
from whaledo.execution.records import Guarantee, Held, Level
from whaledo.execution.seccomp import digest, load_filter
from whaledo.execution.watch import DiskWatch, ProcessTree, filled

VERSION_PATIENCE_S = 1.0

START_PATIENCE_S = 30.0
"""A host that takes longer than this to set up namespaces is broken."""

NOTHING = (f"{contract.PYTHON_FOLDER}/bin/python", "-I", "-S", "-c", "")
"""What a trial starts."""

GATE = ("/bin/sh", "-c", 'echo >&0; read -r _ && exec "$@" </dev/null', "gate")
"""Comes before what is started. Until bubblewrap has set up everything, its child doesn't end with us: were we
killed just then, a run would go on that nobody watches. So it says that it's there, and waits to hear from us.
"""


class Bubblewrap:
    """Start submissions with bubblewrap."""

    name = "bubblewrap"

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.packages = Packages(environment.profile, environment.lock_sha256)
        found = shutil.which("bwrap")
        if found is None:
            raise MachineError(
                "bubblewrap isn't installed: there is no `bwrap` on the PATH",
                hint="`make setup` installs it, or `apt install bubblewrap` (dnf, pacman: the same name)",
            )
        self._program = found

    def version(self) -> str:
        """The version of `bwrap`."""
        asked = [self._program, "--version"]
        try:
            said = subprocess.run(
                asked, capture_output=True, text=True, check=False, timeout=VERSION_PATIENCE_S
            )
        except subprocess.TimeoutExpired:
            return "unknown"
        return said.stdout.strip().removeprefix("bubblewrap ")

    def start(self, order: Order) -> BubblewrapSandbox:
        """Start `main.py` behind the walls of the contract; see `Engine.start`."""
        sandbox, said = self._attempt(order, "")
        if sandbox is not None:
            return sandbox
        refused = self._try(order, "") or said or "it went wrong once, and then it didn't"
        sandbox, said = self._attempt(order, refused)
        if sandbox is not None:
            return sandbox
        worse = self._try(order, refused) or said or refused
        raise MachineError(f"the run's walls can't be built here: {worse}", hint=hint(worse))

    def _attempt(self, order: Order, private_refused: str) -> tuple[BubblewrapSandbox | None, str]:
        """Start the run; no sandbox, and what was said, if the walls fell before the submission began."""
        try:
            sandbox = self._sandbox(order, private_refused)
        except _StageError as error:
            return None, str(error)
        if sandbox.is_up:
            return sandbox, ""
        said = sandbox.last_words()
        sandbox.close()
        return None, said

    def _try(self, order: Order, private_refused: str) -> str:
        """Send Python that does nothing through the walls; return what went wrong, or nothing."""
        try:
            sandbox = self._sandbox(order, private_refused, trial=True)
        except _StageError as error:
            return str(error)
        ending = sandbox.wait(START_PATIENCE_S)
        said = sandbox.last_words()
        sandbox.close()
        return "" if ending.exit_status == 0 else said or f"Python ended with {ending.exit_status}"

    def _sandbox(self, order: Order, private_refused: str, *, trial: bool = False) -> BubblewrapSandbox:
        return BubblewrapSandbox(self._program, self._environment, order, private_refused, trial=trial)


class _StageError(Exception):
    """A step of the stage failed."""

    def __init__(self, step: str, text: str) -> None:
        super().__init__(text)
        self.step = step


def _limit_processes(pid: int, most: int) -> bool:
    """Limit the processes of another process's user namespace; whether that was allowed."""
    try:
        resource.prlimit(pid, resource.RLIMIT_NPROC, (most, most))
    except PermissionError:  # a root without CAP_SYS_RESOURCE, and a process of another user
        return False
    except ProcessLookupError:  # it has ended: nothing is left to limit
        pass
    return True


def _open_gate(gate: socket.socket) -> bool:
    """Let the run begin; false where the walls fell before, so that there is nobody at the gate."""
    gate.settimeout(START_PATIENCE_S)
    with contextlib.suppress(OSError):
        if gate.recv(1):
            gate.sendall(b"\n")
            return True
    return False


class BubblewrapSandbox:
    """One run behind bubblewrap; see `Sandbox`.

    A trial is the same with Python that does nothing, for which no control group is made.

    Attributes:
        is_up: whether bubblewrap has built its walls, and started something behind them.
    """

    def __init__(
        self,
        program: str,
        environment: Environment,
        order: Order,
        private_refused: str,
        *,
        trial: bool = False,
    ) -> None:
        self._environment = environment
        self._order, self._private_refused = order, private_refused
        self._group: ControlGroup | str = "not for a trial"
        self._filter: bytes | None = None
        self._status = b""
        self._open: list[int] = []
        self._last = Sample()
        self._first_is_limited = True
        self.log_fd, writer = self._pipe()
        try:
            self._launch(program, writer, trial=trial)
        except _StageError as error:
            said = self.last_words()
            self.close()
            raise _StageError(error.step, ": ".join(filter(None, (str(error), said)))) from error
        except BaseException:
            self.close()
            raise

    def last_words(self) -> str:
        """What was printed by what fell before the submission began; nobody else reads the log then."""
        os.set_blocking(self.log_fd, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(self.log_fd, 4096).decode(errors="replace").strip()
        return ""

    def _launch(self, program: str, log_fd: int, *, trial: bool) -> None:
        order, private = self._order, not self._private_refused
        for folder in (order.workspace.stage, order.workspace.submission):
            folder.mkdir(exist_ok=True)
            os.chown(folder, order.workspace.uid, -1)
        if not private:
            written = (order.workspace.code, order.workspace.submission)
            self._disk_watch = DiskWatch(written, order.limits.disk_bytes, contract.WRITABLE_ENTRIES)
        places, binds = find_places(order, self._environment, private=private)
        files = {
            path: self._memory_file(text.encode())
            for path, text in small_files(self._environment.base_python).items()
        }
        filter_fd = self._memory_file(b"") if load_filter(counted=True) is not None else None
        options = arguments(order, self._environment, places, Descriptors(files, filter_fd))
        options_fd = self._memory_file(b"\0".join(os.fsencode(option) for option in options))
        self._status_fd, status_writer = self._pipe()
        argv = [program, "--args", str(options_fd), "--json-status-fd", str(status_writer), "--"]

        ours, theirs = socket.socketpair()
        gate, its_side = socket.socketpair()
        handed = [*files.values(), *([] if filter_fd is None else [filter_fd]), options_fd, status_writer]
        with ours, theirs, gate, its_side:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", stage.__file__, str(theirs.fileno())],
                env={},
                stdin=its_side.fileno(),
                stdout=log_fd,
                stderr=log_fd,
                pass_fds=[*handed, theirs.fileno()],
                start_new_session=True,
            )
            theirs.close()
            its_side.close()
            if not trial:  # while the stage waits for its plan
                self._group = control_group(order.run_id, order.limits, self._process.pid)
            self._filter = load_filter(counted=trial or not isinstance(self._group, str))
            if filter_fd is not None and self._filter is not None:
                os.pwrite(filter_fd, self._filter, 0)
            for descriptor in [log_fd, *handed]:
                self._close_fd(descriptor)
            argv += [*GATE, *(NOTHING if trial else self._inside())]
            plan = stage_plan(order, argv, binds, self._group, private=private)
            ours.settimeout(START_PATIENCE_S)
            with contextlib.suppress(BrokenPipeError):  # why it is gone is heard next
                ours.sendall(marshal.dumps({**plan}))
                ours.shutdown(socket.SHUT_WR)
            self._place_fds = self._hear(ours)
            self.submission_fd = self._place_fds[0]
            self._pid = self._sandbox_pid()
            self.done_fd = self._keep(self._open_process())
            if isinstance(self._group, str) and self._pid is not None:
                # Bubblewrap's own process is no way round the limit: it can be written to from inside.
                self._first_is_limited = _limit_processes(self._pid, order.limits.processes)
            self.is_up = _open_gate(gate)
        self._tree = ProcessTree(self._pid or self._process.pid)

    def _inside(self) -> Sequence[str]:
        return command(self._order.limits.processes if isinstance(self._group, str) else None)

    def _hear(self, control: socket.socket) -> list[int]:
        """Read what the stage reports: first that all is set up, then, by closing, that it became bwrap."""
        descriptors: list[int] = []
        received = b""
        try:
            while True:
                part, fds, _, _ = socket.recv_fds(control, 4096, 8)
                descriptors += [self._keep(fd) for fd in fds]
                if not part:
                    break
                received += part
        except OSError as error:
            raise _StageError("report", f"no answer from the run's first process: {error}") from error
        said, *failed = received.decode(errors="replace").split("!", 2)
        if failed:
            raise _StageError(*failed)
        if said != "ok":
            raise _StageError("report", "the run's first process ended without a word")
        return descriptors

    def _sandbox_pid(self) -> int | None:
        """Process id of the run's first process; None if bubblewrap failed before it had one."""
        deadline = time.monotonic() + START_PATIENCE_S
        while b"\n" not in self._status and time.monotonic() < deadline:
            said = select.select([self._status_fd], [], [], START_PATIENCE_S)[0]
            if not said or not (chunk := os.read(self._status_fd, 4096)):
                return None
            self._status += chunk
        for line in self._status.splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                if "child-pid" in (status := json.loads(line)):
                    return int(status["child-pid"])
        return None

    def _open_process(self) -> int:
        """A descriptor that tells when all is over: of the run's first process, with which the others end."""
        try:
            return os.pidfd_open(self._pid or self._process.pid)
        except ProcessLookupError:  # over already, before we could look
            return os.pidfd_open(self._process.pid)

    @property
    def guarantees(self) -> Mapping[Guarantee, Held]:
        """See `Sandbox`."""
        held = guarantees(
            self._order,
            private_refused=self._private_refused,
            group=self._group,
            seccomp=None if self._filter is None else digest(self._filter),
        )
        if not self._first_is_limited:
            why = "a resource limit, but not for the first process, which code could get hold of"
            held[Guarantee.PROCESS_COUNT] = Held(Level.BEST_EFFORT, why)
        return held

    def sample(self) -> Sample:
        """See `Sandbox`."""
        disk_bytes, entries = self._disk()
        if isinstance(self._group, str):
            in_files_bytes = sum(used for used, _ in map(filled, self._place_fds[1:]))
            memory_bytes, processes, cpu_s = self._tree.look(in_files_bytes)
            self._last = Sample(memory_bytes, None, processes, cpu_s, disk_bytes, entries)
        else:
            c = self._group.counters()
            self._last = Sample(
                c.memory_bytes,
                c.peak_memory_bytes,
                c.processes,
                c.cpu_s,
                disk_bytes,
                entries,
                c.oom_kills,
                c.refused_forks,
            )
        return self._last

    def _disk(self) -> tuple[int, int]:
        if not self._private_refused:
            return filled(self._place_fds[1])
        over = bool(select.select([self.done_fd], [], [], 0)[0])
        return self._disk_watch.look(closely=over)

    def kill(self) -> None:
        """See `Sandbox`."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.done_fd, signal.SIGKILL)

    def finish(self) -> Ending:
        """See `Sandbox`."""
        try:
            self._process.wait(START_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.set_blocking(self._status_fd, False)
        with contextlib.suppress(BlockingIOError):  # a process that can't be killed still holds it
            while chunk := os.read(self._status_fd, 4096):
                self._status += chunk
        exit_status = None
        for line in self._status.splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                exit_status = json.loads(line).get("exit-code", exit_status)
        if self._pid is None:
            return Ending(None, setup_error="bubblewrap ended before the run had a process")
        return Ending(exit_status)

    def wait(self, patience_s: float) -> Ending:
        """Wait for the end of a short run, and say how it ended."""
        if not select.select([self.done_fd], [], [], patience_s)[0]:
            self.kill()
        return self.finish()

    def close(self) -> None:
        """See `Sandbox`."""
        process = getattr(self, "_process", None)
        if process is not None and process.poll() is None:
            # bwrap dies with a signal, its child with it (--die-with-parent), and the namespace with that.
            process.kill()
            process.wait()
        while self._open:
            os.close(self._open.pop())
        if not isinstance(self._group, str):
            self._group.close()

    def _keep(self, descriptor: int) -> int:
        self._open.append(descriptor)
        return descriptor

    def _close_fd(self, descriptor: int) -> None:
        self._open.remove(descriptor)
        os.close(descriptor)

    def _pipe(self) -> tuple[int, int]:
        reader, writer = os.pipe()
        return self._keep(reader), self._keep(writer)

    def _memory_file(self, content: bytes) -> int:
        descriptor = self._keep(os.memfd_create("whaledo"))
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor
