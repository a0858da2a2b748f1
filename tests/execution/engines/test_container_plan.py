"""What Docker and Podman are told: pure functions, looked at without them."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whaledo.execution.cgroups.base import Counters
from whaledo.execution.cgroups.observe import Observed
from whaledo.execution.contract import ENVIRONMENT, OPEN_FILES, WRITABLE_ENTRIES, Limits, Network
from whaledo.execution.engines.base import Order
from whaledo.execution.engines.container_plan import (
    FIRST_PROCESS,
    Host,
    arguments,
    container_name,
    guarantees,
    mount,
    shell_arguments,
)
from whaledo.execution.records import Guarantee, Level
from whaledo.execution.seccomp import profile_path
from whaledo.execution.workspace import Workspace

ORDER = Order(
    run_id="run-1",
    workspace=Workspace(Path("/state/runs/run-1"), 1234),
    mounts=(("images", Path("/home/ana/whales/images")), ("more images", Path('/mnt/the "best", of'))),
    limits=Limits(memory_bytes=10**9, processes=50, disk_bytes=3000, shm_bytes=2000, cpus=1.5),
    network=Network.NONE,
)
DOCKER = Host(
    "docker",
    rootless=False,
    remapped=False,
    native=True,
    selinux=False,
    ipv6=True,
    counts=True,
    caller=(1234, 100),
)
PODMAN = replace(DOCKER, client="podman")
BOTH = pytest.mark.parametrize("host", [DOCKER, PODMAN], ids=["docker", "podman"])
IMAGE = "sha256:0123"
COUNTERS = Counters(1, 1, 1, 1.0, 0, 0)


def told(host: Host = DOCKER, order: Order = ORDER, *, gpu: bool = False) -> list[str]:
    return arguments(order, host, IMAGE, gpu=gpu)


def after(option: str, args: list[str]) -> list[str]:
    """The values that follow each use of an option."""
    return [value for name, value in pairwise(args) if name == option]


def mounts(args: list[str]) -> dict[str, tuple[str, bool]]:
    """Target to source and whether it is read-only, of every mount, read as the engines read them."""
    found = {}
    for value in after("--mount", args):
        [fields] = csv.reader([value])
        named = dict(field.partition("=")[::2] for field in fields)
        assert named["type"] == "bind"
        assert named["target"] not in found
        found[named["target"]] = (named["source"], "readonly" in named)
    return found


def inside(args: list[str]) -> list[str]:
    """What is run in the container."""
    return args[args.index(IMAGE) + 1 :]


@BOTH
@pytest.mark.parametrize("native", [True, False], ids=["native", "elsewhere"])
def test_every_wall_is_asked_for(host: Host, native: bool) -> None:
    args = told(replace(host, native=native))
    assert args[0] == "run"
    assert after("--network", args) == ["none"]
    assert "--read-only" in args
    assert after("--cap-drop", args) == ["ALL"]
    assert after("--security-opt", args) == ["no-new-privileges", f"seccomp={profile_path(counted=True)}"]
    assert after("--ipc", args) == after("--cgroupns", args) == ["private"]
    assert after("--log-driver", args) == ["none"]
    assert after("--pull", args) == ["never"]
    assert after("--hostname", args) == ["whaledo"]
    assert after("--workdir", args) == ["/code_execution"]
    assert args.index("--pull") < args.index(IMAGE)
    opening = {"--privileged", "--cap-add", "--device", "--gpus", "--volume", "--publish", "--pid", "--uts"}
    assert opening.isdisjoint(args)


@BOTH
def test_an_engine_that_ends_a_container_doesnt_ask_it_first(host: Host) -> None:
    assert after("--stop-signal", told(host)) == ["KILL"]


@BOTH
def test_every_limit_is_asked_for_and_swap_is_none(host: Host) -> None:
    args = told(host)
    assert after("--memory", args) == after("--memory-swap", args) == ["1000000000b"]
    assert after("--pids-limit", args) == ["50"]
    assert after("--cpus", args) == ["1.5"]
    assert after("--shm-size", args) == ["2000b"]
    [tmp] = after("--tmpfs", args)
    assert tmp.startswith("/tmp:")
    assert {"rw", "nosuid", "nodev", "size=3000", "mode=1777"} <= set(tmp.partition(":")[2].split(","))
    ulimits = after("--ulimit", args)
    assert {"core=0:0", f"nofile={OPEN_FILES}:{OPEN_FILES}", "fsize=3000:3000"} <= set(ulimits)


def test_a_single_file_may_be_as_large_as_the_largest_place() -> None:
    order = replace(ORDER, limits=replace(ORDER.limits, shm_bytes=9000))
    assert "fsize=9000:9000" in after("--ulimit", told(order=order))


@BOTH
def test_processors_are_limited_only_where_that_is_asked_for(host: Host) -> None:
    assert "--cpus" not in told(host, replace(ORDER, limits=replace(ORDER.limits, cpus=None)))


def test_podman_makes_nothing_more_writable_and_hands_on_no_proxy() -> None:
    args = told(PODMAN)
    assert {"--read-only-tmpfs=false", "--http-proxy=false"} <= set(args)
    assert "--sysctl" not in args
    assert "--env" not in args


def test_podmans_own_limit_of_a_users_processes_is_replaced_by_one_that_is_allowed() -> None:
    assert "nproc=4096:4096" in after("--ulimit", told(PODMAN))
    many = replace(ORDER, limits=replace(ORDER.limits, processes=9000))
    assert "nproc=9000:9000" in after("--ulimit", told(PODMAN, many))
    assert not any("nproc" in each for each in after("--ulimit", told(DOCKER)))


def test_docker_limits_the_files_in_tmp_too() -> None:
    assert f"nr_inodes={WRITABLE_ENTRIES}" in after("--tmpfs", told(DOCKER))[0]
    assert "nr_inodes" not in after("--tmpfs", told(PODMAN))[0]


def test_docker_is_told_to_blank_the_proxies_of_its_own_settings() -> None:
    given = after("--env", told(DOCKER))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        assert {f"{name}=", f"{name.lower()}="} <= set(given)
    assert not any(each.partition("=")[2] for each in given)


@BOTH
def test_the_network_is_the_hosts_only_where_that_is_asked_for(host: Host) -> None:
    args = told(host, replace(ORDER, network=Network.HOST))
    assert after("--network", args) == ["host"]
    assert "--sysctl" not in args, "the host's own settings would be changed"


def test_docker_gives_the_loopback_its_second_address() -> None:
    assert after("--sysctl", told(DOCKER)) == ["net.ipv6.conf.lo.disable_ipv6=0"]


def test_a_kernel_without_ipv6_isnt_given_settings_that_it_hasnt_got() -> None:
    """Its container couldn't be started."""
    assert "--sysctl" not in told(replace(DOCKER, ipv6=False))


