"""Docker and Podman as they are here, and as they would be elsewhere: played by a program of ours on the PATH."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from whaledo.errors import Fault, MachineError
from whaledo.execution import supervisor
from whaledo.execution.engines import containers, find_engine
from whaledo.execution.engines.container_plan import Host, container_name
from whaledo.execution.engines.containers import Containers, remove_container
from whaledo.execution.records import Code, Guarantee, Level, RunRequest, RunResult
from whaledo.execution.runner import Listener
from whaledo.resources import HOME_VARIABLE

if TYPE_CHECKING:
    from tests.conftest import Rooms

MIB = 1024**2
PATIENCE_S = 30
BOTH = pytest.mark.parametrize("engine", ["docker", "podman"])

DOCKER_SAYS = {
    "ServerVersion": "27.3.1",
    "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
    "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
}
PODMAN_SAYS = {"Client": {"Version": "5.2.2", "OsArch": "linux/amd64"}}


def image(profile: str | None, reference: str | None = None, **changes: Any) -> dict[str, Any]:
    """An image as `image inspect` describes it; without a profile it has no labels."""
    labels = {"whaledo.profile": profile, "whaledo.lock": "5" * 64, "whaledo.version": "0.1.0"}
    return {
        "Id": f"sha256:{profile or 'none':0>64}",
        "RepoTags": [reference or f"whaledo/runtime:{profile}"],
        "Config": {"Labels": labels if profile else None},
        "Size": 1000,
        **changes,
    }


class Played:
    """An engine that is a shell script.

    Attributes:
        told: gets a line for each time that it is called.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder, self.told = name, folder, folder / f"{name}-told"

    def says(
        self,
        *images: Mapping[str, Any],
        about: Mapping[str, Any] | None = None,
        run: str = "exit 0",
        rest: str = "",
    ) -> None:
        """Make it have these images, say this of itself, and run containers by this script."""
        said = about if about is not None else (DOCKER_SAYS if self.name == "docker" else PODMAN_SAYS)
        missing = "echo 'Error response from daemon: No such image: x' >&2; exit 1"
        script = (
            f'echo "$*" >> {shlex.quote(str(self.told))}\ncase "$1" in\n'
            f"info|version) echo {shlex.quote(json.dumps(said))} ;;\n"
            f"image) echo {shlex.quote(json.dumps(images))}; {missing} ;;\n"
            f"run) {run} ;;\n{rest}\nesac\n"
        )
        self.is_script(script)

    def is_script(self, script: str) -> None:
        """Make it this script."""
        program = self._folder / self.name
        program.write_text(f"#!/bin/sh\n{script}")
        program.chmod(0o755)

    def calls(self) -> list[str]:
        """What it was told, one line a call."""
        return self.told.read_text().splitlines()


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder of the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def docker(bin_folder: Path) -> Played:
    """Docker, played."""
    return Played("docker", bin_folder)


@pytest.fixture
def podman(bin_folder: Path) -> Played:
    """Podman, played."""
    return Played("podman", bin_folder)


@pytest.fixture
def smi(bin_folder: Path) -> Callable[[str, str], None]:
    """Makes this machine have an NVIDIA driver of a version, which knows a CUDA."""

    def install(driver: str, cuda: str) -> None:
        program = bin_folder / "nvidia-smi"
        program.write_text(
            f'#!/bin/sh\ncase "$1" in --query*) echo "Tesla T4, {driver}" ;; *) echo "CUDA Version: {cuda}" ;; esac\n'
        )
        program.chmod(0o755)

    return install


# Whether it can be used here.


@BOTH
def test_an_engine_that_isnt_installed_is_said_to_be_so(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MachineError, match=f"{engine} isn't installed") as caught:
        Containers(engine, "core")
    assert "apt install" in caught.value.hint


