"""The made-up system files: who a submission is told that it is, and what its host is called."""

from __future__ import annotations

import pytest

from whaledo.execution.engines.inside import MAIN_COMMAND, system_files


@pytest.mark.parametrize(("uid", "gid"), [(1000, 1000), (60_950, 60_950), (1234, 100)])
def test_the_user_and_its_group_bear_the_numbers_of_the_run(uid: int, gid: int) -> None:
    files = system_files(uid, gid)
    users = {line.split(":")[0]: line.split(":")[1:] for line in files["/etc/passwd"].splitlines()}
    groups = {line.split(":")[0]: line.split(":")[1:] for line in files["/etc/group"].splitlines()}
    assert users["runner"] == ["x", str(uid), str(gid), "", "/code_execution", "/bin/sh"]
    assert groups == {"root": ["x", "0", ""], "runner": ["x", str(gid), ""]}
    assert users["root"][-1] == "/usr/sbin/nologin"


def test_where_the_run_is_number_0_that_number_has_one_name_alone() -> None:
    """Rootless Docker: what has rights inside has the caller's outside, and its name is still `runner`."""
    files = system_files(0, 0)
    assert files["/etc/passwd"] == "runner:x:0:0::/code_execution:/bin/sh\n"
    assert files["/etc/group"] == "runner:x:0:\n"


def test_the_hosts_own_name_leads_to_the_loopback_without_asking_anybody() -> None:
    files = system_files(1000, 1000)
    assert files["/etc/hosts"].splitlines()[0].split() == ["127.0.0.1", "localhost", "whaledo"]
    assert "hosts: files" in files["/etc/nsswitch.conf"]
    assert set(files) == {"/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf"}


def test_main_is_started_by_the_profiles_python() -> None:
    assert MAIN_COMMAND == ("/opt/venv/bin/python", "main.py")