@pytest.mark.parametrize(
    ("host", "user", "userns"),
    [
        (DOCKER, "1234:100", []),
        (replace(DOCKER, rootless=True), "0:0", []),
        (replace(DOCKER, remapped=True), "1234:100", ["host"]),
        (PODMAN, "1234:100", []),
        (replace(PODMAN, rootless=True), "1000:1000", ["keep-id:uid=1000,gid=1000"]),
    ],
    ids=["docker", "docker rootless", "docker remapped", "podman", "podman rootless"],
)
def test_the_run_is_the_caller_whatever_its_number_inside(host: Host, user: str, userns: list[str]) -> None:
    args = told(host)
    assert after("--user", args) == [user]
    assert after("--userns", args) == userns
    assert host.inside == tuple(map(int, user.split(":")))


@BOTH
def test_selinux_is_kept_from_our_folders_only_where_there_is_any(host: Host) -> None:
    assert "label=disable" in after("--security-opt", told(replace(host, selinux=True)))
    assert "label=disable" not in told(host)


@BOTH
def test_only_the_code_and_the_submission_folder_are_writable(host: Host) -> None:
    shown = mounts(told(host))
    run = "/state/runs/run-1"
    writable = {target: source for target, (source, read_only) in shown.items() if not read_only}
    assert writable == {
        "/code_execution": f"{run}/code",
        "/code_execution/submission": f"{run}/submission",
    }
    assert {target: source for target, (source, read_only) in shown.items() if read_only} == {
        "/code_execution/data": f"{run}/data",
        "/code_execution/data/images": "/home/ana/whales/images",
        "/code_execution/data/more images": '/mnt/the "best", of',
        "/run/whaledo": f"{run}/wires",
        **{f"/etc/{name}": f"{run}/etc/{name}" for name in ("passwd", "group", "hosts", "nsswitch.conf")},
    }


def test_what_lies_in_another_mount_comes_after_it() -> None:
    targets = [*mounts(told())]
    for target in targets:
        assert not any(
            later != target and Path(later) in Path(target).parents
            for later in targets[targets.index(target) :]
        )


