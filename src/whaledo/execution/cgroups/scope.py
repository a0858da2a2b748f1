"""A part of the control group tree that systemd hands over to us: a scope of its own, with `Delegate=yes`.

systemd removes a scope with its last process, and the counters in it, so a process of ours stays in it until
everything is read: the keeper, a shell that takes its commands from a line that we hold. When we let go of the
line it ends, and just so when we are killed; then it takes the run along, and systemd clears up. `systemd-run`
becomes that shell, so once it answers the scope is there.

The run isn't started by `systemd-run` but moved in, so that its parent, its open files and its empty environment
are the same on every host. The kernel lets users move processes only within what is theirs, which a login
session isn't; systemd does it for them: `AttachProcessesToUnit`, org.freedesktop.systemd1(5).
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

from whaledo.errors import MachineError
from whaledo.execution.cgroups.base import REMOVAL_PATIENCE_S, Unavailable, write
from whaledo.execution.cgroups.means import UNIFIED, Systemd, own_groups

PATIENCE_S = 10.0
"""A systemd that takes longer than this to answer is too busy, or hangs."""

KEEP = """{{
    read -r until_the_line_closes
    exec 2>/dev/null
    while read -r _ <{procs}; do
        kill -9 $(cat {procs})
        sleep 0.1
    done
}}
"""
"""What the keeper is told to do: wait for the end of the line, and kill what is left in the run's group."""

_SYSTEM_PATH = "/usr/bin:/bin"
_ATTACH = (
    *("--system", "--quiet", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1"),
    *("org.freedesktop.systemd1.Manager", "AttachProcessesToUnit", "ssau"),
)


class Scope:
    """A scope with two groups in it: one for the keeper, and one, to be made, for the run.

    Attributes:
        run_group: the one for the run.

    Raises:
        Unavailable: systemd gives none; says why in its words.
        OSError: the kernel refuses what systemd allowed.
    """

    def __init__(self, name: str, means: Systemd) -> None:
        self.unit = f"whaledo-{name}.scope"
        self._folder: Path | None = None
        self._line, theirs = socket.socketpair()
        with theirs:
            self._keeper = subprocess.Popen(
                scope_command(self.unit, means),
                env={"PATH": _SYSTEM_PATH, **means.environment},
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,  # an interrupt from the keyboard isn't meant for it
            )
        try:
            self._await_answer()
            group = own_groups(Path(f"/proc/{self._keeper.pid}/cgroup").read_text("utf-8"))[UNIFIED]
            if not group.endswith(f"/{self.unit}"):
                raise Unavailable(f"systemd-run made {self.unit}, but its process is in {group}")
            self._folder = Path(f"{means.top}{group}")
            self.run_group = self._folder / "run"
            (self._folder / "keeper").mkdir()
            write(self._folder / "keeper/cgroup.procs", self._keeper.pid)
            procs = shlex.quote(str(self.run_group / "cgroup.procs"))
            self._line.sendall(KEEP.format(procs=procs).encode())
        except BaseException:
            self.close()
            raise

    def _await_answer(self) -> None:
        self._line.settimeout(PATIENCE_S)
        try:
            self._line.sendall(b"echo\n")
            answer = self._line.recv(1)
        except TimeoutError:
            raise Unavailable(f"systemd-run gave no answer within {PATIENCE_S:.0f} s") from None
        except ConnectionError:
            answer = b""
        if not answer:
            said = self._keeper.communicate()[1].decode(errors="replace").strip()
            raise Unavailable(f"systemd-run: {said.splitlines()[-1] if said else 'ended without a word'}")

    def attach(self, pid: int) -> None:
        """Have systemd move a process of this user from outside into the run's group.

        Raises:
            Unavailable: it doesn't; says why in its words.
        """
        busctl = shutil.which("busctl", path=_SYSTEM_PATH)
        manager = re.search(r"/(user@\d+\.service)(/.+)", str(self.run_group))
        if busctl is None or manager is None:
            raise Unavailable(f"no means of moving a process to {self.run_group}")
        command = [busctl, *_ATTACH, *manager.groups(), "1", str(pid)]
        try:
            asked = subprocess.run(command, env={}, capture_output=True, timeout=PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"systemd gave no answer within {PATIENCE_S:.0f} s") from None
        if str(pid) not in (self.run_group / "cgroup.procs").read_text().split():
            said = asked.stderr.decode(errors="replace").strip()
            raise Unavailable(f"systemd doesn't move the run's first process to {self.run_group}: {said}")

    def check(self) -> None:
        """Make sure that the scope is still there.

        Raises:
            MachineError: systemd, or somebody by it, has ended it, and the run with it.
        """
        if self._keeper.poll() is not None:
            raise MachineError(
                f"systemd has ended the run: its scope {self.unit} was stopped",
                hint="somebody stopped it, or this user's systemd with it (`loginctl enable-linger` keeps that "
                "when the user logs out): run it again",
            )

    def close(self) -> None:
        """Let the scope go, and wait until systemd has removed it, as it does as soon as it's empty."""
        self._line.close()
        try:
            self._keeper.communicate(timeout=REMOVAL_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.communicate()
        deadline = time.monotonic() + REMOVAL_PATIENCE_S
        while self._folder is not None and self._folder.exists() and time.monotonic() < deadline:
            time.sleep(0.002)


def scope_command(unit: str, means: Systemd) -> list[str]:
    """The command that becomes the scope's first process."""
    properties = ("--property=Delegate=yes", "--description=A submission run by whaledo")
    options = ("--scope", "--quiet", "--collect", f"--unit={unit}", *properties)
    return [*means.command, *options, "--", "/bin/sh"]