def test_a_daemon_that_doesnt_run_is_said_to_be_so(
    need_engine: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_engine("docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    with pytest.raises(MachineError, match=r"docker couldn't .*unix:///nowhere") as caught:
        Containers("docker", "core")
    assert "systemctl start docker" in caught.value.hint


def test_a_daemon_that_hangs_is_given_up(docker: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.is_script("exec sleep 60\n")
    monkeypatch.setattr("whaledo.environment.containers.PATIENCE_S", 0.2)
    with pytest.raises(MachineError, match="gave no answer within"):
        Containers("docker", "core")


@BOTH
@pytest.mark.parametrize("profile", ["core", "auto"])
def test_without_an_image_the_ways_to_one_are_named(
    engine: str, profile: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(engine).says()
    with pytest.raises(MachineError, match=rf"{engine} has no image .*whaledo/runtime:core") as caught:
        Containers(engine, profile)
    assert "make build" in caught.value.hint
    assert "make pull" in caught.value.hint


def test_an_image_that_isnt_of_the_runtime_is_refused(docker: Played) -> None:
    docker.says(image(None, "debian:12"))
    with pytest.raises(MachineError, match=r"debian:12 isn't one of whaledo's runtime") as caught:
        Containers("docker", "core", image="debian:12")
    assert "FROM" in caught.value.hint


def test_of_the_images_that_are_here_the_largest_is_taken(docker: Played) -> None:
    docker.says(image("core"), image("cpu"))
    assert Containers("docker", "auto").packages.profile == "cpu"
    docker.says(image("core"))
    assert Containers("docker", "auto").packages.profile == "core"


def test_the_record_has_the_images_digest_and_lock(docker: Played) -> None:
    docker.says(image("core", "ana/whales:2"))
    packages = Containers("docker", "auto", image="ana/whales:2").packages
    assert (packages.image, packages.lock_sha256) == ("ana/whales:2", "5" * 64)
    assert packages.image_id == image("core")["Id"]


def test_an_engine_without_the_image_leaves_a_run_that_names_none_to_the_next(
    docker: Played, podman: Played
) -> None:
    docker.says()
    podman.says(image("core", "localhost/ana/whales:2"))
    request = RunRequest("s.zip", "data", "out", image="ana/whales:2")
    assert find_engine(request).name == "podman"


# What decides how containers are started.


@pytest.mark.parametrize(
    ("about", "different"),
    [
        ({}, {}),
        ({"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]}, {"rootless": True}),
        ({"SecurityOptions": ["name=userns"]}, {"remapped": True}),
        ({"SecurityOptions": ["name=seccomp,profile=builtin", "name=selinux"]}, {"selinux": True}),
        ({"SecurityOptions": None}, {}),
        ({"OperatingSystem": "Docker Desktop"}, {"native": False}),
    ],
    ids=["Linux", "rootless", "userns-remap", "SELinux", "no security", "Docker Desktop"],
)
def test_docker_says_itself_what_kind_it_is(
    about: Mapping[str, Any], different: Mapping[str, Any], docker: Played
) -> None:
    docker.says(image("core"), about={**DOCKER_SAYS, **about})
    caller = (60_950, 60_950) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    facts = {
        "rootless": False,
        "remapped": False,
        "native": True,
        "selinux": False,
        "ipv6": True,
        "counts": True,
    }
    usual = Host("docker", **facts, caller=caller)
    engine = Containers("docker", "core")
    assert replace(engine.host, ipv6=True, counts=True) == replace(usual, **different)
    assert engine.version() == "27.3.1"


def test_podman_is_rootless_for_everybody_but_root(podman: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    podman.says(image("core"))
    monkeypatch.setattr(containers, "missing_group", lambda uid: "only for root" if uid else "")
    for uid, rootless in ((0, False), (1234, True)):
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        engine = Containers("podman", "core")
        assert (engine.host.rootless, engine.host.native, engine.version()) == (rootless, True, "5.2.2")
        assert engine.host.counts is not rootless


@pytest.mark.parametrize(("rootless", "engines_user"), [([], 0), (["name=rootless"], os.geteuid())])
def test_memory_counts_where_the_engines_user_has_control_groups(
    rootless: list[str], engines_user: int, docker: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says(image("core"), about={**DOCKER_SAYS, "SecurityOptions": rootless})
    monkeypatch.setattr(containers, "missing_group", lambda uid: "none" if uid == engines_user else "")
    assert not Containers("docker", "core").host.counts


def test_podman_with_a_server_runs_in_a_virtual_machine(podman: Played) -> None:
    podman.says(image("core"), about={**PODMAN_SAYS, "Server": {"Version": "5.2.2"}})
    assert not Containers("podman", "core").host.native


@BOTH
def test_on_a_mac_containers_are_never_on_this_kernel(
    engine: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue(engine).says(image("core"))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not Containers(engine, "core").host.native


# GPUs. The lock of `gpu` is for CUDA 13.


def gpu_shown(docker: Played, rooms: Rooms, **changes: Any) -> bool:
    """Whether a run with the played Docker is shown GPUs."""
    docker.told.unlink(missing_ok=True)
    rooms.run(rooms.request("", engine="docker", **changes))
    [run] = [call for call in docker.calls() if call.startswith("run ")]
    return "--gpus all" in run


def test_a_driver_that_is_too_old_is_refused_before_the_run_with_both_ways_out(
    docker: Played, smi: Callable[[str, str], None]
) -> None:
    docker.says(image("gpu"))
    smi("535.54.03", "12.2")
    with pytest.raises(MachineError, match=r"can't use a GPU here: .*CUDA 13.*535\.54\.03") as caught:
        Containers("docker", "gpu")
    assert "update the NVIDIA driver to 580.65.06" in caught.value.hint
    assert "--profile cpu" in caught.value.hint


def test_without_a_gpu_an_image_for_gpus_goes_on_only_where_none_is_wanted(
    docker: Played, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says(image("gpu"))
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    (bin_folder / "nvidia-smi").write_text("#!/bin/sh\nexit 9\n")
    (bin_folder / "nvidia-smi").chmod(0o755)
    with pytest.raises(MachineError, match="shows no NVIDIA GPU"):
        Containers("docker", "gpu")
    assert Containers("docker", "gpu", gpu=False).packages.profile == "gpu"


def test_gpus_are_shown_where_the_driver_is_new_enough_and_not_where_none_are_wanted(
    docker: Played, smi: Callable[[str, str], None], rooms: Rooms
) -> None:
    smi("580.65.06", "13.0")
    docker.says(image("gpu"))
    assert gpu_shown(docker, rooms, profile="gpu")
    assert not gpu_shown(docker, rooms, profile="gpu", gpu=False)
    docker.says(image("core"))
    assert not gpu_shown(docker, rooms, profile="core")
    assert gpu_shown(docker, rooms, profile="core", gpu=True)


def test_auto_leaves_an_image_that_the_driver_cant_run_for_the_next(
    docker: Played, smi: Callable[[str, str], None]
) -> None:
    docker.says(image("gpu"), image("cpu"), image("core"))
    smi("535.54.03", "12.2")
    assert Containers("docker", "auto").packages.profile == "cpu"
    smi("580.65.06", "13.0")
    assert Containers("docker", "auto").packages.profile == "gpu"


# A container that never comes up.


def platform_error(rooms: Rooms, **changes: Any) -> RunResult:
    result = rooms.run(rooms.request("print('never')", engine="docker", **changes))
    assert (result.verdict.code, result.verdict.fault) == (Code.PLATFORM_ERROR, Fault.MACHINE)
    assert list((rooms.home / "runs").iterdir()) == []
    return result


def test_a_container_that_cant_be_started_is_our_fault_in_the_engines_words(
    docker: Played, rooms: Rooms
) -> None:
    docker.says(
        image("core"),
        run="echo 'docker: Error response from daemon: bind source path does not exist: /x' >&2\nexit 125",
    )
    ended = platform_error(rooms).verdict
    assert ended.message.startswith("docker couldn't start the container: docker: Error response")
    assert ended.message.endswith("bind source path does not exist: /x")
    assert "must run on this machine" in ended.hint
    assert docker.calls()[-1].startswith("rm --force --volumes whaledo-")


def test_an_engine_that_never_gets_a_container_up_is_given_up(
    docker: Played, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says(image("core"), run="exec sleep 60")
    monkeypatch.setattr(containers, "START_PATIENCE_S", 0.3)
    assert "took longer than" in platform_error(rooms).verdict.message
    assert docker.calls()[-1].startswith("rm --force --volumes whaledo-")


def test_an_engine_elsewhere_is_quoted_too(docker: Played, rooms: Rooms) -> None:
    state = {"ExitCode": 128, "Error": "exec: /usr/bin/env: no such file"}
    docker.says(
        image("core"),
        about={**DOCKER_SAYS, "OperatingSystem": "Docker Desktop"},
        run="exit 127",
        rest=f"inspect) echo {shlex.quote(json.dumps([{'State': state}]))} ;;",
    )
    assert "exec: /usr/bin/env: no such file" in platform_error(rooms).verdict.message


# Real containers, and what is left of them.


def left_of(engine: str, run_id: str) -> bool:
    """Whether the container of a run is there, running or not."""
    found = subprocess.run(
        [engine, "ps", "--all", "--filter", f"name={container_name(run_id)}", "--format", "{{.Names}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return container_name(run_id) in found.stdout


def wait_until(true: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it doesn't come about"
        time.sleep(0.02)


ON_AND_ON = "import os, time\nif os.fork() == 0: os.setsid()\nos.write(1, b'up ')\nwhile True: time.sleep(1)"


@BOTH
def test_cancelled_it_leaves_its_log_and_no_container(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str]
) -> None:
    need_engine(engine)
    printed: list[bytes] = []
    seen: list[bool] = []

    def cancelled() -> bool:
        if b"up up" not in b"".join(printed):
            return False
        [run_id] = [path.stem for path in (rooms.home / "runs").glob("*.lock")]
        seen.append(left_of(engine, run_id))
        return True

    request = rooms.request(ON_AND_ON, engine=engine)
    result = rooms.run(request, Listener(output=printed.append, cancelled=cancelled))
    assert result.verdict.code is Code.CANCELLED
    assert seen == [True], "a container bears the name of its run"
    assert not left_of(engine, result.run_id)
    assert rooms.printed(request.output) == b"up up "


@BOTH
def test_out_of_time_it_leaves_no_container(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str]
) -> None:
    result = rooms.run(rooms.request(ON_AND_ON, engine=need_engine(engine), wall_s=0.5))
    assert result.verdict.code is Code.TIMEOUT
    assert not left_of(engine, result.run_id)


CHILD_EATS = """
import os
if os.fork() == 0:
    bytearray(400 * 1024**2)
    os._exit(0)
print(os.wait()[1], flush=True)
"""


@BOTH
def test_a_child_that_the_kernel_killed_for_memory_is_a_warning_where_all_ended_well(
    engine: str,
    rooms: Rooms,
    need_engine: Callable[[str], str],
    valid_csv_code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted though the container has gone with its control group when the last look is taken."""
    monkeypatch.setattr(supervisor, "TICK_S", PATIENCE_S)
    request = rooms.request(CHILD_EATS + valid_csv_code, engine=need_engine(engine), memory_bytes=128 * MIB)
    result = rooms.run(request)
    assert result.verdict.code is Code.OK, result.verdict
    assert result.warnings == ("the kernel killed 1 of its processes for memory",)
    assert rooms.printed(request.output) == b"9\n"


@BOTH
def test_the_engine_isnt_asked_where_the_container_is(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer would take longer than many a wall."""
    asked: list[bool] = []
    monkeypatch.setattr(containers.ContainerSandbox, "_told_pid", lambda _: asked.append(True))
    result = rooms.run(rooms.request("", engine=need_engine(engine)))
    assert result.engine["guarantees"][Guarantee.MEMORY]["level"] == Level.ENFORCED
    assert asked == []


def test_what_podmans_monitor_leaves_where_it_was_started_is_not_left_in_anybodys_folder(
    podman: Played, rooms: Rooms, tmp_path: Path
) -> None:
    podman.says(image("core"), run=f"pwd > {tmp_path}/where; exit 125")
    result = rooms.run(rooms.request("", engine="podman"))
    assert (tmp_path / "where").read_text().strip() == str(rooms.home / "runs" / result.run_id)


@BOTH
@pytest.mark.parametrize(
    "forgery",
    [
        "os.write(os.open('/run/whaledo/status', os.O_RDWR), b'over\\n' * 100)",
        "os.write(os.open('/run/whaledo/go', os.O_RDWR | os.O_NONBLOCK), b'\\n')",
    ],
    ids=["its end", "our answer"],
)
def test_a_submission_that_forges_its_end_is_counted_to_its_real_one(
    forgery: str,
    engine: str,
    rooms: Rooms,
    need_engine: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With no look at the counters in between, as if all of it happened between two."""
    monkeypatch.setattr(supervisor, "TICK_S", PATIENCE_S)
    code = (
        f"import os, time\n{forgery}\ntime.sleep(0.3)\nheld = [bytearray(b'x' * 2**20) for _ in range(300)]"
    )
    request = rooms.request(code, engine=need_engine(engine), memory_bytes=96 * MIB)
    result = rooms.run(request)
    assert result.verdict.code is Code.OUT_OF_MEMORY, result.verdict
    assert (result.usage.peak_memory_bytes or 0) > 90 * MIB


FLOOD = """
import os, time
status = os.open('/run/whaledo/status', os.O_RDWR | os.O_NONBLOCK)
go = os.open('/run/whaledo/go', os.O_RDWR | os.O_NONBLOCK)
for pipe in (go, status, status):
    try:
        while True:
            os.write(pipe, b'x' * 4096)
    except BlockingIOError:
        time.sleep(0.3)
"""


@BOTH
def test_a_submission_that_floods_our_pipes_is_ended_in_time(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str]
) -> None:
    result = rooms.run(rooms.request(FLOOD, engine=need_engine(engine), wall_s=3.0))
    assert result.verdict.code is Code.TIMEOUT, result.verdict
    assert not left_of(engine, result.run_id)


@BOTH
def test_a_client_that_somebody_killed_is_our_fault(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str]
) -> None:
    killed: list[int] = []

    def kill_client(_: bytes) -> None:
        if not killed:
            [client] = guard_of(os.getpid()).children()
            killed.append(client.pid)
            client.kill()

    request = rooms.request("print('up')\nimport time\ntime.sleep(60)", engine=need_engine(engine))
    result = rooms.run(request, Listener(output=kill_client))
    assert result.verdict.code is Code.PLATFORM_ERROR, result.verdict
    assert "killed by signal 9" in result.verdict.message
    assert not left_of(engine, result.run_id)


def guard_of(pid: int) -> psutil.Process:
    """Who stands by the container of a whaledo."""
    [found] = [child for child in psutil.Process(pid).children() if is_guard(child)]
    return found


def is_guard(process: psutil.Process) -> bool:
    try:
        return any(word.endswith("guard.py") for word in process.cmdline())
    except psutil.Error:  # it has ended
        return False


class Started:
    """A `whaledo run` that goes on."""

    def __init__(self, request: RunRequest, home: Path) -> None:
        self.request = request
        words = ["run", request.submission, "--data", request.data, "--output", request.output]
        words += ["--engine", request.engine, "--profile", "core", "--memory", "1g", "--disk", "64m"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "whaledo", *words],
            env={**os.environ, HOME_VARIABLE: str(home)},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_for_log(self, text: bytes) -> None:
        """Wait until the submission has printed this."""
        log = Path(self.request.output, "log.txt")
        wait_until(lambda: log.exists() and text in log.read_bytes())

    def kill(self) -> None:
        """Kill whaledo."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start(rooms: Rooms) -> Iterator[Callable[[RunRequest], Started]]:
    """Starts runs, and ends them whatever happens."""
    started: list[Started] = []

    def begin(request: RunRequest) -> Started:
        started.append(Started(request, rooms.home))
        return started[-1]

    yield begin
    for each in started:
        each.kill()
    rooms.run(rooms.request(""))  # clears what they left


def run_that_goes_on(
    rooms: Rooms, engine: str, start: Callable[[RunRequest], Started]
) -> tuple[Started, str]:
    run = start(rooms.request(ON_AND_ON, engine=engine))
    run.wait_for_log(b"up up")
    [run_id] = [path.stem for path in (rooms.home / "runs").glob("*.lock")]
    assert left_of(engine, run_id)
    return run, run_id


@BOTH
def test_killed_in_mid_run_its_container_is_gone_at_once(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str], start: Callable[[RunRequest], Started]
) -> None:
    run, run_id = run_that_goes_on(rooms, need_engine(engine), start)
    run.kill()
    wait_until(lambda: not left_of(engine, run_id), within_s=3)


@BOTH
def test_killed_with_its_guard_the_next_run_with_any_engine_removes_the_container(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str], start: Callable[[RunRequest], Started]
) -> None:
    run, run_id = run_that_goes_on(rooms, need_engine(engine), start)
    run.process.send_signal(signal.SIGSTOP)  # at one moment: it would see to the container without its guard
    guard_of(run.process.pid).kill()
    run.kill()
    assert left_of(engine, run_id)
    rooms.run(rooms.request("print('next')"))
    assert not left_of(engine, run_id)
    assert list((rooms.home / "runs").iterdir()) == []


@BOTH
def test_only_its_guard_killed_the_run_ends_at_once_as_our_fault_and_leaves_nothing(
    engine: str, rooms: Rooms, need_engine: Callable[[str], str]
) -> None:
    guards: list[psutil.Process] = []

    def kill_guard(_: bytes) -> None:
        if not guards:
            guards.append(guard_of(os.getpid()))
            guards[0].kill()

    request = rooms.request("print('up')\nimport time\ntime.sleep(60)", engine=need_engine(engine))
    result = rooms.run(request, Listener(output=kill_guard))
    assert result.verdict.code is Code.PLATFORM_ERROR
    assert "stood by" in result.verdict.message
    assert not left_of(engine, result.run_id)
    assert result.usage is not None
    assert result.usage.wall_s < supervisor.DEATH_PATIENCE_S / 2


@BOTH
def test_a_container_that_has_gone_already_is_removed_without_a_word(
    engine: str, need_engine: Callable[[str], str]
) -> None:
    remove_container(need_engine(engine), "never-was")


def test_as_long_as_the_engine_doesnt_answer_a_dead_runs_folder_is_kept(docker: Played, rooms: Rooms) -> None:
    """Nobody knows whether the container still uses it."""
    docker.is_script("echo 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    runs = rooms.home / "runs"
    (runs / "dead").mkdir(parents=True)
    (runs / "dead.lock").write_text("docker")
    rooms.run(rooms.request(""))
    assert sorted(path.name for path in runs.iterdir()) == ["dead", "dead.lock"]
    docker.is_script("echo 'Error: No such container: whaledo-dead' >&2; exit 1\n")
    rooms.run(rooms.request(""))
    assert list(runs.iterdir()) == []


# Containers in a virtual machine, where the engine's program is all that is in reach.

ELSEWHERE: dict[str, tuple[str, Code, dict[str, Any]]] = {
    "ok": ("print('here')\n", Code.OK, {}),
    "crashed": ("print('here')\nraise SystemExit(7)\n", Code.CRASHED, {}),
    "timeout": ("print('here')\nimport time\ntime.sleep(60)\n", Code.TIMEOUT, {"wall_s": 2.0}),
    "out of memory": (
        "print('here')\nblock = bytearray(400 * 1024**2)\n",
        Code.OUT_OF_MEMORY,
        {"memory_bytes": 128 * MIB},
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_in_a_virtual_machine_it_ends_the_same_way(
    name: str,
    rooms: Rooms,
    need_engine: Callable[[str], str],
    valid_csv_code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, ending, limits = ELSEWHERE[name]
    here = containers._host
    monkeypatch.setattr(containers, "_host", lambda *about: replace(here(*about), native=False))
    request = rooms.request(code + valid_csv_code, engine=need_engine("docker"), **limits)
    result = rooms.run(request)
    assert result.verdict.code is ending, result.verdict
    assert rooms.printed(request.output) == b"here\n"
    held = result.engine["guarantees"]
    assert held[Guarantee.MEMORY]["level"] == Level.BEST_EFFORT
    assert result.usage.peak_memory_bytes in (0, None)
    assert not left_of("docker", result.run_id)