def test_a_whole_folder_stands_in_place_of_the_public_view() -> None:
    shown = mounts(told(order=replace(ORDER, mounts=(("", Path("/home/ana/whales")),))))
    assert shown["/code_execution/data"] == ("/home/ana/whales", True)
    assert [target for target in shown if target.startswith("/code_execution/data")] == [
        "/code_execution/data"
    ]


@given(
    st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), min_size=1), st.booleans()
)
def test_any_path_comes_through_a_mount_as_it_is(name: str, read_only: bool) -> None:
    path = Path("/data", name)
    [fields] = csv.reader(io.StringIO(mount(path, "/inside", read_only=read_only), newline=""))
    assert fields[1:3] == [f"source={path}", "target=/inside"]
    assert fields[3:] == (["readonly"] if read_only else [])


@BOTH
def test_the_environment_inside_is_the_contracts_alone(host: Host) -> None:
    """Run by the `env` and `sh` of this machine, with variables such as an image's."""
    words = inside(told(host))
    at = words.index("-i")
    words = ["/usr/bin/env", *words[at:-2], "env"]
    said = subprocess.run(
        words, env={"GPG_KEY": "x", "PATH": "/bin"}, capture_output=True, text=True, check=True
    )
    assert dict(line.split("=", 1) for line in said.stdout.splitlines()) == ENVIRONMENT
    assert inside(told(host))[-2:] == ["/opt/venv/bin/python", "main.py"]


def test_the_first_process_reports_waits_to_be_let_go_and_hands_on_the_status(tmp_path: Path) -> None:
    for name in ("log", "status", "go"):
        (tmp_path / name).touch()
    (tmp_path / "go").write_text("\n")
    script = FIRST_PROCESS.replace("/run/whaledo", str(tmp_path))
    code = "cat; echo said; echo wrong >&2; echo forged >&3; exit 7"
    ended = subprocess.run(
        ["/bin/sh", "-c", script, "whaledo", "sh", "-c", code], check=False, capture_output=True
    )
    assert ended.returncode == 7
    assert ended.stdout == ended.stderr == b""
    assert (tmp_path / "status").read_text() == "up\nover\n"
    log = (tmp_path / "log").read_text()
    assert log.startswith("said\nwrong\n")
    assert "Bad file descriptor" in log or "bad fd" in log.lower()


@BOTH
def test_where_pipes_are_in_reach_the_container_removes_itself_and_output_never_passes_the_engine(
    host: Host,
) -> None:
    args = told(host)
    assert "--rm" in args
    assert "--init" not in args
    assert after("--entrypoint", args) == ["/bin/sh"]
    assert inside(args)[:2] == ["-c", FIRST_PROCESS]


@BOTH
def test_in_a_virtual_machine_the_container_stays_to_be_asked_and_has_no_pipes(host: Host) -> None:
    args = told(replace(host, native=False))
    assert "--init" in args
    assert "--rm" not in args
    assert "/run/whaledo" not in mounts(args)
    assert FIRST_PROCESS not in args
    assert after("--entrypoint", args) == ["/usr/bin/env"]
    assert inside(args)[0] == "-i"


def test_gpus_are_shown_only_where_that_is_asked_for() -> None:
    assert after("--gpus", told(DOCKER, gpu=True)) == ["all"]
    assert after("--device", told(PODMAN, gpu=True)) == ["nvidia.com/gpu=all"]
    for host in (DOCKER, PODMAN):
        assert not [word for word in told(host) if re.search("gpu|nvidia", word, re.IGNORECASE)]


def test_a_container_bears_the_name_of_its_run() -> None:
    args = told()
    assert after("--name", args) == [container_name("run-1")] == ["whaledo-run-1"]
    assert after("--label", args) == ["whaledo.run=run-1"]


@BOTH
def test_a_shell_has_the_same_walls_mounts_and_variables(host: Host) -> None:
    order = replace(ORDER, network=Network.HOST)
    run, shell = told(host, order), shell_arguments(order, host, IMAGE)
    for option in (
        "--cap-drop",
        "--security-opt",
        "--user",
        "--memory",
        "--pids-limit",
        "--mount",
        "--tmpfs",
    ):
        assert after(option, shell) == after(option, run)
    assert {"--rm", "--interactive", "--tty", "--read-only"} <= set(shell)
    assert "--init" not in shell  # Podman takes it from the host, where it may be missing
    assert {f"{name}={value}" for name, value in ENVIRONMENT.items()} <= set(after("--env", shell))


