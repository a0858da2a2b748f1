from __future__ import annotations

import os

import pytest

from whaledo.environment.distribution import (
    BUBBLEWRAP,
    PACKAGE_MANAGERS,
    PYTHON,
    PackageManager,
    how_to_install,
    package_manager,
)


@pytest.mark.parametrize("manager", PACKAGE_MANAGERS, ids=lambda manager: manager.program)
def test_a_distribution_is_known_by_its_package_manager(manager: PackageManager) -> None:
    assert package_manager(lambda name: f"/usr/bin/{name}" if name == manager.program else None) is manager


@pytest.mark.parametrize("manager", PACKAGE_MANAGERS, ids=lambda manager: manager.program)
def test_every_distribution_has_a_command_for_bubblewrap(manager: PackageManager) -> None:
    command = how_to_install(BUBBLEWRAP, manager)

    assert command is not None
    assert command.endswith(" bubblewrap")


def test_an_ordinary_user_is_told_to_use_sudo_and_root_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert str(how_to_install(PYTHON, PACKAGE_MANAGERS[0])).startswith("sudo apt-get install")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert str(how_to_install(PYTHON, PACKAGE_MANAGERS[0])).startswith("apt-get install")


def test_nothing_is_advised_where_the_distribution_is_unknown_or_lacks_the_package() -> None:
    assert package_manager(lambda _: None) is None
    assert how_to_install(BUBBLEWRAP, None) is None
    assert how_to_install(PYTHON, PackageManager("any", ("any", "add"), None, {})) is None
