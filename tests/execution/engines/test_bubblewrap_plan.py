"""What bubblewrap is told: pure functions, looked at without it."""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from whaledo.environment.build import Environment
from whaledo.execution.contract import ENVIRONMENT, LEAST, Limits, Network
from whaledo.execution.engines import bubblewrap_plan
from whaledo.execution.engines.base import Order
from whaledo.execution.engines.bubblewrap_plan import (
    Descriptors,
    Places,
    arguments,
    command,
    find_places,
    guarantees,
    hint,
    small_files,
    stage_plan,
)
from whaledo.execution.records import Guarantee, Level
from whaledo.execution.workspace import RUN_UID, Workspace

ENVIRONMENT_OF_TESTS = Environment(
    profile="core",
    lock_path=Path("/locks/core.lock"),
    lock_sha256="0" * 64,
    folder=Path("/state/environments/core"),
    base_python=Path("/usr/bin/python3.11"),
    base_prefix=Path("/usr"),
    site_packages=Path("/state/environments/core/lib/python3.11/site-packages"),
)
ORDER = Order(
    run_id="run-1",
    workspace=Workspace(Path("/state/runs/run-1"), RUN_UID),
    mounts=(("images", Path("/home/ana/whales/images")), ("more images", Path("/mnt/more"))),
    limits=Limits(disk_bytes=1000, shm_bytes=500),
    network=Network.NONE,
)
PLACES = Places(
    code="/p/code",
    submission="/p/submission",
    tmp="/p/tmp",
    shm="/p/shm",
    data="/p/data",
    mounts=(("images", "/p/bind-0"), ("more images", "/p/bind-1")),
    packages="/p/lib",
    base=None,
)
ALONE = [
    "--unshare-user", "--disable-userns", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup",
    "--die-with-parent", "--new-session", "--clearenv",
]  # fmt: skip
"""Options without which a wall is missing."""


def told(order: Order = ORDER, places: Places = PLACES) -> list[str]:
    return arguments(order, ENVIRONMENT_OF_TESTS, places, Descriptors({"/etc/passwd": 7}, 8))


def after(option: str, args: list[str]) -> list[str]:
    """The values that follow each use of an option."""
    return [value for name, value in pairwise(args) if name == option]


def binds(option: str, args: list[str]) -> dict[str, str]:
    """Target to source of a kind of bind."""
    return {args[at + 2]: args[at + 1] for at, name in enumerate(args) if name == option}


def test_every_wall_is_asked_for() -> None:
    args = told()
    assert set(ALONE) <= set(args)
    assert after("--cap-drop", args) == ["ALL"]
    assert after("--uid", args) == after("--gid", args) == ["1000"]
    assert "--share-net" not in args
    assert not {"--dev-bind", "--dev-bind-try", "--cap-add", "--keep-fd", "--sync-fd"} & set(args)


def test_only_the_submissions_own_places_are_writable() -> None:
    args = told()
    assert binds("--bind", args) == {
        "/code_execution": "/p/code",
        "/code_execution/submission": "/p/submission",
        "/tmp": "/p/tmp",
        "/dev/shm": "/p/shm",
    }
    assert "--bind-try" not in args
    read_only = binds("--ro-bind", args)
    assert read_only["/code_execution/data"] == "/p/data"
    assert read_only["/code_execution/data/images"] == "/p/bind-0"
    assert read_only["/code_execution/data/more images"] == "/p/bind-1"
    assert read_only["/opt/venv/lib"] == "/p/lib"
    assert {"/", "/dev"} <= set(after("--remount-ro", args))
    assert args.index("--dev") < args.index("/dev/shm") < args.index("--remount-ro")


def test_the_submission_folder_lies_above_the_code_and_the_images_above_the_data() -> None:
    args = told()
    order = [args.index(place) for place in ("/p/code", "/p/data", "/p/bind-0", "/p/submission")]
    assert order == sorted(order)


def test_places_that_nobody_made_are_made_by_bubblewrap_with_a_size() -> None:
    args = told(places=replace(PLACES, tmp=None, shm=None))
    sized = {args[at + 5]: args[at + 1] for at, name in enumerate(args) if name == "--size"}
    assert sized == {"/dev/shm": "500", "/tmp": "1000"}


def test_nothing_of_the_hosts_settings_is_shown_but_what_programs_need() -> None:
    args = told()
    shown = {*binds("--ro-bind", args), *binds("--ro-bind-try", args), *after("--ro-bind-data", args)}
    assert {path for path in shown if path.startswith("/etc")} == {"/etc/ld.so.cache", "/etc/alternatives"}
    assert not {path for path in shown if path.startswith(("/home", "/root", "/run", "/var", "/sys", "/mnt"))}


def test_the_environment_is_the_contracts_alone() -> None:
    args = told()
    assert binds("--setenv", args) == {value: name for name, value in ENVIRONMENT.items()}


def test_the_filter_and_small_files_are_handed_over_by_descriptor() -> None:
    args = told()
    assert after("--seccomp", args) == ["8"]
    assert binds("--ro-bind-data", args) == {"/etc/passwd": "7"}


def test_the_network_of_the_host_comes_with_what_finds_names_there() -> None:
    args = told(replace(ORDER, network=Network.HOST))
    assert "--unshare-net" not in args
    assert "/etc/resolv.conf" in binds("--ro-bind-try", args)
    assert "--unshare-net" in told()


def test_a_python_outside_of_usr_is_shown_where_it_thinks_it_is() -> None:
    args = told(places=replace(PLACES, base=("/p/python", "/opt/python")))
    assert binds("--ro-bind", args)["/opt/python"] == "/p/python"