def seen(*, memory: bool = True, processes: bool = True, cpus: bool = True) -> Observed:
    return Observed("cgroup v2", memory, processes, cpus, lambda: COUNTERS)


def levels(
    group: Observed | None, host: Host = DOCKER, order: Order = ORDER, *, seccomp: bool | None = True
) -> dict[Guarantee, Level]:
    held = guarantees(order, host, group, seccomp=seccomp)
    assert set(held) == set(Guarantee)
    return {guarantee: each.level for guarantee, each in held.items()}


@BOTH
def test_all_is_enforced_where_the_kernel_says_so_but_the_disk(host: Host) -> None:
    held = levels(seen(), host)
    assert held.pop(Guarantee.DISK) is Level.BEST_EFFORT
    assert set(held.values()) == {Level.ENFORCED}


@BOTH
def test_a_limit_that_the_engine_dropped_is_not_called_enforced(host: Host) -> None:
    held = levels(seen(memory=False, processes=False, cpus=False), host)
    assert held[Guarantee.MEMORY] is Level.BEST_EFFORT
    for guarantee in (Guarantee.PROCESS_COUNT, Guarantee.CPUS):
        assert held[guarantee] is Level.NOT_ENFORCED
    alone = levels(seen(processes=False), host)
    assert (alone[Guarantee.MEMORY], alone[Guarantee.PROCESS_COUNT]) == (Level.ENFORCED, Level.NOT_ENFORCED)
    dropped = f"{host.client} didn't pass the limit on to the container's control group"
    said = guarantees(ORDER, host, seen(memory=False), seccomp=True)[Guarantee.MEMORY].by
    assert said == f"looked at ten times a second, where processes have mapped it; {dropped}"


def test_where_nobody_counts_memory_calls_that_hide_some_are_refused_and_it_is_looked_at() -> None:
    host = replace(PODMAN, rootless=True, counts=False)
    assert f"seccomp={profile_path(counted=False)}" in after("--security-opt", told(host))
    held = guarantees(ORDER, host, seen(memory=False), seccomp=True)[Guarantee.MEMORY]
    assert (held.level, held.by.partition(";")[0]) == (Level.BEST_EFFORT, "looked at ten times a second")


def test_processors_without_a_quota_are_held_by_affinity_where_that_could_be_set() -> None:
    held = guarantees(ORDER, PODMAN, seen(cpus=False), seccomp=True, is_kept=True)[Guarantee.CPUS]
    assert (held.level, "code can undo" in held.by) == (Level.BEST_EFFORT, True)


def test_in_a_user_namespace_of_its_own_podman_holds_a_container_to_its_processes() -> None:
    rootless = replace(PODMAN, rootless=True)
    assert "nproc=40:40" in after("--ulimit", told(rootless, replace(ORDER, limits=Limits(processes=40))))
    assert levels(seen(processes=False), rootless)[Guarantee.PROCESS_COUNT] is Level.ENFORCED


def test_a_limit_that_nobody_can_look_at_is_best_effort() -> None:
    held = levels(None)
    for guarantee in (Guarantee.MEMORY, Guarantee.PROCESS_COUNT, Guarantee.CPUS):
        assert held[guarantee] is Level.BEST_EFFORT


@pytest.mark.parametrize("group", [None, seen(cpus=False)], ids=["unseen", "seen"])
def test_processors_that_nobody_limited_are_held(group: Observed | None) -> None:
    order = replace(ORDER, limits=replace(ORDER.limits, cpus=None))
    assert levels(group, order=order)[Guarantee.CPUS] is Level.ENFORCED


def test_filtered_system_calls_are_claimed_only_where_they_were_seen_to_be() -> None:
    assert levels(seen(), seccomp=False)[Guarantee.SYSTEM_CALLS] is Level.NOT_ENFORCED
    assert levels(seen(), seccomp=None)[Guarantee.SYSTEM_CALLS] is Level.BEST_EFFORT


def test_the_hosts_network_is_not_called_a_wall() -> None:
    order = replace(ORDER, network=Network.HOST)
    assert levels(seen(), order=order)[Guarantee.NETWORK] is Level.NOT_ENFORCED


def test_a_virtual_machine_is_told_to_kill() -> None:
    held = guarantees(ORDER, replace(DOCKER, native=False), None, seccomp=None)
    assert held[Guarantee.WALL_TIME].by == "docker is told to kill the container"
