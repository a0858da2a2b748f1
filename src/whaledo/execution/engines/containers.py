"""The engines that are container engines: Docker and Podman, driven through their own programs.

`start` hands the container to `guard.py`, which outlives us by as long as it takes to remove it, and waits until
the container's first process says that it is up. From then on the kernel is asked, not the engine: output comes
through a pipe of our own, counters from the container's control group, and a kill goes to its first process.
Where containers run in a virtual machine (Docker Desktop) none of that is in reach, so the engine's program
carries the output and is told to kill, and what can't be seen is reported as not seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whaledo.environment.accelerator import cuda_problem, find_gpu, needed_cuda
from whaledo.environment.containers import DOCKER, Client, Question, failure, find_client, hint
from whaledo.environment.image import Image, ask_for_images, candidates, missing, read_images
from whaledo.environment.profiles import profiles, read_lock
from whaledo.errors import MachineError
from whaledo.execution import contract
from whaledo.execution.cgroups import missing_group
from whaledo.execution.cgroups.base import Counters
from whaledo.execution.engines import container_plan, guard
from whaledo.execution.engines.base import Ending, Order, Packages, Sample
from whaledo.execution.engines.container_plan import (
    GO_PIPE,
    LOG_PIPE,
    STATUS_PIPE,
    UP,
    Host,
    container_name,
)
from whaledo.execution.engines.first_process import FirstProcess, holder
from whaledo.execution.engines.inside import system_files
from whaledo.execution.records import Guarantee, Held
from whaledo.execution.watch import DiskWatch
from whaledo.execution.workspace import RUN_UID

START_PATIENCE_S = 120.0
"""A machine that takes longer than this to start a container is broken."""

END_PATIENCE_S = 30.0
"""How long the engine may take to remove a container."""


class Containers:
    """Start submissions in containers of the profile's image.

    Args:
        name: `docker` or `podman`.
        profile: the profile, or `auto` for the largest whose image is here.
        image: the name of an image to use instead.
        gpu: whether to show the host's GPUs; None: where the profile is made for them and there are any.

    Raises:
        MachineError: the engine isn't installed or doesn't run, or has no such image.
    """

    def __init__(self, name: str, profile: str, image: str | None = None, gpu: bool | None = None) -> None:
        self.name = name
        self._client = find_client(name)
        asked = Question(self._client, *_question_of(name))
        names = candidates(profile, image)
        found = read_images(self._client, names, ask_for_images(self._client, names))
        self._about = json.loads(asked.answer("say what it is"))
        if not found:
            raise missing(self._client, names)
        self._image, self._gpu = _choose(found, gpu)
        self.host = _host(name, self._about)
        self.packages = Packages(
            self._image.profile, self._image.lock_sha256, self._image.reference, self._image.image_id
        )

    def version(self) -> str:
        """The version of the engine."""
        return str(self._about.get("ServerVersion") or self._about["Client"]["Version"])

    def start(self, order: Order) -> ContainerSandbox:
        """Start `main.py` in a container; see `Engine.start`."""
        lay_out(order, self.host)
        image = self._image.image_id
        arguments = container_plan.arguments(order, self.host, image, gpu=self._gpu)
        return ContainerSandbox(self._client, self.host, order, arguments)

    def shell(self, order: Order) -> list[str]:
        """The command that opens a shell in the same container, at the terminal."""
        lay_out(order, self.host)
        image = self._image.image_id
        arguments = container_plan.shell_arguments(order, self.host, image, gpu=self._gpu)
        return [self._client.program, *arguments]


def remove_container(engine: str, run_id: str) -> None:
    """Remove the container of a run whose whaledo was killed, if it is still there.

    Raises:
        MachineError: the engine isn't there or doesn't answer, so that nobody knows.
    """
    client = find_client(engine)
    status, _, wrong = Question(client, "rm", "--force", "--volumes", container_name(run_id)).hear()
    if status != 0 and "no such container" not in wrong.lower():
        raise failure(engine, "remove a container", wrong)


def _question_of(name: str) -> tuple[str, ...]:
    """How an engine is asked what it is; `podman info` takes half a second, and nothing of it is needed."""
    return ("info" if name == DOCKER else "version", "--format", "{{json .}}")


def _host(name: str, about: Mapping[str, Any]) -> Host:
    """What decides how containers are started, from what the engine says of itself."""
    uid = os.geteuid()
    caller = (RUN_UID, RUN_UID) if uid == 0 else (uid, os.getegid())
    linux = sys.platform == "linux"
    if name == DOCKER:
        options = " ".join(about.get("SecurityOptions") or ())
        rootless, remapped = "name=rootless" in options, "name=userns" in options
        native = linux and "Docker Desktop" not in about.get("OperatingSystem", "")
        selinux = "name=selinux" in options
    else:
        rootless, remapped = uid != 0, False
        native = linux and not about.get("Server")
        selinux = Path("/sys/fs/selinux/enforce").exists()
    ipv6 = not native or Path("/proc/sys/net/ipv6").exists()
    counts = not native or not missing_group(uid if rootless else 0)
    return Host(name, rootless, remapped, native, selinux, ipv6, counts, caller)


def _choose(found: Sequence[Image], gpu: bool | None) -> tuple[Image, bool]:
    """The first image whose CUDA this machine's driver runs, and whether its run is shown GPUs."""
    for image in found:
        needed = needed_cuda(read_lock(image.profile)) if image.profile in profiles() else None
        if needed is None:
            return image, bool(gpu)
        if gpu is False:
            return image, False
        problem = cuda_problem(needed, find_gpu())
        if problem is None:
            return image, True
        if len(found) == 1:
            raise MachineError(
                f"{image.reference} can't use a GPU here: {problem.message}", hint=problem.hint
            )
    return found[-1], False