def test_system_folders_are_links_where_the_host_merged_them(tmp_path: Path) -> None:
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "lib").mkdir()
    args = bubblewrap_plan._system_folders(tmp_path)
    assert args == ["--symlink", "usr/bin", "/bin", "--ro-bind", str(tmp_path / "lib"), "/lib"]


def test_made_up_files_name_the_run_and_nobody_else() -> None:
    files = small_files(Path("/opt/python/bin/python3.11"))
    assert "runner:x:1000:1000::/code_execution" in files["/etc/passwd"]
    assert len(files["/etc/passwd"].splitlines()) == 2
    assert "localhost" in files["/etc/hosts"]
    assert "home = /opt/python/bin\n" in files["/opt/venv/pyvenv.cfg"]


def test_the_process_limit_is_set_inside_where_nothing_else_holds_it() -> None:
    assert command(None) == ["/opt/venv/bin/python", "main.py"]
    if Path("/usr/bin/prlimit").exists():
        assert command(20)[:2] == ["/usr/bin/prlimit", "--nproc=20:20"]
        assert command(20)[2:] == command(None)


def test_with_private_mounts_everything_is_staged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    places, staged = find_places(ORDER, ENVIRONMENT_OF_TESTS, private=True)
    targets = {bind["source"]: bind["target"] for bind in staged}
    assert set(targets) == {"/home/ana/whales/images", "/mnt/more", "/state/environments/core/lib"}
    assert len(set(targets.values())) == 3
    assert all(target.startswith("stage/") for target in targets.values())
    assert places.packages == f"/state/runs/run-1/{targets['/state/environments/core/lib']}"
    assert "/home/ana" not in str(places)
    assert places.base is None


def test_an_ordinary_user_needs_no_binds_to_reach_what_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    places, staged = find_places(ORDER, ENVIRONMENT_OF_TESTS, private=True)
    assert staged == []
    assert places.mounts == (("images", "/home/ana/whales/images"), ("more images", "/mnt/more"))


def test_without_private_mounts_the_folders_on_disk_are_shown() -> None:
    places, staged = find_places(ORDER, ENVIRONMENT_OF_TESTS, private=False)
    assert staged == []
    assert (places.tmp, places.shm) == (None, None)
    assert places.code == "/state/runs/run-1/code"
    assert places.submission == "/state/runs/run-1/submission"


def test_the_stage_sizes_every_writable_place_and_leaves_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    plan = stage_plan(ORDER, ["bwrap"], [], "no control group", private=True)
    assert [place["size_bytes"] for place in plan["places"]] == [1000, 500]
    assert all(place["entries"] > 0 for place in plan["places"])
    assert plan["uid"] == RUN_UID
    limits = dict(plan["limits"])
    assert limits[resource.RLIMIT_CORE] == 0
    assert limits[resource.RLIMIT_FSIZE] == 1000
    assert plan["report"][0] == "stage/box/submission"
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    assert stage_plan(ORDER, ["bwrap"], [], "none", private=False)["uid"] is None


def test_processors_are_limited_by_affinity_only_where_no_group_does_it() -> None:
    few = replace(ORDER, limits=Limits(cpus=1))
    assert len(stage_plan(few, [], [], "none", private=True)["cpus"]) == 1
    least = replace(ORDER, limits=Limits(cpus=LEAST["cpus"]))
    assert len(stage_plan(least, [], [], "none", private=True)["cpus"]) == 1
    assert stage_plan(ORDER, [], [], "none", private=True)["cpus"] == []


def test_guarantees_are_reported_as_they_are() -> None:
    held = guarantees(ORDER, private_refused="", group="no cgroup", seccomp="a" * 64)
    assert set(held) == set(Guarantee)
    assert held[Guarantee.MEMORY].level is Level.BEST_EFFORT
    assert "no cgroup" in held[Guarantee.MEMORY].by
    weak = {name for name, how in held.items() if how.level is not Level.ENFORCED}
    assert weak - {Guarantee.PROCESS_COUNT} == {Guarantee.MEMORY}


@pytest.mark.parametrize(
    ("change", "private_refused", "seccomp", "name", "level"),
    [
        ({"network": Network.HOST}, "", "a", Guarantee.NETWORK, Level.NOT_ENFORCED),
        ({}, "", None, Guarantee.SYSTEM_CALLS, Level.NOT_ENFORCED),
        ({}, "unshare: no", "a", Guarantee.DISK, Level.BEST_EFFORT),
        ({"limits": Limits(cpus=1)}, "", "a", Guarantee.CPUS, Level.BEST_EFFORT),
    ],
)
def test_what_is_missing_is_not_called_enforced(
    change: dict[str, object], private_refused: str, seccomp: str | None, name: Guarantee, level: Level
) -> None:
    order = replace(ORDER, **change)  # type: ignore[arg-type]  # fields of the dataclass, by name
    held = guarantees(order, private_refused=private_refused, group="no cgroup", seccomp=seccomp)
    assert held[name].level is level
    assert held[name].by


@pytest.mark.parametrize(
    ("said", "way_out"),
    {
        "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted": "apparmor",
        "bwrap: setting up uid map: Permission denied": "apparmor",
        "bwrap: No permissions to create a new namespace, likely because the kernel does not allow": "sysctl",
        "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded": "sysctl",
        "bwrap: Can't mount proc on /newroot/proc: Operation not permitted": "on the host itself",
        "bwrap: Unknown option --disable-userns": "newer",
        "bwrap: something else": "",
    }.items(),
)
def test_known_failures_of_bubblewrap_come_with_a_way_out(said: str, way_out: str) -> None:
    assert way_out in hint(said)
    assert bool(hint(said)) is bool(way_out)
