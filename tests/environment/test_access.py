from __future__ import annotations

import os
from pathlib import Path

import pytest

from whaledo.environment.access import closed_folder, links_out, open_for_all


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    return tmp_path


def test_a_way_that_everybody_may_go_has_no_closed_folder(opened: Path) -> None:
    assert closed_folder(opened) is None


def test_the_outermost_closed_folder_is_named(opened: Path) -> None:
    inner = opened / "outer" / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o700)
    (opened / "outer").chmod(0o750)

    assert closed_folder(inner) == opened / "outer"


def test_a_link_is_followed_before_its_way_is_judged(opened: Path) -> None:
    (opened / "closed" / "home").mkdir(parents=True)
    (opened / "closed").chmod(0o700)
    (opened / "link").symlink_to(opened / "closed" / "home")

    assert closed_folder(opened / "link") == opened / "closed"


def test_what_was_made_under_a_strict_umask_is_opened_and_programs_stay_programs(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    (folder / "bin").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    for name, mode in (("data", 0o600), ("bin/tool", 0o700)):
        (folder / name).touch()
        (folder / name).chmod(mode)

    open_for_all(folder)

    modes = {path: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert modes == {folder: 0o755, folder / "bin": 0o755, folder / "data": 0o644, folder / "bin/tool": 0o755}


def test_opening_leaves_the_target_of_a_link_alone(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "link").symlink_to(tmp_path / "secret")

    open_for_all(tmp_path / "environment")

    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_only_links_that_lead_out_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "inside").symlink_to("../package")
    (folder / "package" / "file").symlink_to("/etc/hostname")
    (folder / "whole").symlink_to(tmp_path)

    assert sorted(os.path.relpath(link, folder) for link in links_out(folder)) == ["package/file", "whole"]