def lay_out(order: Order, host: Host) -> None:
    """Make what the container is shown beside the code and the data: small system files, and the pipes."""
    place, uid = order.workspace, order.workspace.uid
    for folder in (place.etc, place.wires, place.submission):
        folder.mkdir(exist_ok=True)
    for path, text in system_files(*host.inside).items():
        (place.folder / path[1:]).write_text(text)
    if host.native:
        for name in (LOG_PIPE, STATUS_PIPE, GO_PIPE):
            os.mkfifo(place.wires / name, 0o600)
            os.chown(place.wires / name, uid, -1)
    os.chown(place.submission, uid, uid if os.geteuid() == 0 else -1)


class ContainerSandbox:
    """One run in a container; see `Sandbox`."""

    def __init__(self, client: Client, host: Host, order: Order, arguments: Sequence[str]) -> None:
        self._client, self._host, self._order = client, host, order
        self._name = container_name(order.run_id)
        self._open: list[int] = []
        self._first: FirstProcess | None = None
        self._final: Counters | None = None
        self._counting = threading.Lock()
        self._killer: subprocess.Popen[bytes] | None = None
        place = order.workspace
        written = (place.code, place.submission)
        self._disk = DiskWatch(written, order.limits.disk_bytes, contract.WRITABLE_ENTRIES)
        try:
            self.submission_fd = self._keep(os.open(place.submission, os.O_RDONLY | os.O_DIRECTORY))
            self._launch(arguments)
            if host.native:
                self._meet()
        except BaseException:
            self.close()
            raise

    def _launch(self, arguments: Sequence[str]) -> None:
        """Hand the container to its guard."""
        wires = self._order.workspace.wires
        if self._host.native:
            self.log_fd = self._keep(os.open(wires / LOG_PIPE, os.O_RDONLY | os.O_NONBLOCK))
            log = os.open(wires / LOG_PIPE, os.O_WRONLY)
            self._status = self._keep(os.open(wires / STATUS_PIPE, os.O_RDWR))
            self._go = self._keep(os.open(wires / GO_PIPE, os.O_RDWR | os.O_NONBLOCK))
            self._said = output = self._keep(os.memfd_create("whaledo"))
        else:
            self.log_fd, log = os.pipe()
            self._keep(self.log_fd)
            output = log
        self._alive, its_alive = socket.socketpair()
        self._word, its_word = os.pipe()
        self.done_fd = self._keep(self._word)
        theirs = (its_alive.detach(), its_word, log)
        words = [sys.executable, "-I", "-S", guard.__file__, *map(str, theirs)]
        self._guard = subprocess.Popen(
            [*words, self._client.program, self._name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=theirs,
            cwd=self._order.workspace.folder,  # Podman leaves a file where it was started when memory runs out
            start_new_session=True,
        )
        for descriptor in theirs:
            os.close(descriptor)

    def _meet(self) -> None:
        """Wait until the container's first process is up, find it, and have a thread attend to it.

        Raises:
            MachineError: the container never came up.
        """
        ready, _, _ = select.select([self._status, self._word], [], [], START_PATIENCE_S)
        if self._status not in ready:
            raise self._not_up(ended=bool(ready))
        os.read(self._status, len(UP))
        if (pid := holder(self._status, self._order.workspace.uid) or self._told_pid()) is not None:
            self._first = FirstProcess.find(pid, self._order.limits)
        if self._first is not None:
            with contextlib.suppress(BrokenPipeError):  # that the guard was killed is heard by its silence
                socket.send_fds(self._alive, [b"1"], [self._first.pidfd])
            done, over = os.pipe()
            self.done_fd = self._keep(done)
            self._attendant = threading.Thread(target=self._attend, args=(self._first, over), daemon=True)
            self._attendant.start()
        os.write(self._go, b"\n" if self._first is not None else b"\n\n")

    def _told_pid(self) -> int | None:
        """The number of the first process in the engine's words, where it isn't in sight."""
        question = Question(self._client, "inspect", "--format", "{{.State.Pid}}", self._name)
        status, said, _ = question.hear()
        return int(said) if status == 0 and said.strip() not in ("", "0") else None

    def _not_up(self, *, ended: bool) -> MachineError:
        os.lseek(self._said, 0, os.SEEK_SET)
        said = os.read(self._said, 64 * 1024).decode(errors="replace")
        if ended:
            return failure(self._client.name, "start the container", said)
        return MachineError(
            f"{self._client.name} took longer than {START_PATIENCE_S:.0f} s to start a container",
            hint=hint(said),
        )

    def _attend(self, first: FirstProcess, over: int) -> None:
        """Read the counters before they go with the container, and say by `over` that all is over.

        When `main.py` has ended, the first process says so and waits to be let go. Code in the container could
        say it too, or let the first process go, or make it end: therefore the counters are read once more as
        soon as it has gone. The engine then starts programs to clear up, which takes it many times as long.
        Whatever is said after that first word isn't heard, so that nobody can keep us busy.
        """
        awaited = [first.pidfd, self._word, self._status]
        while first.pidfd not in (ready := select.select(awaited, [], [])[0]):
            if self._word in ready:  # nobody stands by the container any more
                first.kill()
                awaited = [first.pidfd]
            else:
                self._count(first)
                with contextlib.suppress(BlockingIOError):  # filled by the run: it is up to that then
                    os.write(self._go, b"\n")
                awaited.remove(self._status)
        self._count(first)
        os.close(over)

    def _count(self, first: FirstProcess) -> Counters | None:
        """Look at the counters; the last look that there was, once they have gone."""
        with self._counting:
            self._final = first.counters() or self._final
            return self._final

    @property
    def guarantees(self) -> Mapping[Guarantee, Held]:
        """See `Sandbox`."""
        if (first := self._first) is None:
            return container_plan.guarantees(self._order, self._host, None, seccomp=None)
        held, kept = first.has_seccomp, first.is_kept
        return container_plan.guarantees(self._order, self._host, first.group, seccomp=held, is_kept=kept)

    def sample(self) -> Sample:
        """See `Sandbox`."""
        over = bool(select.select([self.done_fd], [], [], 0)[0])
        disk_bytes, entries = self._disk.look(closely=over)
        if self._first is None:
            return Sample(disk_bytes=disk_bytes, entries=entries)
        used, made = self._first.filled_tmp()
        disk_bytes, entries = disk_bytes + used, entries + made
        counters = self._count(self._first)
        if counters is None:
            memory_bytes, processes, cpu_s = self._first.watched()
            return Sample(memory_bytes, None, processes, cpu_s, disk_bytes, entries)
        return Sample(
            counters.memory_bytes,
            counters.peak_memory_bytes,
            counters.processes,
            counters.cpu_s,
            disk_bytes,
            entries,
            counters.oom_kills,
            counters.refused_forks,
        )

    def kill(self) -> None:
        """See `Sandbox`."""
        if self._first is not None and self._first.kill():
            return
        if self._killer is None or self._killer.poll() is not None:
            words = [self._client.program, "kill", self._name]
            self._killer = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def finish(self) -> Ending:
        """See `Sandbox`."""
        name = self._client.name
        if not select.select([self._word], [], [], END_PATIENCE_S)[0]:
            return Ending(None, setup_error=f"{name} doesn't say how the container ended")
        said = os.read(self._word, 64)
        if not said:
            return Ending(None, setup_error=f"whoever stood by the {name} container was killed")
        if (status := int(said)) < 0:
            return Ending(None, setup_error=f"{name} was killed by signal {-status} while its container ran")
        return Ending(status) if self._host.native else self._ending_by_word()

    def _ending_by_word(self) -> Ending:
        """How a container ended that only its engine can look at."""
        status, said, wrong = Question(self._client, "inspect", self._name).hear()
        if status != 0:
            return Ending(None, setup_error=f"{self._client.name} lost the container: {wrong.strip()}")
        state = json.loads(said)[0]["State"]
        if state.get("Error"):
            return Ending(None, setup_error=state["Error"])
        self._final = None
        return Ending(int(state["ExitCode"]), oom_killed=bool(state.get("OOMKilled")))

    def close(self) -> None:
        """See `Sandbox`."""
        if self._first is not None:
            self._first.kill()
        if (process := getattr(self, "_guard", None)) is not None:
            self._alive.close()
            try:
                process.wait(END_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.returncode < 0:
                with contextlib.suppress(MachineError):  # the next run tries again
                    remove_container(self._client.name, self._order.run_id)
        if self._killer is not None:
            self._killer.wait()
        if self._first is not None:
            self._attendant.join(END_PATIENCE_S)
            self._first.close()
        while self._open:
            os.close(self._open.pop())

    def _keep(self, descriptor: int) -> int:
        self._open.append(descriptor)
        return descriptor
