"""Which means of limiting a run a host has: from what real hosts look like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from whaledo.execution.cgroups.means import Host, Systemd, Top, Trees, choose

V2_MOUNTS = """\
udev /dev devtmpfs rw,nosuid,relatime,size=1465696k,nr_inodes=366424,mode=755,inode64 0 0
/dev/vda / ext4 rw,relatime 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0
tmpfs /run/user/1501 tmpfs rw,nosuid,nodev,relatime,size=297492k,mode=700,uid=1501,gid=1501,inode64 0 0
"""
V1_MOUNTS = """\
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,nodev,noexec,relatime,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
"""
V1_GROUPS = "8:pids:/\n4:memory:/process_api/bc16\n2:cpu,cpuacct:/\n9:name=systemd:/\n0::/\n"

ALICE = Host(
    mounts=V2_MOUNTS,
    groups="0::/user.slice/user-1501.slice/session-9.scope\n",
    uid=1501,
    systemd=True,
    systemd_run="/usr/bin/systemd-run",
    runtime_folder="/run/user/1501",
)
ROOT = replace(ALICE, uid=0, groups="0::/user.slice/user-0.slice/session-1.scope\n", runtime_folder=None)
LEGACY = replace(ROOT, mounts=V1_MOUNTS, groups=V1_GROUPS, systemd=False, systemd_run=None)
TREE = Path("/sys/fs/cgroup")


def test_an_ordinary_user_asks_their_own_systemd_and_passes_on_nothing_but_where_it_is() -> None:
    found = choose(ALICE)
    assert found == Systemd(TREE, ("/usr/bin/systemd-run", "--user"), {"XDG_RUNTIME_DIR": "/run/user/1501"})


def test_root_asks_the_hosts_systemd() -> None:
    assert choose(ROOT) == Systemd(TREE, ("/usr/bin/systemd-run",), {})


def test_root_takes_the_tree_itself_where_nobody_manages_it() -> None:
    assert choose(replace(ROOT, systemd=False)) == Top(TREE)


def test_root_makes_a_group_below_its_own_in_each_tree_of_version_1() -> None:
    assert choose(LEGACY) == Trees(
        {
            "memory": TREE / "memory/process_api/bc16",
            "pids": TREE / "pids",
            "cpuacct": TREE / "cpu,cpuacct",
            "cpu": TREE / "cpu,cpuacct",
        }
    )


def test_version_1_is_taken_before_an_empty_version_2_that_is_mounted_beside_it() -> None:
    assert isinstance(choose(replace(LEGACY, systemd=True, systemd_run="/usr/bin/systemd-run")), Trees)


def test_the_first_of_several_mounts_counts() -> None:
    beside = "cgroup2 /srv/chroot/sys/fs/cgroup cgroup2 rw 0 0\n"
    found = choose(replace(ROOT, mounts=V2_MOUNTS + beside))
    assert isinstance(found, Systemd)
    assert found.top == TREE


@pytest.mark.parametrize(
    ("host", "says"),
    [
        (replace(ALICE, runtime_folder=None), "no systemd session; `loginctl enable-linger 1501`"),
        (replace(ALICE, systemd=False, systemd_run=None), "only systemd could give an ordinary user one"),
        (replace(LEGACY, uid=1501), "cgroup v1, where only root"),
        (
            replace(LEGACY, mounts=V1_MOUNTS.replace("pids", "rdma").replace(",cpuacct", "")),
            "cgroup v1 without pids and cpuacct",
        ),
        (replace(ROOT, mounts="/dev/vda / ext4 rw 0 0\n"), "no control groups are mounted"),
    ],
)
def test_where_there_is_none_the_reason_is_said(host: Host, says: str) -> None:
    found = choose(host)
    assert isinstance(found, str)
    assert says in found
